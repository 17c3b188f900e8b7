"""The sections below the pictures: which metrics are read together, and what a reader must know there."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["GROUPS", "OTHER"]

#: anchor, brief and whole title, what to know, metrics
GROUPS: Sequence[tuple[str, str, str, str, tuple[str, ...]]] = (
    ("utility", "Use", "Useful for a model",
     "A model that learned from synthetic rows, tested on real rows it never saw.",
     ("utility", "utility_linear", "utility_gap", "utility_gap_linear", "utility_columns", "importance")),
    ("people", "People", "Groups of people",
     "Whether groups of people stand in the twin, and are treated by whoever learns from it, as in the original. "
     "Bounds are one-sided: with 95 % a gap is wider by less than the upper one. Dropping a protected column changes "
     "little of this, for others tell it.",
     ("representation", "group_fidelity", "group_fidelity_pairs", "label_gap", "downstream_gap", "downstream_gap_odds",
      "downstream_gap_impact", "downstream_gap_accuracy", "downstream_gap_calibration", "group_risk")),
    ("copies", "Copies", "Copies of real rows",
     "Synthetic rows that equal a real row, beside what chance alone gives. This is a check against copying, not a "
     "proof of privacy.",
     ("copies", "copies_excess", "copies_keys")),
    ("attacks", "Attacks", "Attacks on people",
     "What somebody who holds the twin may find out about people who were learned from, beside people who were not. "
     "Bounds are one-sided: with 95 % the risk is below the upper one. Each attack had to find people who were planted "
     "into the twin; one that missed them says nothing.",
     ("alike", "verbatim", "verbatim_but_one", "verbatim_without", "verbatim_near", "singling_out", "linkability",
      "inference", "inference_few", "inference_rare", "reconstruction", "membership", "density", "outliers",
      "likelihood", "shadow", "canaries")),
    ("missing", "Missing", "Missing cells",
     "Whether cells are missing as often, and together, as in the real table.",
     ("missingness", "missingness_pairs", "missingness_values")),
    ("coverage", "Coverage", "Coverage and variety",
     "Whether synthetic rows lie where real rows lie, and reach as far.",
     ("coverage", "coverage_rare", "alpha_precision", "beta_recall")),
    ("groups", "Groups", "Groups of columns",
     "Several columns at once: patterns that no single pair shows.",
     ("kway_3", "kway_4", "association")),
    ("validity", "Validity", "Values that cannot be",
     "Cells and keys that break the rules of the table.",
     ("validity", "validity_range", "validity_keys", "rules")),
)
#: what a metric that is named nowhere here is shown under
OTHER = ("other", "Other", "Other measures", "Measured by further metrics.")

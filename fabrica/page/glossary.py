"""What each metric answers, in one line a manager understands, with the source a statistician wants.

A metric that is not named here (a stranger's plugin) is shown under its own name; ``facts["metrics"]`` of a report may
bring ``{name: {"title": …, "source": …}}`` for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Meaning", "meaning"]


@dataclass(frozen=True)
class Meaning:
    """A metric in words: ``label`` for tables, ``line`` for what it answers, ``source`` for where it is defined."""

    label: str
    line: str
    source: str = ""


KNOWN: Mapping[str, Meaning] = {
    "shape": Meaning(
        "Column shape error",
        "How far each column's distribution lies from the real one: Kolmogorov–Smirnov distance for numbers, "
        "total variation distance for categories, in percent.",
        "SDMetrics KSComplement and TVComplement; Zhang et al., TabSyn, ICLR 2024"),
    "trend": Meaning(
        "Pair error, as published",
        "How far the dependence of each pair of columns lies from the real one: correlations of numbers, contingency "
        "tables of categories. Each table is cut by its own extremes, as in the papers.",
        "SDMetrics CorrelationSimilarity and ContingencySimilarity; Zhang et al., TabSyn, ICLR 2024"),
    "trend_common": Meaning(
        "Pair error",
        "The same dependence of pairs, with numbers cut at the same places in both tables, so that one outlier "
        "cannot move the bins.",
        "as Trend, with the bins of the real table for both"),
    "kway": Meaning(
        "Error of column groups",
        "How far the joint distribution of several columns at once lies from the real one: total variation distance, "
        "mean over drawn groups of columns.",
        "NIST SDNist k-marginal score; Tao et al., 2021"),
    "detector": Meaning(
        "Indistinguishable",
        "The detector's area under the curve as a score: 1 where boosted trees cannot tell a synthetic row from a real "
        "one, 0 where they always can.",
        "Classifier two-sample test, Lopez-Paz and Oquab, ICLR 2017; with XGBoost as in arXiv:2603.23016"),
    "detector_auc": Meaning(
        "Detector",
        "Can boosted trees tell a synthetic row from a real one? The area under the curve on rows they have not seen: "
        "0.5 is a coin toss, 1 is always right.",
        "Classifier two-sample test, Lopez-Paz and Oquab, ICLR 2017; interval of DeLong"),
    "detector_column": Meaning(
        "Gave it away",
        "Each column's share of what the detector learned from. It means little where the detector is near chance.",
        "gain of the boosted trees"),
    "alpha_precision": Meaning(
        "Realistic rows",
        "Alpha-precision: do synthetic rows lie where real rows lie? 1 where they do at every level of typicality.",
        "Alaa et al., How Faithful is your Synthetic Data?, ICML 2022"),
    "beta_recall": Meaning(
        "Variety of rows",
        "Beta-recall: is the whole variety of the real rows covered by synthetic ones?",
        "Alaa et al., How Faithful is your Synthetic Data?, ICML 2022"),
    "coverage": Meaning(
        "Coverage",
        "Which share of the real categories, and of the real range of numbers, occurs in the synthetic table.",
        "SDMetrics CategoryCoverage and RangeCoverage"),
    "missingness": Meaning(
        "Missing cells",
        "How far shares of missing cells, and the columns that are missing together, lie from the real ones.",
        "difference of shares in percentage points"),
    "validity": Meaning(
        "Valid rows",
        "Which share of synthetic cells keeps the rules of the schema: kinds, bounds, known levels, unique keys.",
        "the schema of the table"),
    "copies": Meaning(
        "Exact copies",
        "How many synthetic rows equal a real row, beside what chance gives: the same count against real rows nobody "
        "learned from.",
        "exact match against training rows and holdout"),
    "utility": Meaning(
        "Usefulness for a model",
        "A model trained on synthetic rows predicts the target for real rows it never saw, beside the same model "
        "trained on real rows.",
        "train on synthetic, test on real; Esteban et al., 2017"),
}


def meaning(metric: str, facts: Mapping[str, Any]) -> Meaning:
    """The metric in words: ours, else what the report brings along, else its bare name.

    >>> meaning("my_metric", {"metrics": {"my_metric": {"title": "counts left shoes", "source": "a paper"}}})
    Meaning(label='my metric', line='counts left shoes', source='a paper')
    """
    if metric in KNOWN:
        return KNOWN[metric]
    told = facts.get("metrics", {})
    told = told.get(metric, {}) if isinstance(told, Mapping) else {}
    label = metric.replace("_", " ").strip() or metric
    return Meaning(label, str(told.get("title", "")), str(told.get("source", "")))

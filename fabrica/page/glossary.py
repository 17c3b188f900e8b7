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
    "association": Meaning(
        "Strength of dependence",
        "How far the strength of each pair's dependence (Cramér's V, 0 to 1) lies from the real one, mean over pairs.",
        "Bergsma, Journal of the Korean Statistical Society 2013"),
    "kway_3": Meaning(
        "Error of three columns",
        "How far three columns at once lie from the real ones, mean over drawn triples. With so many combinations even "
        "real rows are far from each other; only what is beyond the floor counts.",
        "k-marginal score; McKenna et al., JPC 2021; SDNist"),
    "kway_4": Meaning(
        "Error of four columns",
        "The same for four columns at once.",
        "k-marginal score; McKenna et al., JPC 2021; SDNist"),
    "detector": Meaning(
        "Detector score (C2ST)",
        "The detector's area under the curve as a score: 1 where boosted trees cannot tell a synthetic row from a real "
        "one, 0 where they always can.",
        "Classifier two-sample test, Lopez-Paz and Oquab, ICLR 2017; with XGBoost as in arXiv:2603.23016"),
    "detector_auc": Meaning(
        "Detector AUC",
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
        "after Alaa et al., ICML 2022; in a space of our own, not comparable with published numbers"),
    "beta_recall": Meaning(
        "Variety of rows",
        "Beta-recall: is the whole variety of the real rows covered by synthetic ones? About one half is natural; far "
        "above its floor means too close, not better.",
        "after Alaa et al., ICML 2022; in a space of our own, not comparable with published numbers"),
    "coverage": Meaning(
        "Coverage",
        "Which share of the real levels, and of the real range of numbers, occurs in the synthetic table. Levels of "
        "fewer than five people are left out on purpose.",
        "CategoryCoverage and RangeCoverage of SDMetrics"),
    "coverage_rare": Meaning(
        "Coverage of rare levels",
        "The same for levels that fewer than 1 % but at least five real rows hold: what generators lose first.",
        "own, after CategoryCoverage"),
    "missingness": Meaning(
        "Missing cells",
        "How far the shares of missing cells lie from the real ones, in percentage points.",
        "difference of shares"),
    "missingness_pairs": Meaning(
        "Missing together",
        "The same for every two columns that are missing in the same row.",
        "difference of shares"),
    "missingness_values": Meaning(
        "Missing for the same rows",
        "Whether what is missing depends on the other columns as in the real table.",
        "own, after Rubin 1976"),
    "validity": Meaning(
        "Impossible cells",
        "Cells of the wrong kind, outside declared bounds, of a level that never occurs, or missing where none may be.",
        "the schema of the table"),
    "validity_range": Meaning(
        "Numbers never seen",
        "Numeric cells outside the range of the real table: not impossible, but never seen.",
        "BoundaryAdherence of SDMetrics"),
    "validity_keys": Meaning(
        "Broken keys",
        "Rows whose key is missing or was used before.",
        "the schema of the table"),
    "rules": Meaning(
        "Rules between columns",
        "Rows that break an order (start <= end) or an equality of two columns that real rows keep.",
        "own; compare Chu, Ilyas and Papotti 2013"),
    "copies_keys": Meaning(
        "Real identifiers",
        "Identifiers of synthetic rows that stand in the real table. The floor is what chance gives: how much of what "
        "their template allows is taken.",
        "exact match of keys"),
    "copies": Meaning(
        "Exact copies",
        "Synthetic rows that equal a row that was learned from. The floor is what chance gives, measured on real rows "
        "nobody learned from.",
        "exact match on all columns but keys"),
    "copies_excess": Meaning(
        "Copies beyond chance",
        "The same beside as many unseen real rows: about 0 where a generator learned and did not memorise.",
        "exact match on all columns but keys"),
    "alike": Meaning(
        "Members and others alike",
        "Can people learned from and people held back be told apart without the twin? 0.5 is a coin toss; where they "
        "can, no attack on them says anything.",
        "blind baselines; Das, Zhang and Tramèr 2024"),
    "verbatim": Meaning(
        "People in the twin",
        "People who are alone with what they have and stand in the twin cell by cell, beyond how often people whom "
        "nobody learned from do.",
        "isolation by the whole row; after Cohen and Nissim, PNAS 2020"),
    "verbatim_but_one": Meaning(
        "People in the twin but for one column",
        "People who are alone with all that they have but one column, and stand so in the twin, beyond how often those "
        "whom nobody learned from do.",
        "isolation by all columns but one; after Cohen and Nissim, PNAS 2020"),
    "verbatim_without": Meaning(
        "People in the twin without a column",
        "The same for each column by itself: where one column makes everybody differ, those who were copied in all "
        "else are seen here.",
        "isolation by all columns but one; after Cohen and Nissim, PNAS 2020"),
    "verbatim_near": Meaning(
        "People nearly in the twin",
        "The same for rows that differ in no level and hardly in numbers.",
        "isolation by the whole row; after Cohen and Nissim, PNAS 2020"),
    "singling_out": Meaning(
        "Singling out",
        "How often a description that is rare in the twin fits exactly one person who was learned from, beyond luck.",
        "Cohen and Nissim, PNAS 2020"),
    "linkability": Meaning(
        "Linking files",
        "How often the twin tells that two halves of a record belong together, beyond luck.",
        "distance-based record linkage; Domingo-Ferrer and Torra 2002"),
    "inference": Meaning(
        "Guessing a secret",
        "How much better one thing about somebody is guessed with the twin if that person was learned from, beyond "
        "luck; the worst column for the whole table.",
        "attribute inference; Yeom et al., CSF 2018; Stadler et al., USENIX Security 2022"),
    "inference_few": Meaning(
        "Guessing what few have",
        "The same for people who have what few have (a level that at most one in twenty has, another number than nine "
        "in ten have), in all columns together and in each.",
        "attribute inference; Yeom et al., CSF 2018; Stadler et al., USENIX Security 2022"),
    "inference_rare": Meaning(
        "Guessing a rare secret",
        "The same for people with the rarest level of a column that enough people have to name it.",
        "attribute inference; Yeom et al., CSF 2018; Stadler et al., USENIX Security 2022"),
    "reconstruction": Meaning(
        "Solving for a secret",
        "How much better a secret of two values is guessed by solving equations out of the twin's counts, if that "
        "person was learned from, beyond luck; the worst column for the whole table.",
        "linear reconstruction; Dinur and Nissim 2003; Annamalai et al., USENIX Security 2024"),
    "membership": Meaning(
        "Telling members",
        "Can people who were learned from be told by their distance to the twin? 0.5 is a coin toss.",
        "calibrated distances; Chen et al., CCS 2020"),
    "density": Meaning(
        "Telling members by crowds",
        "Can they be told because the twin is denser around them than the population? 0.5 is a coin toss.",
        "density ratios; van Breugel et al., AISTATS 2023"),
    "outliers": Meaning(
        "Telling isolated members",
        "The same for the people who are least like others, whom averages hide. 0.5 is a coin toss.",
        "vulnerable records; Meeus et al., ESORICS 2023"),
    "likelihood": Meaning(
        "Telling members by the model",
        "Can whoever holds the model file tell people who were learned from, as they are likelier under it than under "
        "a model of others? 0.5 is a coin toss.",
        "losses beside a reference; Yeom et al., CSF 2018; Carlini et al. 2022"),
    "shadow": Meaning(
        "Telling one from many twins",
        "Does it show in the twins of small tables whether one of the most isolated people was among the rows? 0.5 is "
        "a coin toss.",
        "shadow models; Stadler et al., USENIX Security 2022"),
    "canaries": Meaning(
        "Canaries found",
        "The share of people who were planted among the rows and then found in a file of the result by something that "
        "only they have.",
        "Carlini et al., USENIX Security 2019"),
    "utility": Meaning(
        "Usefulness for a model",
        "A model trained on synthetic rows predicts the target for real rows it never saw, beside the same model "
        "trained on real rows.",
        "train on synthetic, test on real; Esteban et al., 2017"),
    "utility_linear": Meaning(
        "Usefulness for a linear model",
        "The same of a logistic or ridge regression.",
        "train on synthetic, test on real; Esteban et al., 2017"),
    "utility_gap": Meaning(
        "What a model loses",
        "Points of accuracy (of R2, for a number) that a model loses by learning from the twin instead of real rows, "
        "on the same people; the interval is paired.",
        "paired difference; McNemar 1947"),
    "utility_gap_linear": Meaning(
        "What a linear model loses",
        "The same of a logistic or ridge regression.",
        "paired difference; McNemar 1947"),
    "utility_columns": Meaning(
        "What a model of any column loses",
        "Each column is predicted from the others, by a model of the twin and one of as many real rows: points lost on "
        "average.",
        "train on synthetic, test on real; Esteban et al., 2017"),
    "importance": Meaning(
        "Same columns matter",
        "Whether models of the twin lean on the same columns as models of real rows: rank correlation, 1 where they "
        "agree.",
        "rank correlation of the trees' gain; Spearman 1904"),
    "representation": Meaning(
        "Share of each group",
        "The share of a group in the twin over that in the real table, for the group that is farthest off: 1 where it "
        "is as large. The interval spans the bounds of all groups.",
        "ratio of shares; bounds of Donner and Zou 2012"),
    "group_fidelity": Meaning(
        "Column error within a group",
        "How far columns lie from the real ones within a group of people, for the group farthest beyond its own floor.",
        "total variation within groups; after Bhanot et al. 2021"),
    "group_fidelity_pairs": Meaning(
        "Correlation error within a group",
        "The same of the correlations between columns.",
        "difference of correlations within groups"),
    "label_gap": Meaning(
        "Gap of the outcome, widened",
        "By how much the outcome of the target is more unequal between groups in the twin than in the real table: 0 "
        "where it is as unequal. The upper bound is that of all places.",
        "statistical parity; Kamiran and Calders 2012"),
    "downstream_gap": Meaning(
        "Gap of decisions, widened",
        "By how much decisions of a model of the twin are more unequal between groups than those of a model of real "
        "rows, about the same people.",
        "demographic parity; Hardt, Price and Srebro 2016"),
    "downstream_gap_odds": Meaning(
        "Gap of odds, widened",
        "The same of true and false positive rates, whichever gap is wider.",
        "equalised odds; Hardt, Price and Srebro 2016"),
    "downstream_gap_impact": Meaning(
        "Disparate impact, widened",
        "The same of what the smallest share of decisions over the largest lacks to 1.",
        "disparate impact; Feldman et al., KDD 2015"),
    "downstream_gap_accuracy": Meaning(
        "Gap of accuracy, widened",
        "The same of how often the model is right.",
        "difference of accuracies"),
    "downstream_gap_calibration": Meaning(
        "Gap of calibration, widened",
        "The same of what the model promises on average less what comes.",
        "calibration in the large"),
    "group_risk": Meaning(
        "Telling members of a group",
        "Can people who were learned from be told by their distance to the twin, within a group? 0.5 is a coin toss; "
        "the group about which most cannot be ruled out.",
        "disparate vulnerability; Kulynych et al., PETS 2022"),
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

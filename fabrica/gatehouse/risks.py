"""Tests of risks, by what attacks have found: one passes by the upper end of its bounds, at every place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from fabrica.attack import NO_LIKELIHOOD, NO_MAKER
from fabrica.bounds import share
from fabrica.gatehouse.case import Case
from fabrica.gatehouse.few import judged as secrets_of_few
from fabrica.gatehouse.left_out import judged as columns_left_out
from fabrica.gatehouse.outcome import FAIL, INCONCLUSIVE, PASS, REST, Outcome, apart, bounded, down, joined, unmeasured
from fabrica.reached import FEWEST
from fabrica.report import Finding

__all__ = ["SURE", "alike", "by_bounds", "canaries", "copies", "membership", "outliers", "risk"]

MEMBERS = ("membership", "density")  #: attacks that tell members from others, of everybody
#: of whom a risk is measured apart, by the end of its number's name
RARELY = {"_rare": "of those with a rare value", "_few": "of those who have what few have"}
HALF = 0.5  #: of what there is to see: an attack that saw less says so
SURE = 2.576 / 1.645  #: from a one-sided 95 % to a 99.5 % bound


def alike(case: Case) -> Outcome:
    """The blind baseline: nobody tells members from others without the twin, or no attack says anything."""
    blank, found = Outcome("G10", "alike", PASS, ""), case.one("alike")
    if found is None or found.value is None or found.low is None:
        return replace(blank, verdict=INCONCLUSIVE, why=unmeasured(found, "the blind baseline") or "it has no bounds")
    surely = found.value - SURE * (found.value - found.low) > 0.5
    why = ("people learned from and people held back can be told apart without the twin: they are of two kinds, and "
           "what attacks say of them counts for nothing" if surely else
           "people learned from and people held back cannot be told apart without the twin")
    return replace(blank, verdict=INCONCLUSIVE if surely else PASS, why=why, value=found.value, low=found.low,
                   high=found.high, n=_people(found))


def risk(id: str, metric: str, what: str, unseen: str = "") -> Callable[[Case], Outcome]:
    """A risk beyond luck, of each place at which it was measured: one that is too high fails all. Where all but a share
    of people within the threshold are guessed anyway, there is too little left to find out. ``unseen`` says what there
    is if the attack has hardly any guess to make, and none of these succeeds. Those who have what few have must pass
    too, all together and those of each column, where there are so many of them that they would if nothing leaked; else
    what is found decides where it is surely too much, as it does of those with a rare value."""

    def check(case: Case) -> Outcome:
        threshold, found = float(getattr(case.asked, metric)), case.of(metric)
        blank = Outcome(id, metric, PASS, f"{what}: there is hardly anything to find out", threshold=threshold)
        parts = [f for f in found if f.place] or found
        sure = [f for f in parts if f.detail.get("certain", 0.0) >= 1 - threshold]
        left = [f for f in parts if f not in sure]
        asked: list[Finding | None] = [*left] if parts else [None]
        told = [_unseen(blank, f, threshold, unseen) or by_bounds(blank, f, threshold, what) for f in asked]
        rare, few = case.one(f"{metric}_rare"), case.of(f"{metric}_few")
        told += [by_bounds(blank, rare, threshold, f"{what}, {RARELY['_rare']}")] * _surely(rare, threshold)
        deciding = secrets_of_few(few, threshold)
        told += [by_bounds(blank, f, most, f"{what}, {RARELY['_few']}") for f, most in deciding]
        outcome = _worst(told) if told else blank
        return replace(outcome, why="; ".join([outcome.why, *_untold(sure, len(parts)), *_untried(found),
                                               *_unsure(few, [f for f, _ in deciding])]))

    return check


def _surely(finding: Finding | None, threshold: float) -> bool:
    """Whether more than is accepted was surely found."""
    return finding is not None and finding.low is not None and finding.low > threshold


def _untold(sure: list[Finding], of: int) -> list[str]:
    """Where nothing could be told, because nearly everybody is guessed anyway."""
    if not sure:
        return []
    names = ", ".join(" + ".join(f.place) for f in sure[:5]) + (", ..." if len(sure) > 5 else "")
    least = 1000 * min(float(f.detail["certain"]) for f in sure) // 1 / 10
    return [f"{len(sure):,} of {of:,} columns can tell nothing ({names}): of people who were not learned from at least "
            f"{least:.1f} % are guessed there anyway"]


def _unsure(few: Sequence[Finding], deciding: Sequence[Finding]) -> list[str]:
    """Where there are people who have what few have, and the attack cannot tell of so few, or missed the planted."""
    silent = [one for one in few if one not in deciding]
    if any("columns" in one.detail for one in silent):
        return ["of those who have what few have it could not tell"]
    alone, places = (sum(bool(one.place) and one.value is not None for one in some) for some in (silent, few))
    return [f"of those who have what few have it could not tell of {alone:,} of {places:,} columns alone"] * bool(alone)


def _untried(found: list[Finding]) -> list[str]:
    most = max((int(f.detail.get("untried", 0)) for f in found), default=0)
    return [f"{most:,} more columns were not tried"] if most else []


def _worst(told: list[Outcome]) -> Outcome:
    """Of several that must all pass the one that decides: it comes nearest to its threshold, or is farthest beyond."""
    verdict = joined(told)
    deciding = [one for one in told if one.verdict == verdict]
    return max(deciding, key=lambda one: (one.high or 0.0) / (one.threshold or 1e-9))


def by_bounds(blank: Outcome, finding: Finding | None, threshold: float, what: str) -> Outcome:
    """The outcome of one number with bounds, or why there is none."""
    where = f"{what} ({' + '.join(finding.place)})" if finding is not None and finding.place else what
    why = unmeasured(finding, "this")
    if finding is not None and not why and "control" not in finding.detail and blank.name != "useful":
        why = "nobody was planted to see whether the attack finds them"
    if finding is None or why or finding.value is None or finding.low is None or finding.high is None:
        return replace(blank, verdict=INCONCLUSIVE, why=f"{where}: {why or 'it has no bounds'}", threshold=threshold)
    found = bounded(blank, finding.value, finding.low, finding.high, threshold, _people(finding), where)
    seen = float(finding.detail.get("seen", 1.0))
    if seen >= HALF or found.verdict == PASS:
        return found
    return replace(found, why=f"{found.why}; it saw {100 * seen:.2g} % of what there is to see, and {REST}")


def copies(case: Case) -> Outcome:
    """People who are alone with their row do not stand in the twin, exactly, but for one column, or nearly, beyond
    luck; nor do they with all but a certain column, where there are enough people to tell."""
    blank = Outcome("G2", "copies", PASS, "")
    unseen = "people are alone with their row, and none of them stands in the twin"
    without = [f for f in case.of("verbatim_without") if f.place]
    here = columns_left_out(without, case.asked.but_one)
    asked = [(case.one("verbatim"), case.asked.copies, "people who stand in the twin cell by cell"),
             (case.one("verbatim_but_one"), case.asked.near, "people who stand in the twin but for one column"),
             (case.one("verbatim_near"), case.asked.near, "people who nearly stand in the twin"),
             *((f, accepted, "people who stand in the twin but for one and the same column") for f, accepted in here)]
    if not without:
        asked.append((case.one("verbatim_without"), case.asked.but_one, "people without each column"))
    told = [_unseen(blank, f, accepted, unseen) or by_bounds(blank, f, accepted, what) for f, accepted, what in asked]
    first = _worst(told)
    return replace(first, why="; ".join([first.why, *_silent(len(without) - len(here), len(without))]))


def _silent(silent: int, of: int) -> list[str]:
    """How many columns could not be judged each by itself."""
    return [f"of {silent:,} of {of:,} columns, each left out by itself, it could not tell: too few are alone without "
            "them, or too many stand in the twin by luck"] * (silent > 0)


def _unseen(blank: Outcome, finding: Finding | None, threshold: float, what: str) -> Outcome | None:
    """Where there are too few people for a share to be reckoned, and none of them is hit, or so many that it is surely
    too much."""
    few = FEWEST if finding is None or finding.value is not None else int(finding.detail.get("few", FEWEST))
    if not what or few >= FEWEST or finding is None:
        return None
    if (surely := float(finding.detail.get("surely", 0.0))) > threshold:
        return bounded(blank, surely, surely, 1.0, threshold, few, f"{finding.detail['hits']:,} of only {few:,} people "
                                                                   "who are alone with what they have are found")
    return None if finding.detail["hits"] else replace(blank, threshold=threshold, n=few, why=f"only {few:,} {what}")


def membership(case: Case) -> Outcome:
    """The best attack on everybody hardly tells who was learned from. Where the model is shared too, and can be asked
    for likelihoods, the attack by them must have been made and say so as well; whoever has the rows alone cannot."""
    blank, threshold = Outcome("G5", "membership", PASS, ""), case.asked.membership
    told = [by_bounds(blank, case.one(name), threshold, f"who was learned from, by {name}") for name in MEMBERS]
    known = case.one("likelihood")
    if case.model and known is not None and not known.problem.endswith((NO_MAKER, NO_LIKELIHOOD)):
        told.append(by_bounds(blank, known, threshold, "who was learned from, by the model's own likelihood"))
    return _worst(told)


def outliers(case: Case) -> Outcome:
    """Of the people least like others few are found where one in a hundred strangers is accused; and they are no easier
    to tell, by the whole curve, than the tier accepts of anybody."""
    blank, found = Outcome("G6", "outliers", PASS, ""), case.one("outliers")
    threshold = case.asked.outliers
    blank = replace(blank, threshold=threshold)
    why = unmeasured(found, "the attack on the most isolated people")
    if why or found is None:
        return replace(blank, verdict=INCONCLUSIVE, why=why)
    value, high = (float(found.detail[name]) for name in ("caught_at_0.01", "caught_at_0.01_upper"))
    if found.low is not None and found.low > case.asked.membership:
        return replace(blank, verdict=FAIL, value=value, high=high, n=_people(found),
                       why=f"isolated members are told from isolated others with an area under the curve of at least "
                           f"{apart(found.low, case.asked.membership, down)}, and {case.asked.membership:g} is "
                           "accepted of anybody")
    surely = value > threshold and found.low is not None and found.low > 0.5
    return bounded(blank, value, value if surely else 0.0, high, threshold, _people(found),
                   "isolated members found at 1 % false alarms")


def canaries(case: Case) -> Outcome | None:
    """Of people who were planted and learned from nothing stands in any file."""
    asked, found = case.asked.canaries, case.one("canaries")
    if not asked:
        return None
    blank = Outcome("G7", "canaries", PASS, "", threshold=round(share(0, asked)[1] + 5e-5, 4))
    why = unmeasured(found, "whether they come out")
    if why or found is None or found.value is None or found.high is None:
        return replace(blank, verdict=INCONCLUSIVE, why=f"planted people: {why or 'there is no bound'}")
    planted = int(found.detail.get("planted", 0))
    blank = replace(blank, value=found.value, high=found.high, n=planted)
    if found.value > 0:
        where = ", ".join(map(str, found.detail.get("places", ())))
        return replace(blank, verdict=FAIL, why=f"of {planted:,} planted people {round(found.value * planted):,} are "
                                                f"given away by what stands in files{f' ({where})' if where else ''}")
    if planted < asked:
        return replace(blank, verdict=INCONCLUSIVE, why=f"{planted:,} people were planted; {asked:,} are asked for")
    return replace(blank, why=f"of {planted:,} planted people nothing stands in any file")


def _people(finding: Finding) -> int | None:
    detail = finding.detail
    counts = [detail[name] for name in ("tries", "members", "rows") if name in detail]
    return int(counts[0]) if counts else None

"""The tests of the gate, one function each: what is known of a release in, one outcome out, or None where the tier does
not ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from fabrica.attack import NO_LIKELIHOOD, NO_MAKER
from fabrica.bounds import share
from fabrica.gatehouse.beside import Beside
from fabrica.gatehouse.outcome import FAIL, INCONCLUSIVE, PASS, Outcome, bounded, joined, unmeasured
from fabrica.gatehouse.policy import Policy, Tier
from fabrica.gatehouse.rare import LONG, Rare
from fabrica.reached import FEWEST
from fabrica.report import Finding, Report

__all__ = ["CHECKS", "Case", "outcomes"]

MEMBERS = ("membership", "density")  #: attacks that tell members from others, of everybody
COPIED, DOUBTED = 0.01, 0.1  #: chances of so many extremes: those are copies, and those might be
SURE = 2.576 / 1.645  #: from a one-sided 95 % to a 99.5 % bound


@dataclass(frozen=True)
class Case:
    """All that is known of a release when the gate decides.

    Parameters
    ----------
    tier : a name of the policy's tiers. report : what was measured, attacks included.
    rows, real_rows : of the twin and of the whole real table. rare : what of few people stands in the twin;
    files : what of few people stands in the files beside it. epsilon : of differential privacy, None without one.
    attempts : twins of this table that were tried, this one included; aside : and that are counted in the folder alone.
    target, protected : what was declared.
    """

    policy: Policy
    tier: str
    report: Report
    rows: int
    real_rows: int
    rare: Rare
    files: Beside = field(default_factory=Beside)
    epsilon: float | None = None
    attempts: int = 1
    aside: bool = False
    target: str | None = None
    protected: Sequence[str] = ()

    @property
    def asked(self) -> Tier:
        return self.policy.tier(self.tier)

    def of(self, metric: str) -> list[Finding]:
        """The findings of a metric, that of the whole table first."""
        return sorted((f for f in self.report if f.metric == metric), key=lambda f: len(f.place))

    def one(self, metric: str) -> Finding | None:
        return next(iter(self.of(metric)), None)


def outcomes(case: Case) -> list[Outcome]:
    """What all tests say that the tier asks for."""
    return [found for check in CHECKS if (found := check(case)) is not None]


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


def identifiers(case: Case) -> Outcome:
    """No key or free text of a real person stands in the twin, but for what chance gives."""
    hits, found = case.rare.texts, case.of("copies_keys")
    surely = [f.place[0] for f in found if f.place and (f.low or 0.0) > (f.floor or 0.0) and f.place[0] not in hits]
    places = [*(f"{count:,} of column {name!r}" for name, count in hits.items()), *(f"keys of {n!r}" for n in surely)]
    blank = Outcome("G0", "identifiers", PASS, "", value=float(sum(hits.values()) + len(surely)), threshold=0.0)
    if places:
        return replace(blank, verdict=FAIL,
                       why=f"texts or identifiers of real people stand in the twin: {', '.join(places)}")
    unknown = next((f for f in found or case.of("copies") if f.value is None and f.detail.get("keys") != 0), None)
    if unknown is not None:
        return replace(blank, verdict=INCONCLUSIVE, value=None,
                       why=f"whether keys are those of real people: {unknown.problem}")
    short = ", ".join(map(repr, case.rare.short[:5]))
    beside = f" (those in {short} of fewer than {LONG} characters are anybody's and not looked at)" if short else ""
    return replace(blank, why=f"no text and no identifier of a real person stands in the twin beyond what chance gives"
                              f"{beside}")


def rare(case: Case) -> Outcome:
    """Nothing that fewer than k people hold stands in any file. Extremes that are met fail where luck gives so many
    less than one time in a hundred; where it is one in ten, or the outermost real one is met, nobody can tell."""
    found, k = case.rare, case.asked.k
    ends = [f"{count:,} extremes of {name!r}" for name, count in found.ends.items()]
    copied = ends if found.luck < COPIED else []
    places = [*(f"{count:,} levels of {name!r}" for name, count in found.levels.items()), *copied, *case.files.found]
    hits = sum(found.levels.values()) + len(case.files.found) + (sum(found.ends.values()) if copied else 0)
    blank = Outcome("G1", "rare", PASS, "", value=float(hits), threshold=0.0, n=found.looked)
    if places:
        return replace(blank, verdict=FAIL, why=f"what fewer than {k} people hold stands in it: "
                                                f"{', '.join(places[:5])}; learn again with --k {k}")
    if ends and (found.last or found.luck < DOUBTED):
        return replace(blank, verdict=INCONCLUSIVE, value=float(sum(found.ends.values())), why=_doubted(found, ends, k))
    beside = f" but what luck gives: {', '.join(ends[:5])}" if ends else ""
    left = [f"{count:,} {why}" for why, count in case.files.left.items()]
    unread = f" (not looked for in files: {', '.join(left)})" if left else ""
    return replace(blank, why=f"of {found.looked:,} values that fewer than {k} people hold none stands in the twin, "
                              f"nor in its files{unread}{beside}")


def _doubted(found: Rare, ends: list[str], k: int) -> str:
    """Why extremes that stand in the twin are neither copies nor luck."""
    if found.luck < DOUBTED:
        return (f"{', '.join(ends[:5])} stand in the twin, and luck gives so many {100 * found.luck:.0f} times in a "
                f"hundred: no more than that can be told; learn again with --k {2 * k}")
    last = ", ".join(map(repr, found.last[:5]))
    return (f"the outermost real value of {last} stands in the twin, and the column has too few places beyond "
            f"the {k}th person to tell whether by luck; learn again with --k {2 * k}, or declare bounds of numbers "
            "that are public")


def _risk(id: str, metric: str, what: str) -> Callable[[Case], Outcome]:
    """A risk beyond luck, of each place at which it was measured: one that is too high fails all. Where all but a share
    of people within the threshold are guessed anyway, there is too little left to find out."""

    def check(case: Case) -> Outcome:
        threshold, found = float(getattr(case.asked, metric)), case.of(metric)
        blank = Outcome(id, metric, PASS, f"{what}: there is hardly anything to find out", threshold=threshold)
        parts = [f for f in found if f.place] or found
        sure = [f for f in parts if f.detail.get("certain", 0.0) >= 1 - threshold]
        left = [f for f in parts if f not in sure]
        asked: list[Finding | None] = [*left] if parts else [None]
        outcome = _worst([_told(blank, f, threshold, what) for f in asked]) if asked else blank
        return replace(outcome, why="; ".join([outcome.why, *_untold(sure, len(parts)), *_untried(found)]))

    return check


def _untold(sure: list[Finding], of: int) -> list[str]:
    """Where nothing could be told, because nearly everybody is guessed anyway."""
    if not sure:
        return []
    names = ", ".join(" + ".join(f.place) for f in sure[:5]) + (", ..." if len(sure) > 5 else "")
    least = 1000 * min(float(f.detail["certain"]) for f in sure) // 1 / 10
    return [f"{len(sure):,} of {of:,} columns could not tell ({names}), for there at least {least:.1f} % are guessed "
            "of people who were not learned from"]


def _untried(found: list[Finding]) -> list[str]:
    most = max((int(f.detail.get("untried", 0)) for f in found), default=0)
    return [f"{most:,} more columns were not tried"] if most else []


def _worst(told: list[Outcome]) -> Outcome:
    """Of several that must all pass the one that decides."""
    verdict = joined(told)
    return max((one for one in told if one.verdict == verdict), key=lambda one: one.high or 0.0)


def _told(blank: Outcome, finding: Finding | None, threshold: float, what: str) -> Outcome:
    where = f"{what} ({' + '.join(finding.place)})" if finding is not None and finding.place else what
    why = unmeasured(finding, "this")
    if finding is not None and not why and "control" not in finding.detail and blank.name != "useful":
        why = "nobody was planted to see whether the attack finds them"
    if finding is None or why or finding.value is None or finding.low is None or finding.high is None:
        return replace(blank, verdict=INCONCLUSIVE, why=f"{where}: {why or 'it has no bounds'}", threshold=threshold)
    return bounded(blank, finding.value, finding.low, finding.high, threshold, _people(finding), where)


def copies(case: Case) -> Outcome:
    """People who are alone with their row do not stand in the twin, exactly or nearly, beyond luck."""
    blank, what = Outcome("G2", "copies", PASS, ""), {"verbatim": "people who stand in the twin cell by cell",
                                                     "verbatim_near": "people who nearly stand in the twin"}
    accepted = {"verbatim": case.asked.copies, "verbatim_near": case.asked.near}
    told = [_unseen(blank, case.one(name), accepted[name]) or _told(blank, case.one(name), accepted[name], words)
            for name, words in what.items()]
    verdict = joined(told)
    return next(one for one in told if one.verdict == verdict)


def _unseen(blank: Outcome, finding: Finding | None, threshold: float) -> Outcome | None:
    """Where too few people are alone with their row for a share to be reckoned: none of them stands in the twin."""
    few = FEWEST if finding is None or finding.value is not None else int(finding.detail.get("few", FEWEST))
    if few >= FEWEST or finding is None or finding.detail["hits"]:
        return None
    return replace(blank, threshold=threshold, n=few, why=f"only {few:,} people are alone with their row, and none of "
                                                          "them stands in the twin")


def membership(case: Case) -> Outcome:
    """The best attack on everybody hardly tells who was learned from. Of a model that can be asked for likelihoods the
    attack by them must have been made too."""
    blank, threshold = Outcome("G5", "membership", PASS, ""), case.asked.membership
    told = [_told(blank, case.one(name), threshold, f"who was learned from, by {name}") for name in MEMBERS]
    known = case.one("likelihood")
    if known is not None and not known.problem.endswith((NO_MAKER, NO_LIKELIHOOD)):
        told.append(_told(blank, known, threshold, "who was learned from, by the model's own likelihood"))
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
                           f"{found.low:.3f}, and {case.asked.membership:g} is accepted of anybody")
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


def epsilon(case: Case) -> Outcome | None:
    """Differential privacy, where the tier asks for it, or what an expert has written instead."""
    most, here = case.asked.epsilon, case.epsilon
    if most is None:
        return None
    blank = Outcome("G8", "epsilon", PASS, "", value=here, threshold=most)
    if here is not None:
        return replace(blank, verdict=PASS if here <= most else FAIL,
                       why=f"learned with epsilon {here:.3g}, and {most:g} is accepted")
    if case.policy.determination:
        return replace(blank, why=f"no epsilon; an expert's determination stands for it: {case.policy.determination}")
    why = (f"this tier asks for differential privacy: learn with --epsilon {most:g} or less, or write an expert's "
           "determination into the policy")
    return replace(blank, verdict=FAIL, why=why)


def rows(case: Case) -> Outcome | None:
    """Not more rows than there are real ones: each further row tells a little more."""
    ratio = case.asked.rows
    if ratio is None:
        return None
    each = case.rows / max(1, case.real_rows)
    return Outcome("G11", "rows", PASS if each <= ratio else FAIL,
                   f"{case.rows:,} rows for {case.real_rows:,} real ones", value=each, threshold=ratio)


def shares(case: Case) -> Outcome | None:
    """Each protected group has about its share, as far as such few real people would have theirs."""
    most, found = case.asked.share, case.of("representation")
    if most is None or not case.protected:
        return None
    blank = Outcome("G12", "representation", PASS, "", threshold=most)
    told = [_share(blank, one, most) for one in found] or [_share(blank, None, most)]
    return next(one for one in told if one.verdict == joined(told))


def _share(blank: Outcome, found: Finding | None, most: float) -> Outcome:
    """Whether the group of one column, or of two, that is farthest from its share is near enough."""
    why = unmeasured(found, "the share of each group")
    if why or found is None or found.value is None:
        return replace(blank, verdict=INCONCLUSIVE, why=why)
    limit = max(most, found.floor_high or 1.0)
    group = f" ({found.detail['group']})" if "group" in found.detail else ""
    beside = f", and among so few people {1 / limit:.2f} to {limit:.2f} comes by chance" if limit > most else ""
    return replace(blank, verdict=PASS if 1 / limit <= found.value <= limit else FAIL, value=found.value,
                   threshold=limit, why=f"the group that is farthest from its share{group} has {found.value:.2f} times "
                                        f"that share; {1 / most:.2f} to {most:.2f} is accepted{beside}")


def _amplified(metric: str, asked: str, what: str) -> Callable[[Case], Outcome | None]:
    """A gap between groups that must not grow by more than is accepted, or than it does by chance where a model learns
    from other real rows. Of small groups no bound would ever be narrow enough: this test asks for the estimate."""

    def check(case: Case) -> Outcome | None:
        threshold, found = getattr(case.asked, asked), case.of(metric)
        if threshold is None or not case.protected or case.target is None:
            return None
        blank = Outcome("G12", metric, PASS, "", threshold=threshold)
        told = [_grown(blank, one, threshold, what) for one in found] or [_grown(blank, None, threshold, what)]
        return next(one for one in told if one.verdict == joined(told))

    return check


def _grown(blank: Outcome, found: Finding | None, threshold: float, what: str) -> Outcome:
    """Whether the gap between the groups of one place has grown by more than is accepted or comes by chance."""
    where = f"{what} ({' × '.join(found.place)})" if found is not None and found.place else what
    why = unmeasured(found, "this")
    if why or found is None or found.value is None:
        return replace(blank, verdict=INCONCLUSIVE, why=f"{where}: {why}")
    limit = max(threshold, found.floor_high or 0.0)
    beside = f"{threshold:g} is accepted" + (f", and {limit:.3f} comes by chance" if limit > threshold else "")
    surely = found.low is not None and found.low > threshold
    return replace(blank, verdict=FAIL if surely else PASS if found.value <= limit else INCONCLUSIVE,
                   value=found.value, threshold=limit, why=f"{where}: {found.value:.3f}; {beside}")


def useful(case: Case) -> Outcome | None:
    """What the twin is for, where the policy says how much may be lost."""
    threshold, found = case.asked.useful, case.one("utility_gap")
    if threshold is None:
        return None
    blank = Outcome("G13", "useful", PASS, "", threshold=threshold)
    if found is None:
        return replace(blank, verdict=INCONCLUSIVE, why="the policy says how much may be lost, but no --target of what")
    return _told(blank, found, threshold, "points that a model of the twin loses")


def attempts(case: Case) -> Outcome:
    """Whoever tries long enough passes by luck: tries are counted."""
    most, here = case.asked.attempts, case.attempts
    aside = "; counted in its folder alone, for the real table is no file beside which one can write" * case.aside
    return Outcome("G14", "attempts", PASS if here <= most else FAIL,
                   f"the {_nth(here)} twin of this table that was brought to the gate, of {most} that may be{aside}",
                   value=float(here), threshold=float(most))


def _nth(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")


def _people(finding: Finding) -> int | None:
    detail = finding.detail
    counts = [detail[name] for name in ("tries", "members", "rows") if name in detail]
    return int(counts[0]) if counts else None


#: in the order in which they are told
CHECKS: tuple[Callable[[Case], Outcome | None], ...] = (
    identifiers, rare, copies,
    _risk("G3", "singling_out", "predicates of the twin that single out one person"),
    _risk("G3", "linkability", "halves of a person that the twin links"),
    _risk("G4", "inference", "secrets that are guessed of those who were learned from"),
    membership, outliers, canaries, epsilon, alike, rows, shares,
    _amplified("label_gap", "amplified", "growth of the gap between groups in the outcome"),
    _amplified("downstream_gap", "amplified_model", "growth of the gap between groups in what a model decides"),
    _amplified("downstream_gap_odds", "amplified_model", "growth of the gap between groups in how often it is right"),
    useful, attempts,
)

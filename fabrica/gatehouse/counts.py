"""Tests of what is counted and known exactly: identifiers, what few people hold, an epsilon, rows, tries."""

from __future__ import annotations

from dataclasses import replace

from fabrica.gatehouse.case import Case
from fabrica.gatehouse.outcome import FAIL, INCONCLUSIVE, PASS, Outcome
from fabrica.gatehouse.rare import LONG, Rare
from fabrica.gatehouse.steps import larger
from fabrica.privacy.ledger import Ledger

__all__ = ["COPIED", "attempts", "epsilon", "identifiers", "nth", "overcounted", "rare", "rows", "unit"]

SURE = 3.09  #: standard deviations within which noise lies, but for one time in a thousand
COPIED, DOUBTED = 0.01, 0.1  #: chances of so many extremes: those are copies, and those might be


def identifiers(case: Case) -> Outcome:
    """No key or free text of a real person stands in the twin, but for what chance gives: of running numbers that are
    made within the range of real ones some are met, and as many as luck gives are no leak (``running.py``)."""
    hits, found = case.rare.texts, case.of("copies_keys")
    surely = [f.place[0] for f in found if f.place and (f.low or 0.0) > (f.floor or 0.0) and f.place[0] not in hits]
    places = [*(f"{count:,} of column {name!r}" for name, count in hits.items()), *(f"keys of {n!r}" for n in surely)]
    blank = Outcome("G0", "identifiers", PASS, "", value=float(sum(hits.values()) + len(surely)), threshold=0.0)
    if places:
        return replace(blank, verdict=FAIL, step=_afresh([*hits, *surely]),
                       why=f"texts or identifiers of real people stand in the twin: {', '.join(places)}")
    unknown = next((f for f in found or case.of("copies") if f.value is None and f.detail.get("keys") != 0), None)
    if unknown is not None:
        return replace(blank, verdict=INCONCLUSIVE, value=None,
                       why=f"whether keys are those of real people: {unknown.problem}")
    short = ", ".join(map(repr, case.rare.short[:5]))
    beside = f" (those in {short} of fewer than {LONG} characters are anybody's and not looked at)" if short else ""
    met = ", ".join(f"{count:,} of {name!r}" for name, count in case.rare.met.items())
    beside += f"; running numbers are met as often as luck gives: {met}" if met else ""
    return replace(blank, why=f"no text and no identifier of a real person stands in the twin beyond what chance gives"
                              f"{beside}")


def rare(case: Case) -> Outcome:
    """Nothing that fewer than k people hold stands in any file. Extremes that are met fail where luck gives so many
    less than one time in a hundred; where it is one in ten, or the outermost real one is met, nobody can tell."""
    found, k = case.rare, case.asked.k
    ends = [f"{_many(count, 'extreme')} of {name!r}" for name, count in found.ends.items()]
    copied = ends if found.luck < COPIED else []
    levels = [f"{_many(count, 'level')} of {name!r}" for name, count in found.levels.items()]
    places = [*levels, *copied, *case.files.found]
    hits = sum(found.levels.values()) + len(case.files.found) + (sum(found.ends.values()) if copied else 0)
    blank = Outcome("G1", "rare", PASS, "", value=float(hits), threshold=0.0, n=found.looked)
    if places:
        public = [what for what, there in (("levels", levels), ("bounds", copied)) if there]
        return replace(blank, verdict=FAIL, step=larger(case, k) + _public(public),
                       why=f"what fewer than {k} people hold stands in it: {', '.join(places[:5])}")
    if ends and (found.last or found.luck < DOUBTED):
        return replace(blank, verdict=INCONCLUSIVE, value=float(sum(found.ends.values())), why=_doubted(found, ends, k),
                       step=larger(case, 2 * k) + _public(["bounds"]))
    beside = f"; met as often as luck gives: {', '.join(ends[:5])}" if ends else ""
    left = [f"{count:,} {why}" for why, count in case.files.left.items()]
    unread = f" (not looked for in files: {', '.join(left)})" if left else ""
    kept = "no level and no text" if ends else "none"
    return replace(blank, why=f"of {_many(found.looked, 'value')} that fewer than {k} people hold {kept} stands in the "
                              f"twin, nor in its files{unread}{beside}")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _public(what: list[str]) -> str:
    """What a schema may say instead."""
    return f", or declare {' and '.join(what)} that everybody knows in a schema" * bool(what)


def _afresh(names: list[str]) -> str:
    """How columns whose real values stand in the twin are made anew."""
    some = ", ".join(map(repr, names[:3]))
    return (f"give {some} another form in a schema (kind: key, and a template such as 'X-########' that no real one "
            "has), or leave the column out")


def _doubted(found: Rare, ends: list[str], k: int) -> str:
    """Why extremes that stand in the twin are neither copies nor luck."""
    if found.luck < DOUBTED:
        return (f"{', '.join(ends[:5])} stand in the twin, and luck gives so many {100 * found.luck:.0f} times in a "
                "hundred: no more than that can be told")
    last = ", ".join(map(repr, found.last[:5]))
    return (f"the outermost real value of {last} stands in the twin, and the column has too few places beyond "
            f"the {k}th person to tell whether by luck")


def epsilon(case: Case) -> Outcome | None:
    """Differential privacy, where the tier asks for it, or what an expert has written instead."""
    most, here = case.asked.epsilon, case.epsilon
    if most is None:
        return None
    blank = Outcome("G8", "epsilon", PASS, "", value=here, threshold=most)
    step = f"learn with --epsilon {most:g} or less, or write an expert's determination into the policy"
    if here is not None:
        return replace(blank, verdict=PASS if here <= most else FAIL, step="" if here <= most else step,
                       why=f"learned with epsilon {here:.3g}, and {most:g} is accepted")
    if case.policy.determination:
        return replace(blank, why=f"no epsilon; an expert's determination stands for it: {case.policy.determination}")
    return replace(blank, verdict=FAIL, step=step, why="this tier asks for differential privacy, and there is none")


def unit(case: Case) -> Outcome:
    """People are counted, and not their rows. Where somebody's rows count as those of several people, a value of one
    person passes for one of many, and who was learned from is attacked beside their own rows: then nothing passes."""
    blank = Outcome("G15", "unit", PASS, "", value=0.0, threshold=0.0)
    if case.unit is not None and not case.several:
        return replace(blank, why=f"people are told apart by column {case.unit!r}, and counted, not their rows")
    if not case.several:
        return replace(blank, why="each row counts as another person; no column was recognised as telling of "
                                  "people with several")
    step = (f"learn and judge by people: --unit {case.several}, from `fabrica synth` on; or say `personal: none` "
            "of the column in a schema, where it names nobody")
    return replace(blank, verdict=INCONCLUSIVE, value=1.0, step=step,
                   why=f"people seem to have several rows (column {case.several!r}), and each row was counted as "
                       "another person")


def rows(case: Case) -> Outcome | None:
    """Not more rows than there are real ones: each further row tells a little more. Where they were counted through
    noise, not more than that may have counted: nobody who makes the twin knows how many they are."""
    ratio = case.asked.rows
    if ratio is None:
        return None
    each = case.rows / max(1, case.real_rows + case.noise)
    beside = f", of which noise may have counted {case.noise:,.0f} more" if case.noise else ""
    return Outcome("G11", "rows", PASS if each <= ratio else FAIL,
                   f"{_many(case.rows, 'row')} for {case.real_rows:,} real ones{beside}", value=each, threshold=ratio)


def overcounted(ledger: Ledger | None, whole: int, own: int) -> float:
    """How many rows more than the ``whole`` table has a twin may have by noise that was paid for, but for one time in a
    thousand: the ``own`` rows that were learned from are counted through it, and as many more in proportion held back.

    >>> overcounted(None, 1_000, 700)
    0.0
    """
    return 0.0 if ledger is None else SURE * ledger.spread("rows") * whole / max(1, own)


def attempts(case: Case) -> Outcome:
    """Whoever tries long enough passes by luck: tries are counted, and each keeps its number (``attempts.py``)."""
    most, here = case.asked.attempts, case.attempts
    left = "" if here > most else "; it is the last" if here == most else f"; {most - here} more may be"
    aside = f"; {case.aside}" if case.aside else ""
    return Outcome("G14", "attempts", PASS if here <= most else FAIL,
                   f"the {nth(here)} twin of this table that was brought to the gate, of {most} that may be{left}"
                   f"{aside}", value=float(here), threshold=float(most))


def nth(number: int) -> str:
    """The place in an order, in words or figures.

    >>> nth(2), nth(21), nth(112)
    ('second', '21st', '112th')
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}{ending}")

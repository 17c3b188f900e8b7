"""A guided search over an engine's settings: trials on halves of the table, each where the ones before were good.

The search is a library's (tree-structured Parzen estimators; Bergstra, Bardenet, Bengio, Kégl, NeurIPS 2011; the extra
`tune`); the ranges are those that each setting is annotated with; the judge is ``trial.py``'s, as for `auto`. It looks
for the twin that passes best for rows that nobody learned from and whose attack is not surely above the cap. Whoever
wins among many has had luck: the finalists and the defaults are tried once more with the halves exchanged (two-fold
cross-validation; Stone 1974), and only what is better than the defaults there by more than its error is told.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fabrica.block import Block
from fabrica.contract import Chooser, Engine
from fabrica.errors import FabricaError, SettingError
from fabrica.memory import Memory, read, write
from fabrica.run import Run
from fabrica.trial import JUDGING, LEAST, Cap, Court, Trial, fingerprint, halves, tried
from fabrica.way import Way

__all__ = ["Attempt", "Tuned", "flags", "save", "search"]

FIRST = 6  #: attempts at random before the search is guided
FINALISTS = 2  #: that are tried once more, besides what there was before the search
SURE = 2.24 * 1.3  #: standard errors of the difference by which one must be better: by luck one of two is so 1 time in
#: 40; the errors told leave out the luck of learning, which made trials of one engine scatter 1.2 to 1.4 times as much
WIDE = 10.0  #: times that a range must grow to be searched on a logarithmic scale
SHOWN = 10  #: attempts that are told in words


@dataclass(frozen=True)
class Attempt:
    """Settings that differ from what they were before the search, how they did, and how they did with the halves
    exchanged (None: not a finalist)."""

    settings: Mapping[str, Any]
    trial: Trial
    again: Trial | None = None

    def words(self) -> str:
        own = ", ".join(f"{name}={value}" for name, value in self.settings.items()) or "as they are"
        tried_again = "" if self.again is None else f", {self.again.c2st:.3f} with the halves exchanged"
        return (f"{own}: C2ST {self.trial.c2st:.3f} ± {self.trial.c2st_error:.3f}{tried_again}, attack "
                f"{self.trial.attack:.3f} ± {self.trial.attack_error:.3f}, {self.trial.seconds:.1f} s"
                + self.trial.short())

    def to_json(self) -> dict[str, object]:
        return {"settings": dict(self.settings), "trial": self.trial.to_json(),
                "again": None if self.again is None else self.again.to_json()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Attempt:
        """Read and check; whatever is no attempt is a ``ValueError``, ``LookupError`` or ``TypeError``."""
        again = plain["again"]
        return cls(dict(plain["settings"]), Trial.from_json(plain["trial"]),
                   None if again is None else Trial.from_json(again))


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    engine : its name. settings : what to give it besides its defaults: where the search began, with what was surely
    better. attempts : best first. cap : that was kept to.
    """

    engine: str
    settings: Mapping[str, Any]
    attempts: tuple[Attempt, ...]
    cap: Cap = field(default_factory=Cap)

    def flags(self) -> str:
        """As the words of a command line."""
        own = [f"--{name.replace('_', '-')} {value}" for name, value in self.settings.items()]
        return " ".join([f"--engine {self.engine}", *own])

    def words(self) -> list[str]:
        """A line for what was found, then those of the best attempts and of the settings as they are."""
        fine = [a for a in self.attempts if not self.cap.exceeded(a.trial)]
        refused = len(self.attempts) - len(fine)
        shown = fine[:SHOWN]
        before = [a for a in self.attempts if not a.settings and a not in shown]
        lines = [attempt.words() for attempt in [*shown, *before]]
        others = len([a for a in fine if a not in shown and a not in before])
        more = [f"and {others} that were not better"] if others else []
        close = [f"{refused} refused, since their twins surely came too close to people"] if refused else []
        return [self._found(), *lines, *more, *close]

    def _found(self) -> str:
        """What came out of it."""
        if self.attempts[0].settings:
            return f"best: {self.flags()}"
        own = f"the settings of {self.engine} as they are"
        if len(self.attempts) == 1:
            return f"there was time for {own} only: give a larger --budget"
        if self.cap.exceeded(self.attempts[0].trial):
            return f"{own} come too close to people, and nothing was found that does not"
        return f"nothing was surely better than {own}"

    def to_json(self) -> dict[str, object]:
        return {"engine": self.engine, "settings": dict(self.settings),
                "attempts": [attempt.to_json() for attempt in self.attempts]}


def search(rows: Block, name: str, engine: Engine, run: Run, cap: Cap, memory: str | Path | None = None) -> Tuned:
    """Try settings of ``engine`` until the run's budget is used up; as it is it is the first attempt.

    ``memory`` is a file that attempts are written to, to go on from after a kill.

    Raises
    ------
    SettingError : the library is not installed, the engine has nothing to search over, the rows are too few, the run
        has no budget, or the memory is of another table, seed or settings.
    """
    ranges = _ranges(name, engine)
    if math.isinf(run.left()):
        raise SettingError("a search needs a budget", where="tune", hint="say for example --budget 5m")
    if len(rows) < 2 * LEAST:
        raise SettingError(f"a search needs at least {2 * LEAST} rows", where="tune")
    one, other = halves(rows, run.child("halves"))
    notes = Memory(memory, fingerprint(rows, run, name, repr(engine), repr(cap)), Attempt.from_json)
    attempts = _attempts(name, engine, ranges, Court.of(one, other, run.child("court")), run, cap, notes)
    finalists = _finalists(attempts, cap)
    exchanged = Court.of(other, one, run.child("exchanged"))
    for number, attempt in enumerate(finalists):
        run.tell(number, len(finalists), "trying the best once more with the halves exchanged")
        part = max(1.0, run.left() / (len(finalists) - number))
        here = run.child("again").child(number).within(part).under("trying the best once more")
        again = attempt.again or tried(name, _with(engine, attempt.settings), exchanged, here)
        attempts[attempts.index(attempt)] = finalists[number] = replace(attempt, again=again)
        notes.keep(attempts)
    best = _best(finalists, cap)
    rest = sorted((a for a in attempts if a is not best), key=lambda a: (cap.exceeded(a.trial), -a.trial.c2st))
    return Tuned(name, {**engine.changed(), **best.settings}, (best, *rest), cap)


def save(tuned: Tuned, before: Mapping[str, Any], path: str | Path) -> None:
    """Write what was found into the memory of the search; ``before`` are the settings that it began with."""
    found = {"engine": tuned.engine, "settings": {**before, **tuned.settings}}
    write(path, {**found, **read(path)})


def flags(path: str | Path) -> list[str]:
    """The words of a command line by which the settings of a file that ``save`` has written are used.

    Raises
    ------
    FabricaError : the file cannot be read, is of something else or of a search that has not ended, or tells of an
        engine or settings that there are not.
    """
    plain = read(path)
    if "engine" not in plain and "tried" in plain:
        raise SettingError("the search has not ended", where=str(path), hint="run fabrica tune again with the same -o")
    engine, settings = plain.get("engine"), plain.get("settings")
    if not isinstance(engine, str) or not isinstance(settings, dict):
        raise SettingError("it is not what fabrica tune writes, or it is damaged", where=str(path))
    try:
        Way.of(engine, settings)
    except FabricaError as error:
        raise error.at(str(path)) from None
    return ["--engine", engine, *(word for name, value in settings.items() for word in ("--set", f"{name}={value}"))]


def _ranges(name: str, engine: Engine) -> dict[str, Any]:
    """Setting -> the library's distribution over its range."""
    if find_spec("optuna") is None:
        raise SettingError("a search needs optuna, which is not installed", where="tune",
                           hint="pip install 'fabrica[tune]'")
    from optuna import distributions, logging

    logging.set_verbosity(logging.WARNING)
    found: dict[str, Any] = {}
    for setting, (kind, told, _) in engine.settings().items():
        if not told.search:
            continue
        if kind is str:
            found[setting] = distributions.CategoricalDistribution(told.search)
            continue
        low, high = told.search
        numbers = distributions.IntDistribution if kind is int else distributions.FloatDistribution
        found[setting] = numbers(low, high, log=low > 0 and high / low >= WIDE)
    if not found or isinstance(engine, Chooser):
        raise SettingError("has no settings to search over", where=f"engine {name}")
    return found


def _attempts(name: str, engine: Engine, ranges: Mapping[str, Any], court: Court, run: Run, cap: Cap,
              notes: Memory[Attempt]) -> list[Attempt]:
    """The engine as it is, then whatever the search proposes, as long as there is time for one more and the finals."""
    import optuna

    attempts = [attempt for attempt in notes.known() if not attempt.trial.cut]  # with more time it may do better
    if attempts and attempts[0].settings:  # the engine as it is was cut: the search begins anew
        attempts = []
    notes.keep(attempts)  # whether it can be written is known before hours are spent
    seed = run.child(f"search{len(attempts)}").key() % 2**32  # a search that goes on does not propose the same again
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=FIRST))
    for attempt in attempts:
        _tell(study, engine, ranges, attempt, cap)
    taken, budget = [a.trial.seconds + JUDGING for a in attempts], run.left()
    first = len(attempts)  # while it runs, kernels are compiled

    def done() -> float:
        return 1 - run.left() / budget

    if not budget and not attempts:
        raise SettingError("the budget was used up before the first attempt", where="tune", hint="give a larger one")
    while True:
        began, usual = time.monotonic(), sorted(taken)[len(taken) // 2] if taken else 0.0
        run.tell(len(attempts), len(attempts) + run.left() / max(usual, 1e-3), _news(attempts, cap))
        if attempts and run.left() < (FINALISTS + 2) * usual:
            return attempts
        proposed = _proposed(study, ranges) if attempts else {}
        settings = {s: _short(v) for s, v in proposed.items() if v != getattr(engine, s)}
        here = run.child(f"attempt{len(attempts)}").within(max(1.0, run.left() / 2)).under(_news(attempts, cap), done)
        attempts.append(Attempt(settings, tried(name, _with(engine, settings), court, here)))
        _tell(study, engine, ranges, attempts[-1], cap)
        elapsed, guess = time.monotonic() - began, attempts[-1].trial.seconds + JUDGING
        taken.append(min(guess, elapsed) if len(attempts) == first + 1 else elapsed)
        notes.keep(attempts)


def _proposed(study: Any, ranges: Mapping[str, Any]) -> dict[str, Any]:
    """What the search would try next. What is tried is told it as an attempt of its own, since numbers are rounded."""
    import optuna

    asked = study.ask(dict(ranges))
    study.tell(asked, state=optuna.trial.TrialState.FAIL)
    return dict(asked.params)


def _tell(study: Any, engine: Engine, ranges: Mapping[str, Any], attempt: Attempt, cap: Cap) -> None:
    """Tell the search of an attempt, unless a setting lies outside its range (such as 0 for "by the table")."""
    import optuna

    params = {s: attempt.settings.get(s, getattr(engine, s)) for s in ranges}
    if all(isinstance(v, str) or ranges[s].low <= v <= ranges[s].high for s, v in params.items()):
        study.add_trial(optuna.trial.create_trial(
            params=params, distributions=dict(ranges), value=attempt.trial.c2st,
            constraints={"attack": 1.0 if cap.exceeded(attempt.trial) else -1.0}))


def _with(engine: Any, settings: Mapping[str, Any]) -> Engine:
    changed: Engine = replace(engine, **settings)
    return changed


def _short(value: Any) -> Any:
    """A number as a person would write it.

    >>> _short(0.0123456), _short(37)
    (0.0123, 37)
    """
    return float(f"{value:.3g}") if isinstance(value, float) else value


def _finalists(attempts: Sequence[Attempt], cap: Cap) -> list[Attempt]:
    """The engine as it is, then the best of those that keep to the cap."""
    fine = [a for a in attempts[1:] if not cap.exceeded(a.trial)]
    return [attempts[0], *sorted(fine, key=lambda a: -a.trial.c2st)[:FINALISTS]]


def _best(finalists: Sequence[Attempt], cap: Cap) -> Attempt:
    """The finalist that is best with the halves exchanged, where no luck has chosen it; the first, unless that is
    surely worse or comes too close to people."""
    first, *others = finalists
    fine = [a for a in others if a.again is not None and not cap.exceeded(a.again)]
    if not fine:
        return first
    best = max(fine, key=lambda a: _again(a).c2st)
    one, other = _again(best), _again(first)
    sure = one.c2st - other.c2st > SURE * math.hypot(one.c2st_error, other.c2st_error)
    return best if sure or cap.exceeded(first.trial) else first


def _again(attempt: Attempt) -> Trial:
    """The trial with the halves exchanged."""
    return attempt.again or attempt.trial


def _news(attempts: Sequence[Attempt], cap: Cap) -> str:
    fine = [a.trial.c2st for a in attempts if not cap.exceeded(a.trial)]
    return f"attempt {len(attempts) + 1}" + (f", best so far C2ST {max(fine):.3f}" if fine else "")

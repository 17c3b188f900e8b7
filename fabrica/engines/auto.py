"""Auto: try the engines on halves of the table, cheap ones first, and take the best that keeps its distance to people.

Each rival learns one half. What counts is how well its twin passes for the half that nobody learned from, under a
cap on how well the twin tells its members from others (``trial.py``). Rivals whose expected time no longer fits into
what is left are not begun. The winner then learns all rows. It is model selection on held-out rows (Stone 1974),
with closeness as a constraint and not as a footnote.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np

from fabrica.block import Block
from fabrica.contract import Choice, Chooser, Engine, Model, Setting
from fabrica.errors import SettingError, UnknownName
from fabrica.memory import Memory
from fabrica.run import Run
from fabrica.trial import JUDGING, LEAST, MOST, Cap, Court, Trial, fingerprint, halves, tried

__all__ = ["Auto"]

CLOSE = 0.01  #: C2ST within which two rivals count as equally good, if its error is not larger; then the one farther
#: from people wins
SAFER, SHARPER = " (safer)", " (sharper)"  #: what is said behind an engine's name where its settings were made so
PACES, FEW = (0.3, 3.0), 3  #: times that engines may take as long here as their costs say; trials that tell it
WIDE = 100  #: columns above which only a tree of pairs is measured under an epsilon
SIMPLE = "trees"  #: what learns a table that is too small to be tried on


@dataclass(frozen=True)
class Auto(Engine, Chooser):
    """The best of the others."""

    title = "the best of the others for this table inside --budget (60 s), by trials on halves; none surely too close"
    private = "can"
    source = "Stone, JRSS B 36(2), 1974; Lopez-Paz and Oquab, ICLR 2017"

    cap: Annotated[
        float, Setting("AUC that a trial's attack may not exceed by more than its error", low=0.5, high=1)] = 0.515
    outliers: Annotated[
        float, Setting("the same for the attack on those who stand out", low=0.5, high=1)] = 0.54
    time: Annotated[float, Setting("seconds to choose and learn where no budget is given", low=1, high=1e6)] = 60.0
    among: Annotated[str, Setting("names of the engines to try, with commas; empty: all")] = ""
    memory: Annotated[str, Setting("file that remembers trials, to go on from after a kill; empty: none")] = ""
    rivals: Mapping[str, Engine] = field(default_factory=dict)

    def fit(self, rows: Block, given: Block | None, run: Run) -> Model:
        choice = self.choose(rows, run.child("choose"))
        return choice.engine.fit(rows, given, run.child("fit").within(choice.seconds))

    def choose(self, rows: Block, run: Run) -> Choice:
        rivals = self._asked()
        if run.private:
            return self._privately(rivals, len(rows.columns))
        if len(rows) < 2 * LEAST or not rows.columns:
            name = SIMPLE if SIMPLE in rivals else next(iter(rivals))
            return Choice(name, rivals[name], (f"auto took {name}: too few rows to try engines on",))
        run = run.within(self.time) if math.isinf(run.left()) else run
        entered = _sharp(rivals)
        trials = self._trials(entered, rows, run)
        best = chosen(trials, self._cap)
        lines = [trial.words() + (", refused" if self._cap.exceeded(trial) else "")
                 for trial in sorted(trials, key=lambda t: -t.c2st)]
        skipped = sorted(set(entered) - {trial.name for trial in trials})
        more = [f"not tried, since they would take longer than was left: {', '.join(skipped)}"] if skipped else []
        left = max(1.0, run.left())
        if best.seconds * len(rows) > left * min(len(rows), MOST) / 2:
            more.append("little time is left for learning all rows: give a larger --budget")
        told = (self._why(best), *self._refused(best, trials, entered), *lines, *more)
        return Choice(_plain(best.name), entered[best.name], told, left)

    def _privately(self, rivals: Mapping[str, Engine], columns: int) -> Choice:
        """Under an epsilon trials would cost; what everybody may know decides: how many columns there are."""
        wanted = "mst" if columns > WIDE else "aim"
        name = wanted if wanted in rivals else next(iter(rivals))
        why = f"auto took {name}: " + (f"of more than {WIDE} columns most pairs would be lost in noise" if name == "mst"
                                       else "under an epsilon it keeps most of what the budget can measure")
        return Choice(name, rivals[name], (why,))

    @property
    def _cap(self) -> Cap:
        return Cap(self.cap, self.outliers)

    def _asked(self) -> dict[str, Engine]:
        """The rivals that were asked for, the cheap ones first."""
        wanted = [name.strip() for name in self.among.split(",") if name.strip()] or list(self.rivals)
        for name in wanted:
            if name not in self.rivals:
                raise UnknownName("engine to try", name, list(self.rivals))
        if not wanted:
            raise SettingError("there is no engine to choose from", where="engine auto")
        return dict(sorted(((n, self.rivals[n]) for n in wanted), key=lambda item: item[1].cost))

    def _trials(self, rivals: dict[str, Engine], rows: Block, run: Run) -> list[Trial]:
        """Each rival that fits into the time, and where one comes too close, its safer settings after it, which then
        are one of the ``rivals`` too."""
        members, others = halves(rows, run.child("halves"))
        court = Court.of(members, others, run.child("court"))
        notes = Memory(self.memory, fingerprint(rows, run, sorted(map(repr, self.rivals.values()))), Trial.from_json)
        known = {trial.name: trial for trial in notes.known() if not trial.cut}  # with more time it may do better
        notes.keep(list(known.values()))  # whether it can be written is known before hours are spent
        trials: list[Trial] = []
        waiting, part = list(rivals.items()), len(members) / (len(members) + len(rows))
        paces: list[float] = []
        while waiting:
            name, engine = waiting.pop(0)
            pace = float(np.clip(np.median(paces), *PACES)) if len(paces) >= FEW else 1.0
            due = pace * (engine.cost * 1e-6 * len(rows.columns) * len(rows) / (1 - part) + 2 * engine.start) + JUDGING
            run.tell(len(trials), len(trials) + 1 + len(waiting),
                     f"trying {name}: about {due:.0f} s with all rows, {run.left():.0f} s left")
            if name not in known and trials and due > run.left():
                continue
            here = run.child(name).within(max(1.0, run.left() * part)).under(f"trying {name}")
            if name not in known:
                half = engine.cost * 1e-6 * len(members.columns) * len(members) + engine.start
                known[name] = tried(name, engine, court, here)
                paces.append(known[name].seconds / half)
            trials.append(known[name])
            notes.keep(list(known.values()))
            safer = engine.safer() if self._cap.exceeded(trials[-1]) else None
            if safer is not None:
                rivals[name + SAFER] = safer
                waiting.insert(0, (name + SAFER, safer))
        return trials

    def _why(self, best: Trial) -> str:
        if not self._cap.exceeded(best):
            return (f"auto took {best.name}: the best twin of those whose attack is not surely above {self.cap:g} "
                    f"({self.outliers:g} on those who stand out)")
        return (f"auto took {best.name}: no twin kept the attack under {self.cap:g} ({self.outliers:g}), this one came "
                f"closest ({best.attack:.3f})")

    def _refused(self, best: Trial, trials: list[Trial], entered: Mapping[str, Engine]) -> list[str]:
        """What a person should know who would rather have the sharpest twin."""
        sharpest = max(trials, key=lambda trial: trial.c2st)
        if sharpest.c2st <= best.c2st + max(CLOSE, best.c2st_error):
            return []
        return [f"sharper was {sharpest.name} (C2ST {sharpest.c2st:.3f}), refused for its attack; a higher --cap or "
                f"--outliers allows it, and so does {_words(_plain(sharpest.name), entered[sharpest.name])}"]


def _sharp(rivals: Mapping[str, Engine]) -> dict[str, Engine]:
    """The rivals as sharp as they can be, by the names under which they are tried."""
    found = {}
    for name, engine in rivals.items():
        sharper = engine.sharper()
        found.update({name: engine} if sharper is None else {name + SHARPER: sharper})
    return found


def _words(name: str, engine: Engine) -> str:
    """The flags of a command line by which an engine is had."""
    return " ".join([f"--engine {name}", *(f"--{setting} {value}" for setting, value in engine.changed().items())])


def _plain(name: str) -> str:
    """The name of an engine without what was said of its settings."""
    return name.partition(" ")[0]


def chosen(trials: list[Trial], cap: Cap) -> Trial:
    """The best twin that is not surely above a cap: of those about as good as the best, the one farthest from its
    members; where all are above the cap, the one that comes closest to it."""
    fine = [trial for trial in trials if not cap.exceeded(trial)]
    if not fine:
        return min(trials, key=lambda t: t.attack)
    best = max(fine, key=lambda trial: trial.c2st)
    alike = best.c2st - max(CLOSE, best.c2st_error)
    nats = {t.name: -math.inf if t.likelihood is None else t.likelihood for t in fine}
    return min((t for t in fine if t.c2st >= alike), key=lambda t: (t.attack, -nats[t.name]))

"""A way to learn: an engine with its settings, and the settings of the codecs, each handed to whom it belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fabrica import catalog, private
from fabrica.account import spend
from fabrica.contract import NAMES, Chooser, Engine
from fabrica.counted import Counted
from fabrica.crowd import whose
from fabrica.dataset import Dataset
from fabrica.errors import SettingError, UnknownName
from fabrica.inference.facts import K
from fabrica.model import TableModel, learn
from fabrica.privacy.ledger import Ledger
from fabrica.privacy.terms import Privacy
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.vouched import ready

__all__ = ["Way", "settings_from"]

MOSTLY = 0.5  #: of the cells of a column that say nothing, from which it is noted
MOST = 10_000  #: rows that may have to stand behind whatever is learned


@dataclass(frozen=True)
class Way:
    """How to learn.

    >>> Way.of("independent", {"k": 10}).codecs
    {'k': 10}
    """

    name: str
    engine: Engine
    codecs: Mapping[str, Any]
    unit: str | None = None  #: the column that says whose rows they are
    people: int = 0  #: of them who must hold a level, where one does; ``k`` are rows that no fewer people have

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], target: str | None = None, private: bool = False) -> Way:
        """Hand each setting to whom it belongs, and refuse what nobody knows, before anything is read. Engines that
        have a ``target`` among their settings are told of that of the job; ``private``: noise alone will tell."""
        engine = catalog.get("engines", name)
        rivals = _rivals(name, str(settings.get("among", "")), private) if issubclass(engine, Chooser) else {}
        known = {s for kind in coders() for s in kind.settings()}
        learners = {s for kind in (engine, *rivals.values()) for s in kind.settings()}
        if target and "target" in learners:
            settings = {"target": target, **settings}
        for setting in settings:
            if setting not in learners and setting not in known:
                raise UnknownName("setting", setting, sorted({*learners, *known}), where=f"engine {name}")
        _demand_one_meaning([s for s in settings if s not in known], rivals)
        rest = {s: v for s, v in settings.items() if s in known}
        for kind in coders():
            _set(kind, settings)
        made = _set(engine, settings)
        if rivals:
            made = replace(made, rivals={n: _set(kind, settings) for n, kind in rivals.items()})
        return cls(name, made, rest)

    @property
    def k(self) -> int:
        """Rows that whatever is written down must stand for."""
        return int(self.codecs.get("k", K))

    def of_units(self, unit: str, rows: int) -> Way:
        """The same way where so many rows stand for what ``k`` rows did, because people have several: the column
        ``unit`` says whose they are. Levels are told that ``k`` people hold, however few rows those are.

        Raises
        ------
        SettingError : hardly anything is held by so many.
        """
        if rows > MOST:
            raise SettingError(f"some have so many rows that whatever is learned would have to stand in {rows:,}; "
                               f"{MOST:,} is the most", where="unit",
                               hint="leave rows of those out who have the most, or take a smaller k")
        engine = _standing_for(self.engine, rows)
        if isinstance(self.engine, Chooser):
            rivals = {n: _standing_for(one, rows) for n, one in self.engine.rivals.items()}
            engine = replace(engine, rivals=rivals)
        return replace(self, engine=engine, codecs={**self.codecs, "k": rows}, unit=unit, people=self.k)

    def learn(self, dataset: Dataset, table: Table, run: Run, notes: Sequence[str] = ()) -> TableModel:
        """The model; ``notes`` on the guesses that matter stay with it."""
        model = learn(dataset, table, self.engine, run.child("fit"), name=self.name, unit=self.unit,
                      people=self.people, **self.codecs)
        return replace(model, facts={**model.facts, "notes": [*notes, *self._mute(model, dataset)]})

    def _mute(self, model: TableModel, dataset: Dataset) -> list[str]:
        """A line each on the columns that come out empty, and on those of which little is left."""
        lost = model.encoder.lost()
        empty = [name for name, share in lost.items() if share >= 1]
        poor = [name for name, share in lost.items() if MOSTLY <= share < 1]
        if not empty and not poor:
            return []
        behind = (f"{self.k:,} of the {model.facts['rows']:,} rows" if self.unit is None else
                  f"{self.people:,} of the {len(whose(dataset, self.unit)):,} people")
        step = "learn from more people, with a smaller k, or leave them out"
        said = ((empty, "come out empty, for fewer than {} hold any one of their values: {}"),
                (poor, f"keep less than {1 - MOSTLY:.0%} of their cells, for fewer than {{}} hold each of the other "
                       "values, in whose place a common one stands: {}"))
        return [f"columns that {what.format(behind, _named(names))}; {step}" for names, what in said if names]

    def learn_privately(self, dataset: Counted, schema: Any, terms: Privacy, run: Run,
                        account: str | Path | None = None) -> TableModel:
        """The model under terms of privacy; ``schema`` is what is declared and with that public, ``account`` the file
        that says how much all looks at the source together may cost."""
        run = run.child("fit")
        table = ready(dataset, schema, self.engine, self.name, terms, run)

        def job(beside: Ledger | None = None) -> TableModel:
            return private.learned(table, self.engine, self.name, terms, run, beside, **self.codecs)

        if account is None:
            return job()
        return spend(Path(account), terms, f"{self.name} of {dataset.name}", job, ledger_of)


def _named(names: Sequence[str]) -> str:
    """The first of some columns."""
    return ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _standing_for(engine: Any, rows: int) -> Any:
    """An engine whose own ``k``, if it has one, is so many rows."""
    return replace(engine, k=rows) if "k" in engine.settings() else engine


def ledger_of(model: TableModel) -> Ledger:
    """What a private model has cost."""
    assert model.ledger is not None
    return model.ledger


def _set(kind: Any, settings: Mapping[str, Any]) -> Any:
    """An engine or codec with those of the settings that are its own."""
    return kind.with_settings({s: v for s, v in settings.items() if s in kind.settings()})


def _rivals(name: str, among: str, private: bool = False) -> dict[str, Any]:
    """The classes of the engines that a chooser chooses from: those named in ``among`` (with commas), else all that can
    learn here, through noise alone if ``private``, and are meant to be chosen."""
    wanted = [one.strip() for one in among.split(",") if one.strip()]
    kinds = {n: catalog.get("engines", n) for n in wanted or catalog.names("engines") if n != name}
    return {n: kind for n, kind in kinds.items() if not issubclass(kind, Chooser)
            and kind.private != ("never" if private else "always")
            and (wanted or (not kind.baseline and all(find_spec(package) for package in kind.needs)))}


def _demand_one_meaning(settings: Sequence[str], rivals: Mapping[str, Any]) -> None:
    """Refuse a setting that says one thing to one rival and another to the next."""
    for setting in settings:
        owners = {n: kind.settings()[setting][1].help for n, kind in rivals.items() if setting in kind.settings()}
        if len(set(owners.values())) > 1:
            raise SettingError(f"means different things to {' and '.join(sorted(owners))}",
                               where=f"setting {setting!r}", hint="name with `among` the engines that it is for")


def coders() -> list[Any]:
    """The classes of all codecs."""
    return [catalog.get("codecs", name) for name in catalog.names("codecs")]


def settings_from(engine: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """The texts of a command line as values of the settings of an engine and of the codecs."""
    own = catalog.get("engines", engine)
    rivals = _rivals(engine, texts.get("among", "")) if issubclass(own, Chooser) else {}
    ways = (*coders(), *rivals.values(), own)
    known = {s: told for way in ways for s, told in way.settings().items()}
    return {name: _value(name, text, known[name][0]) if name in known else text for name, text in texts.items()}


def _value(name: str, text: str, kind: type) -> Any:
    words = {"true": True, "yes": True, "false": False, "no": False}
    try:
        if kind is bool:
            return words[text.lower()]
        return int(float(text)) if kind is int and float(text).is_integer() else kind(text)
    except (ValueError, KeyError, OverflowError):
        raise SettingError(f"must be {NAMES.get(kind, kind.__name__)}", where=f"setting {name!r}") from None

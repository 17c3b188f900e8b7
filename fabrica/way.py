"""A way to learn: an engine with its settings, and the settings of the codecs, each handed to whom it belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from fabrica import catalog
from fabrica.contract import Chooser, Engine
from fabrica.dataset import Dataset
from fabrica.errors import SettingError, UnknownName
from fabrica.inference.facts import K
from fabrica.model import TableModel, learn
from fabrica.run import Run
from fabrica.schema import Table

__all__ = ["Way", "settings_from"]


@dataclass(frozen=True)
class Way:
    """How to learn.

    >>> Way.of("independent", {"k": 10}).codecs
    {'k': 10}
    """

    name: str
    engine: Engine
    codecs: Mapping[str, Any]

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any]) -> Way:
        """Hand each setting to whom it belongs, and refuse what nobody knows, before anything is read."""
        engine = catalog.get("engines", name)
        rivals = _rivals(name) if issubclass(engine, Chooser) else {}
        known = {s for kind in coders() for s in kind.settings()}
        learners = {s for kind in (engine, *rivals.values()) for s in kind.settings()}
        for setting in settings:
            if setting not in learners and setting not in known:
                raise UnknownName("setting", setting, sorted({*learners, *known}), where=f"engine {name}")
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

    def learn(self, dataset: Dataset, table: Table, run: Run, notes: Sequence[str] = ()) -> TableModel:
        """The model; ``notes`` on the guesses that matter stay with it."""
        model = learn(dataset, table, self.engine, run.child("fit"), name=self.name, **self.codecs)
        return replace(model, facts={**model.facts, **({"notes": list(notes)} if notes else {})})


def _set(kind: Any, settings: Mapping[str, Any]) -> Any:
    """An engine or codec with those of the settings that are its own."""
    return kind.with_settings({s: v for s, v in settings.items() if s in kind.settings()})


def _rivals(name: str) -> dict[str, Any]:
    """The classes of the engines that a chooser chooses from: all that can learn here and are meant to be chosen."""
    kinds = {n: catalog.get("engines", n) for n in catalog.names("engines") if n != name}
    return {n: kind for n, kind in kinds.items() if not kind.baseline and not issubclass(kind, Chooser)
            and all(find_spec(package) for package in kind.needs)}


def coders() -> list[Any]:
    """The classes of all codecs."""
    return [catalog.get("codecs", name) for name in catalog.names("codecs")]


def settings_from(engine: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """The texts of a command line as values of the settings of an engine and of the codecs."""
    own = catalog.get("engines", engine)
    ways = (*coders(), *(_rivals(engine).values() if issubclass(own, Chooser) else ()), own)
    known = {s: told for way in ways for s, told in way.settings().items()}
    return {name: _value(name, text, known[name][0]) if name in known else text for name, text in texts.items()}


def _value(name: str, text: str, kind: type) -> Any:
    words = {"true": True, "yes": True, "false": False, "no": False}
    try:
        if kind is bool:
            return words[text.lower()]
        return int(float(text)) if kind is int and float(text).is_integer() else kind(text)
    except (ValueError, KeyError, OverflowError):
        raise SettingError(f"must be {kind.__name__}", where=f"setting {name!r}") from None

"""A way to learn: an engine with its settings, and the settings of the codecs, each handed to whom it belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fabrica import catalog
from fabrica.contract import Engine
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
        known = {s: kind for kind in coders() for s in kind.settings()}
        for setting in settings:
            if setting not in engine.settings() and setting not in known:
                raise UnknownName("setting", setting, sorted({*engine.settings(), *known}), where=f"engine {name}")
        own = {s: v for s, v in settings.items() if s in engine.settings()}
        rest = {s: v for s, v in settings.items() if s in known}
        for kind in coders():
            kind.with_settings({s: v for s, v in rest.items() if s in kind.settings()})
        return cls(name, engine.with_settings(own), rest)

    @property
    def k(self) -> int:
        """Rows that whatever is written down must stand for."""
        return int(self.codecs.get("k", K))

    def learn(self, dataset: Dataset, table: Table, run: Run, notes: Sequence[str] = ()) -> TableModel:
        """The model; ``notes`` on the guesses that matter stay with it."""
        model = learn(dataset, table, self.engine, run.child("fit"), name=self.name, **self.codecs)
        return replace(model, facts={**model.facts, **({"notes": list(notes)} if notes else {})})


def coders() -> list[Any]:
    """The classes of all codecs."""
    return [catalog.get("codecs", name) for name in catalog.names("codecs")]


def settings_from(engine: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """The texts of a command line as values of the settings of an engine and of the codecs."""
    known = {s: told for way in (*coders(), catalog.get("engines", engine)) for s, told in way.settings().items()}
    return {name: _value(name, text, known[name][0]) if name in known else text for name, text in texts.items()}


def _value(name: str, text: str, kind: type) -> Any:
    words = {"true": True, "yes": True, "false": False, "no": False}
    try:
        if kind is bool:
            return words[text.lower()]
        return int(float(text)) if kind is int and float(text).is_integer() else kind(text)
    except (ValueError, KeyError, OverflowError):
        raise SettingError(f"must be {kind.__name__}", where=f"setting {name!r}") from None

"""What was learned, in arrays and plain values only, so that a model can be stored without code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

__all__ = ["State"]


@dataclass(frozen=True)
class State:
    """``plain`` holds what JSON can hold; ``arrays`` holds numpy arrays of numbers.

    >>> inner = State({"k": 5}, {"edges": np.arange(3.0)})
    >>> outer = State.nest({"age": inner})
    >>> outer.part("age").plain["k"], sorted(outer.arrays)
    (5, ['age/edges'])
    """

    plain: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def nest(cls, parts: Mapping[str, State], plain: Mapping[str, Any] | None = None) -> State:
        """One state out of many, each under its name (which may not contain a slash)."""
        arrays = {f"{name}/{key}": value for name, part in parts.items() for key, value in part.arrays.items()}
        return cls({**(plain or {}), "parts": {name: dict(part.plain) for name, part in parts.items()}}, arrays)

    def part(self, name: str) -> State:
        """The state that was nested under ``name``."""
        return State(self.plain["parts"][name], self._grouped.get(name, {}))

    @cached_property
    def _grouped(self) -> dict[str, dict[str, np.ndarray]]:
        """part -> its arrays: sorted once, since a table may have ten thousand columns."""
        groups: dict[str, dict[str, np.ndarray]] = {}
        for key, value in self.arrays.items():
            name, slash, rest = key.partition("/")
            if slash:
                groups.setdefault(name, {})[rest] = value
        return groups

"""How many people are alone with what they have: fewer, the more people there are.

Among ten times as many people more have somebody who is like them, so a share of a sample says too much of the whole.
It is measured among some people and among half of them; beyond, it goes on falling as a power of their number, as it
did from the half to all of them. What rises with their number, such as who stands in a twin by luck, goes on so too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

__all__ = ["Falling"]


@dataclass(frozen=True)
class Falling:
    """A ``share`` that was measured among so many ``people``, and the ``power`` of their number by which it falls."""

    people: int = 1
    share: float = 1.0
    power: float = 0.0

    @classmethod
    def measured(cls, people: int, whole: float, half: float, rising: bool = False) -> Falling:
        """What is measured among so many people (``whole``), and among half of them; ``rising``: it cannot fall, and
        rises as their number at most.

        >>> rare = Falling.measured(1_000, 0.4, 0.8)
        >>> rare.power, rare.at(4_000)
        (-1.0, 0.1)
        """
        power = log2(whole / half) if whole and half else float(rising)
        return cls(people, whole, min(max(power, 0.0), 1.0) if rising else min(0.0, power))

    def at(self, people: int) -> float:
        """The share among so many people, at most 1."""
        return min(1.0, self.share * (max(1, people) / self.people) ** self.power)

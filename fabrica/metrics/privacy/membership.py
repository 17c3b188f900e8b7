"""Membership: was this person learned from? The nearer the twin is, and the farther others are, the likelier.

The score of a person is the distance to the nearest row of the reference less that to the nearest row of the twin, over
the sum of both: an ordinary person is near to both, an odd one far from both, and one whom the twin remembers is near
to the twin alone. By the difference itself odd people hide those who are remembered. (Calibrated distances: Chen, Yu,
Zhang & Fritz, "GAN-Leaks", CCS 2020, arXiv:1909.03935.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fabrica.attack import Attack, Place
from fabrica.reached import Outcome, Scores
from fabrica.run import Run
from fabrica.world import World

__all__ = ["Membership"]


class Membership(Attack):
    """See the file's first lines."""

    title: ClassVar[str] = "whether people who were learned from can be told, by their distance to the twin"
    source: ClassVar[str] = "calibrated distances; Chen et al., CCS 2020, arXiv:1909.03935"
    story: ClassVar[str] = ("Somebody who knows all about a person, and people like them, wants to know whether that "
                            "person was in the table.")
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"membership": ("holdout",)}

    def strike(self, world: World, run: Run) -> Mapping[Place, Outcome]:
        members, controls = (world.nearer(world.points[side]) for side in ("members", "controls"))
        return {("membership",): Scores(members, controls, world.seen)}

"""What injected rare cases do for a detector: trained with and without them on real rows, judged on others.

``judge.py`` measures a detector, ``rivals.py`` are the usual ways to meet few positives, ``trial.py`` compares all of
them on the same rows, ``value.py`` is what is told.
"""

from __future__ import annotations

from fabrica.lift.trial import ENGINES, Task, lifted
from fabrica.lift.value import Arm, Lift, Step

__all__ = ["ENGINES", "Arm", "Lift", "Task", "Step", "lifted"]

"""Personal data: found by the form of its values, and made afresh.

``detect`` recognises kinds of it in columns, ``scan`` in free text, ``fakes`` writes fresh values, ``taken`` sees to it
that none of them is a real one. Nothing here asks a model or a network.
"""

from __future__ import annotations

from fabrica.identifying import KINDS, OFF, SHARED, Kind
from fabrica.personal.detect import Found, detector_of, find, numbers_named
from fabrica.personal.sight import Sight

__all__ = ["KINDS", "OFF", "SHARED", "Found", "Kind", "Sight", "detector_of", "find", "numbers_named"]

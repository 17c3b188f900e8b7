"""Rules that hold by construction: every row that a model draws obeys them, and none is thrown away.

A rule is a pair of maps between tables. ``reduce`` gives what is learned instead of the user's columns: a gap instead
of the later of two dates, nothing instead of a sum, one column instead of a one-hot group; ``restore`` gives the user's
columns back. What cannot be encoded away is mended on finished rows. ``law.py`` says what a rule is, ``read.py`` which
text is which; one file each for the kinds; ``sense.py`` refuses what contradicts itself, ``book.py`` holds all
together.
"""

from __future__ import annotations

from fabrica.rules.book import Reduced, Rulebook, learned, planned

__all__ = ["Reduced", "Rulebook", "learned", "planned"]

"""Rules that a table seems to obey: candidates with their support, for a person to say which of them are law.

Each file finds one kind on a sample of the rows; what is found is then held against all rows by the very code that
keeps rules (``rules/``). A candidate must be no accident: were one of its columns shuffled, it would have to break in a
relevant share of the rows. What follows from other candidates is left out. No candidate tells what fewer than k rows
hold.
"""

from __future__ import annotations

from fabrica.discovery.candidate import Candidate, Candidates, Sample
from fabrica.discovery.search import discovered

__all__ = ["Candidate", "Candidates", "Sample", "discovered"]

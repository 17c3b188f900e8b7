"""The command line: words become a recipe, the pipeline works, results go to stdout and talk to stderr.

Exit codes: 0 done, 1 fell short of a threshold that the user set, 2 bad usage or input, 130 interrupted.
"""

from __future__ import annotations

from fabrica.cli.commands import main

__all__ = ["main"]

"""The command line: words become a recipe, the pipeline works, results go to stdout and talk to stderr.

Exit codes: 0 done, 1 fell short of a threshold that the user set, 2 bad usage or input, 130 interrupted.
"""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main(args: list[str] | None = None) -> None:
    """Run a command line and exit with its code; Ctrl-C may fall into our first imports."""
    try:
        from fabrica.cli.commands import run
    except KeyboardInterrupt:
        os.write(2, b"fabrica: stopped\n")
        os._exit(130)
    run(sys.argv[1:] if args is None else args)

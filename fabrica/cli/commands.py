"""The group of all commands: each is a file, imported when it is called; every way to end has its exit code."""

from __future__ import annotations

import json
import os
import platform
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click
from click.shell_completion import shell_complete

from fabrica.cli.stop import STOP
from fabrica.errors import STOPPED, FabricaError, Interrupted
from fabrica.version import VERSION

__all__ = ["fabrica_group", "run"]

COMMANDS = ("synth", "fit", "sample", "impute", "fair", "boost", "evaluate", "plan", "gate", "release", "verify", "key",
            "account", "inspect", "ledger", "rules", "tune", "list", "completion")

EPILOG = """\b
Exit codes:
  0    done
  1    done, but the result fell short of a threshold that you set (--require), the gate stayed shut, or a bundle does
       not hold
  2    wrong usage, input that cannot be used, or a fault
  130  interrupted (Ctrl-C); no half-written file is left
"""


class Commands(click.Group):
    """Commands by the name of their file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return import_module(f"fabrica.cli.{name}").command if name in COMMANDS else None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"no command named {args[0]!r}; there are: {', '.join(COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="fabrica", message="%(prog)s %(version)s")
def fabrica_group() -> None:
    """Learn from a real table and make an artificial one like it, measured and explained.

    \b
    Start here:
      fabrica synth people.csv -o out/
    """


def run(words: list[str]) -> NoReturn:
    """Run a command line and exit with its code."""
    STOP.install()
    for name in ("stdout", "stderr"):  # closed by who called: nobody listens
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    code = _outcome(words)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _hush()
    except OSError as error:
        code = _tell(f"standard output: {error.strerror}", "OutputError", 2, plain=False)
    sys.stderr.flush()
    # At once: CPython kills itself with SIGINT where the interrupt fell into an `exec` of a library, and a thread of a
    # library that asks for the interpreter while it ends aborts the process.
    os._exit(code)


def _hush() -> None:
    """Nobody reads our output any more: throw the rest away without complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _outcome(words: list[str]) -> int:
    """The exit code; errors are told in one line."""
    plain = "--json" in words
    try:
        return _invoke(words or ["--help"])
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, Interrupted) as stop:
        return _tell(stop.what if isinstance(stop, Interrupted) else STOPPED, "Interrupted", 130, plain)
    except click.ClickException as error:
        where = getattr(error, "ctx", None)
        usage = f"; see '{where.command_path} --help'" if where else ""
        return _tell(error.format_message().rstrip(".") + usage, "UsageError", 2, plain)
    except FabricaError as error:
        _trace(words)
        return _tell(str(error), type(error).__name__, error.exit_code, plain)
    except BrokenPipeError:
        _hush()
        return 0
    except Exception as error:
        if STOP.first is not None:  # a signal that fell into compiled code comes out of it as a fault of that code
            return _tell(STOPPED, "Interrupted", 130, plain)
        _trace(words)
        return _tell(_fault(error), type(error).__name__, 2, plain)


def _invoke(words: list[str]) -> int:
    """Run the command, or answer the shell that wants to complete one."""
    asked = os.environ.get("_FABRICA_COMPLETE")
    if asked:
        return shell_complete(fabrica_group, {}, "fabrica", "_FABRICA_COMPLETE", asked)
    with fabrica_group.make_context("fabrica", list(words)) as context:
        return int(fabrica_group.invoke(context) or 0)


def _trace(words: list[str]) -> None:
    if "--debug" in words:
        traceback.print_exc()


def _tell(text: str, kind: str, code: int, plain: bool) -> int:
    """One line on stderr; with --json also one object on stdout."""
    with suppress(OSError):  # the exit code tells it too
        click.echo(f"fabrica: {' '.join(text.split())}", err=True)
    if plain:
        click.echo(json.dumps({"error": kind, "message": text, "exit_code": code}))
    return code


def _fault(error: Exception) -> str:
    """One line about an error that we did not foresee, without its message: that may hold a real cell."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return "there is not enough memory; give fewer rows or columns"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "fabrica" in Path(f.filename).parts]
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    versions = f"fabrica {VERSION}, Python {platform.python_version()}, {platform.system()}"
    return (f"a fault of ours: {type(error).__name__}{place}; please report this line ({versions}); "
            "--debug shows the traceback, which may hold values of your table")

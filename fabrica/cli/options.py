"""Options that several commands share, each said once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import click

from fabrica.recipe import count, seconds

__all__ = ["Learning", "budget", "colourful", "common", "engine", "learning", "pairs", "password", "private", "profile",
           "rows", "rules", "schema", "seed", "target", "terms"]

Command = Callable[..., Any]


class Told(click.ParamType):
    """A value read by one of our functions, whose errors already help."""

    def __init__(self, name: str, read: Callable[[str], Any]):
        self.name, self.read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self.read(value)


class EngineName(click.ParamType):
    """Any engine of the catalog; the shell completes it."""

    name = "name"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        from fabrica import catalog

        return [CompletionItem(name) for name in catalog.names("engines") if name.startswith(incomplete)]


ROWS = Told("rows", count)
SECONDS = Told("time", seconds)

rows = click.option("--rows", type=ROWS, help="Synthetic rows; default: as many as the real table has.")
seed = click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same rows.")
target = click.option("--target", metavar="COL", help="A column to predict: its usefulness is measured too.")
engine = click.option("--engine", type=EngineName(), default="", help="The way to learn; see 'fabrica list engines'. "
                      "Default: trees, under an epsilon aim.")
epsilon = click.option("--epsilon", type=float, metavar="E", help="Differential privacy: learn through noise alone, so "
                       "that one unit more or less changes any result by a factor of e^E at most.")
delta = click.option("--delta", type=float, default=1e-6, show_default=True,
                     help="The probability with which that may fail.")
unit = click.option("--unit", metavar="COL", help="The column that says whose rows they are: people are "
                    "counted then, and not their rows; default: each row is somebody else's.")
protected = click.option("--protected", default="", metavar="COL,COL",
                         callback=lambda ctx, param, names: _columns(ctx, names),
                         help="Columns such as sex,race: whether groups of people are treated alike is measured too. "
                         "A name with a comma stands in quotes, as in a CSV file.")
tier = click.option("--tier", type=click.Choice(["internal", "partner", "public"]), default="partner",
                    show_default=True, help="Who will have it: those who may see the real rows, somebody under "
                    "contract, everybody.")
policy = click.option("--policy", type=click.Path(dir_okay=False), metavar="FILE",
                      help="YAML or JSON with thresholds of your own; what is looser than the house's needs a waiver.")
account = click.option("--account", type=click.Path(dir_okay=False), metavar="FILE",
                       help="The account of the source: what all private looks at it may cost; see 'fabrica account'.")
unit_rows = click.option("--unit-rows", type=click.IntRange(1), default=1, show_default=True, metavar="N",
                         help="Rows of one unit that count at most.")
budget = click.option("--budget", type=SECONDS, help="Time that learning may take: 90, 60s, 2m, 1h.")
schema = click.option("--schema", type=click.Path(dir_okay=False), metavar="FILE",
                      help="YAML or JSON with what you know better than the guessed schema.")
rules = click.option("--rules", type=click.Path(dir_okay=False), metavar="FILE",
                     help="YAML or JSON: a list of rules that every row must obey, such as 'end >= start'.")
profile = click.option("--profile", metavar="NAME",
                       help="What a rule demands of the table before it is learned: hipaa.")
tuned = click.option("--tuned", type=click.Path(dir_okay=False), metavar="FILE", expose_value=False,
                     help="The engine and the settings that 'fabrica tune' has found.")
password = click.option("--password-env", "password", metavar="NAME", callback=lambda ctx, param, name: _secret(name),
                        help="The variable of the environment that holds the password of the private key.")
settings = click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
                        help="A setting of the engine, e.g. --set k=10 or --k 10; may be given several times.")


def _columns(ctx: click.Context, names: str) -> str:
    """Names of columns; who gives the option and names none has left something out."""
    given = ctx.get_parameter_source("protected") is not click.core.ParameterSource.DEFAULT
    if given and not names.replace(",", " ").strip():
        raise click.BadParameter("names no column; leave it out, or write --protected sex,race",
                                 param_hint="--protected")
    return names


def _secret(name: str | None) -> bytes | None:
    """The value of a variable of the environment, which no list of processes shows."""
    if name is None:
        return None
    if not os.environ.get(name):
        raise click.BadParameter(f"there is no variable {name!r} in the environment", param_hint="--password-env")
    return os.environ[name].encode()


class Learning(click.Command):
    """A command that learns: a setting of the engine or of the codecs is an option too, ``--epochs 200`` as
    ``--set epochs=200``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {flag for param in self.params for flag in (*param.opts, *param.secondary_opts)} | {"--help"}
        args = _tuned(args)
        if any(word.startswith("--") and word.partition("=")[0] not in own for word in args):
            args = _spelt(args, own, _settings())
        return super().parse_args(ctx, args)


def _tuned(words: list[str]) -> list[str]:
    """The words with ``--tuned FILE`` as the engine and the settings that the file tells, before all others."""
    found, left = list[str](), list(words)
    told: list[str] = []
    while left:
        word = left.pop(0)
        flag, equals, file = word.partition("=")
        if flag != "--tuned":
            found.append(word)
        elif not equals and not left:
            raise click.UsageError("Option '--tuned' requires an argument.")
        else:
            from fabrica.tuning import flags

            told = flags(file if equals else left.pop(0))
    named = [after for word, after in pairwise(found) if word == "--engine"]
    named += [word.partition("=")[2] for word in found if word.startswith("--engine=")]
    if told and any(name != told[1] for name in named):
        raise click.UsageError(f"--tuned tells of the engine {told[1]}, --engine of another")
    return [*told, *found]


def _settings() -> set[str]:
    from fabrica import catalog

    return {name for family in ("engines", "codecs") for plugin in catalog.names(family)
            for name in catalog.get(family, plugin).settings()}


def _spelt(words: list[str], own: set[str], known: set[str]) -> list[str]:
    """The words with ``--name value`` and ``--name=value`` of a setting as ``--set name=value``.

    >>> _spelt(["t.csv", "--epochs", "9", "--seed", "1", "--set-up"], {"--seed"}, {"epochs"})
    ['t.csv', '--set', 'epochs=9', '--seed', '1', '--set-up']
    """
    found, left = [], list(words)
    while left:
        word = left.pop(0)
        flag, equals, value = word.partition("=")
        name = flag.removeprefix("--").replace("-", "_")
        if flag.startswith("--") and flag not in own and name in known:
            if not equals and not left:
                raise click.UsageError(f"Option '{flag}' requires an argument.")
            found += ["--set", f"{name}={value if equals else left.pop(0)}"]
        else:
            found.append(word)
    return found


def learning(command: Command) -> Command:
    """What every command that learns takes."""
    for option in (schema, rules, profile, tuned, settings, budget, seed, engine):
        command = option(command)
    return command


def private(command: Command) -> Command:
    """What every command takes that can learn under differential privacy."""
    for option in (account, unit_rows, unit, delta, epsilon):
        command = option(command)
    return command


def terms(epsilon: float | None = None, delta: float = 1e-6, unit: str | None = None, rows: int = 1) -> Any:
    """The terms of differential privacy that the flags say, as plain values; None where there is no epsilon."""
    if epsilon is None:
        if rows != 1:
            raise click.UsageError("--unit-rows is for differential privacy: give --epsilon too")
        return None
    from fabrica.privacy.terms import Privacy

    return Privacy(epsilon, delta, unit, rows).to_json()


def common(command: Command) -> Command:
    """What every command takes."""
    command = click.option("--debug", is_flag=True, help="Show the traceback of an error (may show cells).")(command)
    command = click.option("--quiet", "-q", is_flag=True, help="No progress and no notes; errors are said.")(command)
    return click.option("--json", "plain", is_flag=True, help="Print the result as JSON, for machines.")(command)


def working(command: Command) -> Command:
    """What every command that works long takes."""
    return click.option("--workers", type=click.IntRange(1), metavar="N",
                        help="Threads; default: all cores. Results do not depend on it.")(command)


def colourful() -> bool:
    """Whether stdout is a terminal whose user has nothing against colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def pairs(texts: tuple[str, ...]) -> dict[str, str]:
    """``("leaf=50",)`` as ``{"leaf": "50"}``."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise click.BadParameter("write NAME=VALUE, e.g. --set leaf=50", param_hint="--set")
        found[name.strip()] = value.strip()
    return found

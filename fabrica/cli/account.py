"""``fabrica account``: how much all private looks at a table together may cost, and what they did cost."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("account", short_help="Open or show the privacy account of a table.")
@click.argument("file", type=click.Path(dir_okay=False))
@options.epsilon
@click.option("--delta", type=float, default=1e-5, show_default=True,
              help="The probability with which all promises together may fail: more than that of a single job.")
@options.unit
@options.unit_rows
@options.common
def command(file: str, epsilon: float | None, delta: float, unit: str | None, unit_rows: int, plain: bool, quiet: bool,
            debug: bool) -> int:
    """Open an account with --epsilon (and --delta, --unit): what all private looks at one table together may cost.
    Without --epsilon show what was spent, when and on what. Jobs use it with --account FILE.

    \b
    Example:
      fabrica account people.account.json --epsilon 3
      fabrica synth people.csv -o out/ --epsilon 1 --account people.account.json
    """
    from fabrica.account import Account
    from fabrica.errors import OutputError
    from fabrica.privacy.terms import Privacy

    path = Path(file)
    if epsilon is not None:
        if path.exists():
            raise OutputError("is there already, and what was spent must not be forgotten", where=file,
                              hint="leave --epsilon out to see it")
        Account(Privacy(epsilon, delta, unit, unit_rows)).save(path)
    account = Account.load(path)
    if plain:
        click.echo(json.dumps(account.to_json()))
        return 0
    click.echo(f"{account.ledger.epsilon():.3g} of epsilon {account.limit.epsilon:g} is spent at delta "
               f"{account.limit.delta:g}, for {account.limit.whose}")
    for line in account.words():
        click.echo(f"  {line}")
    return 0

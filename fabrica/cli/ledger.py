"""``fabrica ledger``: what was measured under differential privacy, what it cost, and what it does not cover."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("ledger", short_help="Show every private measurement of a result, and its price.")
@click.argument("thing", metavar="FOLDER|FILE")
@options.common
def command(thing: str, plain: bool, quiet: bool, debug: bool) -> int:
    """Show the ledger of a result folder, a model (.fab) or a ledger.json: each measurement with its mechanism, scale
    and share of the price; the total in epsilon and delta; what was declared public; what is not covered.

    \b
    Example:
      fabrica ledger out/
    """
    from fabrica.errors import InputError
    from fabrica.pipeline import ledger

    path = Path(thing)
    whole = path.is_dir() and not (path / "ledger.json").exists() and (path / "model.fab").exists()
    found = None if whole else ledger(path / "ledger.json" if path.is_dir() else path)
    if found is None:
        raise InputError("was not learned under differential privacy", where=thing,
                         hint="give --epsilon to fit or synth")
    click.echo(json.dumps(found.to_json()) if plain else str(found))
    return 0

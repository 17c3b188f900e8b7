"""``fabrica impute``: missing cells filled in by a model."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("impute", short_help="Fill in missing cells of a table.")
@click.argument("model", type=click.Path())
@click.argument("data")
@click.option("-o", "--out", required=True, metavar="FILE", help="Where to; its ending says the format.")
@click.option("--draws", type=click.IntRange(1), default=1, show_default=True,
              help="How often all gaps are drawn; of more than one all rows come once each, with a column `draw`.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed fills in the same cells.")
@options.common
def command(model: str, data: str, out: str, draws: int, seed: int, plain: bool, quiet: bool, debug: bool) -> int:
    """Fill in the missing cells of DATA by draws from what MODEL (.fab; engine autoregressive, trees or copula) knows
    of them given the row's other cells, which stay as they are.

    \b
    Example:
      fabrica impute people.fab holes.csv -o filled.csv --draws 5
    """
    from fabrica import filed
    from fabrica.cli.working import at_work

    with at_work(seed, quiet) as (run, _):
        path, rows = filed.fill(model, data, draws, Path(out), run=run)
    click.echo(json.dumps({"file": str(path), "rows": rows, "draws": draws, "seed": seed}) if plain
               else f"{rows:,} rows in {path}")
    return 0

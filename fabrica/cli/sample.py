"""``fabrica sample``: synthetic rows from a model or a specification, written as they are made."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("sample", short_help="Make synthetic rows from a model or a specification.")
@click.argument("model", type=click.Path())
@click.option("-n", "--rows", type=options.ROWS, required=True, help="How many: 1000, 1_000_000, 1e6, 100k, 1m.")
@click.option("-o", "--out", metavar="FILE", help="Where to; its ending says the format. Default: CSV to stdout.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same rows.")
@options.working
@options.common
def command(model: str, rows: int, out: str | None, seed: int, workers: int | None, plain: bool, quiet: bool,
            debug: bool) -> int:
    """Make ROWS synthetic rows from MODEL: a model (.fab), or a specification (.yaml, .json) that declares each column.
    An existing FILE is replaced when the new one is complete.

    \b
    Example:
      fabrica sample people.fab -n 1_000_000 -o big.parquet
      fabrica sample spec.yaml -n 1000 -o out.csv
    """
    from fabrica import pipeline
    from fabrica.cli.working import at_work

    if plain and out is None:
        raise click.UsageError("--json needs -o FILE: the rows themselves go to stdout", click.get_current_context())
    with at_work(seed, quiet, workers) as (run, _):
        if out is None:
            pipeline.pour(model, rows, sys.stdout.buffer, run=run)
            return 0
        pipeline.draw(model, rows, Path(out), run=run)
    click.echo(json.dumps({"file": out, "rows": rows, "seed": seed}) if plain else f"{rows:,} rows in {out}")
    return 0

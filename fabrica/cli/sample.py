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
@click.option("--given", multiple=True, metavar="COLUMN=VALUE",
              help="Only rows that satisfy this: column=a|b, column!=a, column=lo..hi, column>5, column=null. May be "
                   "given several times: all must hold.")
@click.option("--where", metavar="EXPRESSION", help="Only rows that satisfy this: \"age > 60 and not (sex == 'M' or "
                                                    "note is null)\".")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same rows.")
@options.working
@options.common
def command(model: str, rows: int, out: str | None, given: tuple[str, ...], where: str | None, seed: int,
            workers: int | None, plain: bool, quiet: bool, debug: bool) -> int:
    """Make ROWS synthetic rows from MODEL: a model (.fab), or a specification (.yaml, .json) that declares each column.
    An existing FILE is replaced when the new one is complete.

    \b
    Example:
      fabrica sample people.fab -n 1_000_000 -o big.parquet
      fabrica sample people.fab -n 5000 --given "age=60..80" --given "income=>50K" -o seniors.csv
      fabrica sample spec.yaml -n 1000 -o out.csv
    """
    from fabrica import pipeline
    from fabrica.cli.working import at_work

    if plain and out is None:
        raise click.UsageError("--json needs -o FILE: the rows themselves go to stdout", click.get_current_context())
    if given and where is not None:
        raise click.UsageError("say either --given or --where", click.get_current_context())
    asked = where if where is not None else list(given)
    with at_work(seed, quiet, workers) as (run, _):
        if out is None:
            pipeline.pour(model, rows, sys.stdout.buffer, run=run, given=asked)
            return 0
        pipeline.draw(model, rows, Path(out), run=run, given=asked)
    click.echo(json.dumps({"file": out, "rows": rows, "seed": seed}) if plain else f"{rows:,} rows in {out}")
    return 0

"""``fabrica evaluate``: measure anybody's synthetic data against the real table."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fabrica.cli import options
from fabrica.cli.require import Requirement, fallen, refuse, requirement

__all__ = ["command"]


@click.command("evaluate", short_help="Measure anybody's synthetic table.")
@click.option("--real", required=True, metavar="FILE", help="The real rows from which the synthetic ones were made.")
@click.option("--synthetic", required=True, metavar="FILE", help="The synthetic rows.")
@click.option("--holdout", metavar="FILE", help="Real rows that nobody learned from: shows what is copied.")
@options.target
@click.option("-o", "--out", metavar="FOLDER", help="Where report.html and report.json go.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME",
              help="Only this metric; may be given several times. See 'fabrica list metrics'.")
@click.option("--attacks", is_flag=True,
              help="Attack people too: what whoever holds the rows may find out. Needs --holdout, takes some minutes.")
@options.protected
@options.unit
@options.schema
@options.seed
@requirement
@options.working
@options.common
def command(real: str, synthetic: str, holdout: str | None, target: str | None, out: str | None,
            metrics: tuple[str, ...], attacks: bool, protected: str, unit: str | None, schema: str | None,
            seed: int, require: tuple[Requirement, ...], workers: int | None, plain: bool, quiet: bool, debug: bool
            ) -> int:
    """Measure how much SYNTHETIC is like REAL, column by column and as a whole.

    \b
    Example:
      fabrica evaluate --real train.csv --synthetic twin.csv --holdout test.csv -o report/
    """
    from fabrica import filed
    from fabrica.cli.working import at_work
    from fabrica.page.words import text

    refuse(require, metrics, attacks, holdout=holdout is not None, target=target is not None,
           protected=bool(protected))
    with at_work(seed, quiet, workers) as (run, _):
        report, files = filed.measure(real, synthetic, holdout, target=target, schema=schema, attacks=attacks,
                                      unit=unit, protected=protected, metrics=metrics or None,
                                      out=Path(out) if out else None, run=run)
    short = fallen(report, require)
    if plain:
        click.echo(json.dumps({"files": {k: str(v) for k, v in files.items()}, "report": report.to_json(),
                               "fell_short": short}))
    else:
        click.echo(text(report, colour=options.colourful(), quiet=quiet))
        click.echo("\n".join(["", *(f"{name:<12} {path}" for name, path in files.items()), *short]).rstrip("\n"))
    return 1 if short else 0

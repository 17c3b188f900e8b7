"""``fabrica boost``: what injected rare cases do for a detector, on real rows."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("boost", short_help="What injected positives do for a detector.")
@click.argument("data")
@click.option("--target", required=True, metavar="COLUMN", help="The column that tells positives.")
@click.option("--positive", required=True, metavar="VALUE", help="Which of its values is rare: 'fraud', 'a|b', '1'.")
@click.option("--positives", default="10,30,100,300", show_default=True, metavar="LIST",
              help="How many real positives are learned from.")
@click.option("--seeds", type=click.IntRange(1, 1000), default=10, show_default=True, metavar="N",
              help="Splits of the table.")
@click.option("--alerts", type=float, default=0.01, show_default=True, metavar="SHARE",
              help="Share of all rows that may alarm: recall is measured there.")
@click.option("--prevalence", type=float, metavar="SHARE",
              help="Of the positives among the test rows, by weights; default: as many as in the table.")
@click.option("--engines", show_default="trees,copula,bayesnet", metavar="LIST",
              help="Each makes a part of the injected rows; see 'fabrica list engines'.")
@options.schema
@click.option("-o", "--out", metavar="FOLDER", help="Where boost.json and boost.svg go.")
@options.seed
@options.working
@options.common
def command(data: str, target: str, positive: str, positives: str, seeds: int, alerts: float, prevalence: float | None,
            engines: str | None, schema: str | None, out: str | None, seed: int, workers: int | None, plain: bool,
            quiet: bool, debug: bool) -> int:
    """Train a detector with and without injected positives on real rows of DATA with few positives, and judge it on
    others: average precision (AUPRC) and recall at a budget of alerts, against nothing, class weights, oversampling
    and SMOTE, each on the same rows.

    \b
    Example:
      fabrica boost claims.csv --target fraud --positive yes --positives 30 -o boost/
    """
    from fabrica import pipeline
    from fabrica.cli.working import at_work
    from fabrica.errors import SettingError
    from fabrica.lift import ENGINES, Task

    try:
        counts = tuple(int(word) for word in positives.split(",") if word.strip())
    except ValueError:
        raise SettingError("must be whole numbers with commas between", where="positives") from None
    names = ENGINES if engines is None else tuple(name.strip() for name in engines.split(",") if name.strip())
    task = Task(target, positive, counts, seeds, alerts, prevalence, names)
    with at_work(seed, quiet, workers) as (run, _):
        found = pipeline.compare(data, task, schema, run, None if out is None else Path(out))
    if plain:
        click.echo(json.dumps(found.to_json()))
        return 0
    click.echo(str(found))
    if out is not None:
        click.echo(f"{out.rstrip('/')}/: boost.json, boost.svg")
    return 0

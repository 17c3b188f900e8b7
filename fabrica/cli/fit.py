"""``fabrica fit``: learn a table once, to sample from it as often as you like."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("fit", cls=options.Learning, short_help="Learn a table and save the model.")
@click.argument("data")
@click.option("-o", "--out", required=True, metavar="FILE", help="The model file, e.g. people.fab.")
@options.learning
@options.private
@options.working
@options.common
def command(data: str, out: str, engine: str, seed: int, budget: float | None, settings: tuple[str, ...],
            schema: str | None, rules: str | None, profile: str | None, epsilon: float | None, delta: float,
            unit: str | None, unit_rows: int, account: str | None, workers: int | None, plain: bool, quiet: bool,
            debug: bool) -> int:
    """Learn DATA (a file, folder or glob) and save the model.

    \b
    Example:
      fabrica fit people.parquet -o people.fab --set leaf=50
    """
    from fabrica import filed
    from fabrica.cli.working import at_work
    from fabrica.recipe import Recipe, engine_for
    from fabrica.way import settings_from

    terms = options.terms(epsilon, delta, unit, unit_rows)
    own = settings_from(engine_for(engine, terms), options.pairs(settings))
    recipe = Recipe(data, engine, own, seed, 0.0, budget=budget, schema=schema, rules=rules, profile=profile,
                    privacy=terms, account=account, unit=None if terms else unit)
    with at_work(seed, quiet, workers, budget, learns=True) as (run, talk):
        path, model = filed.store(recipe, Path(out), run=run, say=talk.say)
    lines = list(model.words())
    click.echo(json.dumps({"file": str(path), "words": lines, "schema": model.table.to_json()}) if plain
               else "\n".join([*lines, f"saved {path}"]))
    return 0

"""``fabrica plan``: which tier can these people support?"""

from __future__ import annotations

import json

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("plan", short_help="Say before learning which tier so many people can support, with which holdout.")
@click.argument("data")
@options.tier
@options.policy
@options.unit
@options.schema
@options.working
@options.common
def command(data: str, tier: str, policy: str | None, unit: str | None, schema: str | None, workers: int | None,
            plain: bool, quiet: bool, debug: bool) -> int:
    """Simulate the whole gate for the people of DATA, before anything is learned: how often a twin that leaks nothing
    would pass at each tier, by how many people are held back.

    \b
    Example:
      fabrica plan people.csv --tier partner
    """
    from fabrica import pipeline
    from fabrica.cli.working import at_work

    with at_work(7, quiet, workers) as (run, _):
        found = pipeline.foresee(data, tier, policy, unit=unit, schema=schema, run=run)
    click.echo(json.dumps(found.to_json()) if plain else str(found))
    return 0

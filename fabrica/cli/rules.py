"""``fabrica rules``: candidates for the rules of a table."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("rules", short_help="Find rules that a table seems to obey.")
@click.argument("data")
@click.option("-o", "--out", metavar="FILE", help="Write them as YAML, for `fabrica fit --rules FILE`.")
@click.option("--support", type=click.FloatRange(0.5, 1), default=0.99, show_default=True,
              help="Share of the rows that must obey; what some break is written as a remark.")
@options.schema
@options.seed
@options.common
def command(data: str, out: str | None, support: float, schema: str | None, seed: int, plain: bool, quiet: bool,
            debug: bool) -> int:
    """Find rules that DATA (a file, folder or glob) seems to obey: formulas, dependencies, orders, groups, missing
    cells, uniqueness, patterns, ranges. Each is held against all rows. You keep those that are law.

    \b
    Example:
      fabrica rules people.csv -o rules.yaml
    """
    from fabrica import pipeline
    from fabrica.cli.working import at_work
    from fabrica.dataset import atomic
    from fabrica.inference.facts import K

    with at_work(seed, quiet) as (run, _):
        found = pipeline.search_rules(data, support, schema, K, run)
    if out is not None:
        with atomic(Path(out)) as part:
            part.write_text(found.yaml(), encoding="utf-8")
    if plain:
        click.echo(json.dumps([{**dataclasses.asdict(one), "support": one.support} for one in found], indent=2))
        return 0
    for line in found.lines() or ["no candidate was found"]:
        click.echo(line)
    if out is not None:
        count = f"{len(found)} candidate{'s' if len(found) > 1 else ''} in {out}: keep what is law, delete the rest"
        click.echo(count if len(found) else f"{out} holds none")
    return 0

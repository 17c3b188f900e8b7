"""``fabrica tune``: search for the settings with which an engine's twins of a table are best."""

from __future__ import annotations

import json

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("tune", cls=options.Learning, short_help="Search for the best settings of an engine.")
@click.argument("data")
@click.option("-o", "--out", metavar="FILE", help="Where what was found is written, e.g. tuned.json; if it is there "
                                                  "from a search that was stopped, this one goes on.")
@click.option("--budget", type=options.SECONDS, default="5m", show_default=True,
              help="Time that all attempts together may take: 90, 60s, 2m, 1h.")
@options.engine
@options.seed
@options.settings
@options.schema
@options.working
@options.common
def command(data: str, out: str | None, engine: str, seed: int, budget: float, settings: tuple[str, ...],
            schema: str | None, workers: int | None, plain: bool, quiet: bool, debug: bool) -> int:
    """Try settings of an engine on halves of DATA (a file, folder or glob) until the budget is used up, each where
    the ones before were good. What counts is how well a twin passes for rows that nobody learned from, as long as it
    does not give away who was learned.

    \b
    Example:
      fabrica tune people.csv --engine boosted --budget 10m -o tuned.json
      fabrica synth people.csv --tuned tuned.json -o out/
    """
    from fabrica import pipeline
    from fabrica.cli.working import at_work
    from fabrica.way import settings_from

    own = settings_from(engine, options.pairs(settings))
    with at_work(seed, quiet, workers, budget, learns=True) as (run, talk):
        tuned = pipeline.look(data, engine, own, schema, out, run=run, say=talk.say)
    lines = tuned.words()
    if out:
        lines.append(f"saved {out}: learn with it by --tuned {out}")
    click.echo(json.dumps(tuned.to_json()) if plain else "\n".join(lines))
    return 0

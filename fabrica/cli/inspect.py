"""``fabrica inspect``: the schema that fabrica guesses for a table, or what a model file or a specification holds."""

from __future__ import annotations

import json

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("inspect", short_help="Show a guessed schema, or what a model holds.")
@click.argument("thing", metavar="FILE")
@options.schema
@click.option("--overrides", is_flag=True, help="Print the schema as JSON that --schema reads, to be edited.")
@options.profile
@options.common
def command(thing: str, schema: str | None, overrides: bool, profile: str | None, plain: bool, quiet: bool,
            debug: bool) -> int:
    """Show the guessed schema of a table, or what a model (.fab) or a specification (.yaml) holds, in words.

    \b
    Example:
      fabrica inspect people.csv
    """
    from fabrica import pipeline
    from fabrica.dataset import Dataset
    from fabrica.inference.found import Sighting, lines, sightings
    from fabrica.inference.personal import ELSEWHERE
    from fabrica.profile import plan
    from fabrica.schema import Schema, describe
    from fabrica.specification import is_specification

    if thing.endswith(".fab") or is_specification(thing):
        model = pipeline.load(thing)
        table, notes, words = model.table, list(model.facts.get("notes", ())), list(model.words())
        found: list[Sighting] = []
    else:
        (table, notes), words = pipeline.inspect(thing, schema=schema), []
        if profile:
            coarser = plan(table, profile)
            words = [f"profile {profile}: {name!r} {said}" for name, said in coarser.items()]
        found = sightings(table, Dataset.open(thing).batches())
        notes = [note.replace(ELSEWHERE, "by what they were recognised stands in the list of personal data")
                 for note in notes]
    if overrides:
        click.echo(Schema((table,)).dumps())
    elif plain:
        click.echo(json.dumps({"schema": Schema((table,)).to_json(), "notes": notes, "words": words,
                               "personal": [one.to_json() for one in found]}))
    else:
        personal = lines(found)
        click.echo("\n".join([*words, *([""] if words else []), describe(table), *([""] if personal else []), *personal,
                              *([""] if notes else []), *notes]))
    return 0

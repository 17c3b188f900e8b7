"""``fabrica synth``: the main job, from a real table to a measured synthetic twin."""

from __future__ import annotations

import json
from typing import Any

import click

from fabrica.cli import options
from fabrica.cli.require import Requirement, fallen, refuse, requirement

__all__ = ["command"]

#: flag -> field of the terms of privacy
PRIVATE = {"epsilon": "epsilon", "delta": "delta", "unit": "unit", "unit_rows": "rows"}


@click.command("synth", cls=options.Learning, short_help="Make a measured synthetic twin of a table: the main job.")
@click.argument("data", required=False)
@click.option("-o", "--out", required=True, metavar="FOLDER", help="Where the results go; made if it is not there.")
@options.rows
@options.target
@click.option("--holdout", default="0.2", show_default=True, metavar="SHARE|FILE",
              help="Rows kept away from learning to judge it: a share, or a file of such rows; 0 for none.")
@options.learning
@options.private
@click.option("--recipe", type=click.Path(), metavar="FILE", help="Run a recipe.json of an earlier run again.")
@requirement
@options.working
@options.common
def command(data: str | None, out: str, recipe: str | None, settings: tuple[str, ...], require: tuple[Requirement, ...],
            workers: int | None, plain: bool, quiet: bool, debug: bool, **asked: Any) -> int:
    """Make a synthetic twin of DATA (a file, folder or glob) and measure it.

    Writes data.<the input's format>, report.html, report.json, model.fab, schema.json, recipe.json and origin.json into
    FOLDER: all of them or none. Files of these names are replaced, others are left alone.

    \b
    Example:
      fabrica synth people.csv -o out/ --target income
    """
    from fabrica import filed
    from fabrica.cli.working import at_work
    from fabrica.page.words import text

    written = recipe_of(data, recipe, settings, asked)
    refuse(require, holdout=written.holdout != 0, target=written.target is not None)
    with at_work(written.seed, quiet, workers, written.budget, learns=True) as (run, _):
        report, files = filed.make(written, out, run=run)
    short = fallen(report, require)
    if plain:
        click.echo(json.dumps({"files": {k: str(v) for k, v in files.items()}, "report": report.to_json(),
                               "fell_short": short}))
    else:
        click.echo(text(report, colour=options.colourful(), quiet=quiet))
        click.echo("\n".join(["", *(f"{name:<12} {path}" for name, path in files.items()), *short]))
    return 1 if short else 0


def recipe_of(data: str | None, file: str | None, settings: tuple[str, ...], asked: dict[str, Any]) -> Any:
    """The flags as a recipe; a recipe file is the ground that given flags change."""
    from dataclasses import replace

    from fabrica.recipe import Recipe
    from fabrica.way import settings_from

    source = click.get_current_context().get_parameter_source
    given: dict[str, Any] = {name: value for name, value in asked.items()
             if file is None or source(name) is not click.core.ParameterSource.DEFAULT}
    given |= {"data": data} if data else {}
    ground = Recipe.load(file) if file else Recipe()
    named = {field: given.pop(name) for name, field in PRIVATE.items() if name in given}
    if ground.privacy is not None:
        given["privacy"] = {**ground.privacy, **named}
    else:
        given["privacy"] = options.terms(**named)
        given["engine"] = given.get("engine") or ("" if given["privacy"] is not None else ground.engine)
        if given["privacy"] is None and named.get("unit") is not None:
            given["unit"] = named["unit"]
    recipe = replace(ground, **given)
    if not recipe.data:
        raise click.UsageError("give the table: fabrica synth DATA -o FOLDER", click.get_current_context())
    own = settings_from(recipe.engine, options.pairs(settings))
    return replace(recipe, settings={**recipe.settings, **own})

"""``fabrica sample``: synthetic rows from a model or a specification, written as they are made."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("sample", short_help="Make synthetic rows from a model or a specification.")
@click.argument("model", type=click.Path())
@click.option("-n", "--rows", type=options.ROWS, help="How many: 1000, 1_000_000, 1e6, 100k, 1m. Needed unless the "
                                                       "scenario says it.")
@click.option("-o", "--out", metavar="PATH", help="Where to: a file, whose ending says the format; with --scenario a "
                                                  "folder. Default: CSV to stdout.")
@click.option("--given", multiple=True, metavar="COLUMN=VALUE",
              help="Only rows that satisfy this: column=a|b, column!=a, column=lo..hi, column>5, column=null. May be "
                   "given several times: all must hold.")
@click.option("--where", metavar="EXPRESSION", help="Only rows that satisfy this: \"age > 60 and not (sex == 'M' or "
                                                    "note is null)\".")
@click.option("--scenario", type=click.Path(dir_okay=False), metavar="FILE",
              help="YAML or JSON that says what to see: shifts, rare cases, tails, fairness, missing cells.")
@click.option("--format", "ending", metavar="ENDING", help="With --scenario, the format of the data: csv, parquet, …")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same rows.")
@options.working
@options.common
def command(model: str, rows: int | None, out: str | None, given: tuple[str, ...], where: str | None,
            scenario: str | None, ending: str | None, seed: int, workers: int | None, plain: bool, quiet: bool,
            debug: bool) -> int:
    """Make ROWS synthetic rows from MODEL: a model (.fab), or a specification (.yaml, .json) that declares each column.
    An existing FILE is replaced when the new one is complete.

    \b
    Example:
      fabrica sample people.fab -n 1_000_000 -o big.parquet
      fabrica sample people.fab -n 5000 --given "age=60..80" --given "income=>50K" -o seniors.csv
      fabrica sample people.fab -n 100k --scenario stress.yaml -o stressed/
      fabrica sample spec.yaml -n 1000 -o out.csv

    With --scenario the folder gets the data, the origin of each row (origin: injection_id, injection_kind, weight) and
    manifest.json, the ground truth of what was done.
    """
    from fabrica import filed
    from fabrica.cli.working import at_work

    if scenario is not None:
        return _staged(model, scenario, rows, out, ending, seed, workers, plain, quiet, bool(given or where))
    if rows is None:
        raise click.UsageError("Missing option '-n' / '--rows'.", click.get_current_context())
    if ending is not None:
        raise click.UsageError("--format goes with --scenario; else the ending of FILE says it",
                               click.get_current_context())
    if plain and out is None:
        raise click.UsageError("--json needs -o FILE: the rows themselves go to stdout", click.get_current_context())
    if given and where is not None:
        raise click.UsageError("say either --given or --where", click.get_current_context())
    asked = where if where is not None else list(given)
    with at_work(seed, quiet, workers) as (run, _):
        if out is None:
            filed.pour(model, rows, sys.stdout.buffer, run=run, given=asked)
            return 0
        filed.draw(model, rows, Path(out), run=run, given=asked)
    click.echo(json.dumps({"file": out, "rows": rows, "seed": seed}) if plain else f"{rows:,} rows in {out}")
    return 0


def _staged(model: str, scenario: str, rows: int | None, out: str | None, ending: str | None, seed: int,
            workers: int | None, plain: bool, quiet: bool, asked: bool) -> int:
    """Play a scenario and say what was done."""
    from fabrica import filed
    from fabrica.cli.working import at_work

    if out is None:
        raise click.UsageError("--scenario needs -o FOLDER", click.get_current_context())
    if asked:
        raise click.UsageError("say conditions in the scenario, under `given`", click.get_current_context())
    with at_work(seed, quiet, workers) as (run, _):
        manifest, files = filed.stage(model, scenario, rows, Path(out), ending and f".{ending.lstrip('.')}", run=run)
    if plain:
        click.echo(json.dumps({"files": {name: str(path) for name, path in files.items()}, **manifest}))
        return 0
    for line in _lines(manifest):
        click.echo(line)
    click.echo(f"{out.rstrip('/')}/: {', '.join(files)}")
    return 0


def _lines(manifest: dict[str, Any]) -> list[str]:
    """What a manifest says, for a person."""
    said = [f"{manifest['rows']:,} rows, {manifest['rows_of_the_model']:,} of them the model's own law"
            + (" as it was tilted" if manifest["tilts"] else "")]
    for one in manifest["injections"]:
        what = ", ".join(f"{name} {value}" for name, value in one.items()
                         if name not in ("injection_id", "kind", "rows", "share", "parameters", "beyond_the_model"))
        said.append(f"  {one['injection_id']}: {one['kind']}, {one['rows']:,} rows" + (f" ({what})" if what else "")
                    + (", beyond the model: they weigh nothing" if one["beyond_the_model"] else ""))
    told = manifest["weights"]
    said.append(f"  {told['mean']}; the rows are then worth {told['worth_rows']:,.0f}")
    return [*said, *([f"  {manifest['remark']}"] if manifest["remark"] else [])]

"""``fabrica fair``: what each point of the dial ``fair`` gives and costs on real rows; a table, a picture, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("fair", short_help="What fairness costs: the frontier of a model.")
@click.argument("model", type=click.Path())
@click.argument("holdout", type=click.Path())
@click.option("--protected", "-p", multiple=True, required=True, metavar="COLUMN",
              help="Whose groups are compared; several, or with commas: their combinations.")
@click.option("--outcome", required=True, metavar="COLUMN", help="What the groups should have alike.")
@click.option("--favourable", required=True, metavar="VALUE",
              help="Which values of it are favourable: '>50K', 'a|b', '50000..'.")
@click.option("--given", multiple=True, metavar="COLUMN",
              help="What may explain a difference: parity within its groups; several, or with commas.")
@click.option("--points", default="0,0.25,0.5,0.75,1", show_default=True, metavar="LIST",
              help="Parities of the dial: 0 as learned … 1 the same in all groups.")
@click.option("--rows", type=options.ROWS, help="Synthetic rows of each point; default: as many as were learned from.")
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, metavar="N",
              help="How often the rows of each point are drawn.")
@click.option("-o", "--out", required=True, metavar="FOLDER", help="Where frontier.json and frontier.svg go.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same frontier.")
@options.working
@options.common
def command(model: str, holdout: str, protected: tuple[str, ...], outcome: str, favourable: str,
            given: tuple[str, ...], points: str, rows: int | None, seeds: int, out: str, seed: int,
            workers: int | None, plain: bool, quiet: bool, debug: bool) -> int:
    """Compute and draw what fairness costs: rows of each parity are played from MODEL, a classifier learns the outcome
    from them and is judged on HOLDOUT, real rows that the model has not seen.

    \b
    Example:
      fabrica fair people.fab test.csv --protected sex --outcome income --favourable '>50K' -o fair/

    The classifier that does not see the protected columns is shown beside. Rows of the parity that you choose are then
    drawn with 'fabrica sample --scenario'; they are not representative of the population, and their manifest says so.
    """
    from fabrica import filed
    from fabrica.cli.working import at_work
    from fabrica.tradeoff import Question

    question = Question.of(_names(protected), outcome, favourable, _names(given))
    with at_work(seed, quiet, workers) as (run, _):
        found, files = filed.afford(model, holdout, question, _numbers(points), rows, seeds, Path(out), run=run)
    if plain:
        click.echo(json.dumps({"files": {name: str(path) for name, path in files.items()}, **found.to_json()}))
        return 0
    click.echo(str(found))
    click.echo(f"{out.rstrip('/')}/: {', '.join(files)}")
    return 0


def _names(words: tuple[str, ...]) -> list[str]:
    """``("sex,race", "age")`` as three names."""
    return [name.strip() for word in words for name in word.split(",") if name.strip()]


def _numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in text.split(",") if word.strip()]
    except ValueError:
        raise click.BadParameter("write numbers from 0 to 1 with commas: 0,0.5,1", param_hint="--points") from None

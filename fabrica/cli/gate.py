"""``fabrica gate``: may this twin leave the house?"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from pathlib import Path

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("gate", short_help="Decide whether a twin may be released: PASS, FAIL or INCONCLUSIVE.")
@click.argument("folder")
@options.tier
@options.policy
@click.option("--real", metavar="FILE", help="The real rows, where the folder was not made by 'fabrica synth'.")
@click.option("--holdout", metavar="FILE", help="Real rows that nobody learned from, beside --real.")
@click.option("--attempts", type=click.Path(dir_okay=False), metavar="FILE",
              help="Where tries are counted; default: fabrica-attempts.json beside the real table.")
@click.option("--model", is_flag=True, help="The model is to be shared too: it is attacked and judged with the rows.")
@options.target
@options.protected
@options.unit
@options.schema
@options.working
@options.common
def command(folder: str, tier: str, policy: str | None, real: str | None, holdout: str | None, attempts: str | None,
            model: bool, target: str | None, protected: str, unit: str | None, schema: str | None, workers: int | None,
            plain: bool, quiet: bool, debug: bool) -> int:
    """Attack the twin in FOLDER, measure it, and decide by a policy whether it may be released.

    Writes gate.json (the decision), evidence.json and evidence.html (all that was measured) into FOLDER. Exit code 0
    only where every test passes.

    \b
    Example:
      fabrica synth people.csv -o out/ --k 10
      fabrica gate out/ --tier partner
    """
    from fabrica import filed
    from fabrica.cli.working import at_work

    with at_work(0, quiet, workers) as (run, _):
        decision, files = filed.bring(folder, tier, policy, real=real, holdout=holdout, target=target,
                                      protected=protected, unit=unit, schema=schema,
                                      attempts=Path(attempts) if attempts else None, model=model, run=run)
    if plain:
        click.echo(json.dumps({"files": {k: str(v) for k, v in files.items()}, "gate": decision.to_json()}))
    else:
        click.echo("\n".join([*map(_wrapped, decision.words()), "",
                              *(f"{name:<14} {path}" for name, path in files.items())]))
    return 0 if decision.verdict == "PASS" else 1


def _wrapped(line: str) -> str:
    """A line of a decision as a terminal shows it without cutting words; elsewhere as it is."""
    if not sys.stdout.isatty():
        return line
    return textwrap.fill(line, max(40, shutil.get_terminal_size().columns - 1), subsequent_indent=" " * 16,
                         break_long_words=False, break_on_hyphens=False)

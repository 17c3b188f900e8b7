"""``fabrica release``: a signed bundle of what was made and judged, which a stranger can check."""

from __future__ import annotations

import json

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("release", short_help="Write a signed bundle that a stranger can check.")
@click.argument("folder", type=click.Path())
@click.option("-o", "--out", required=True, metavar="FOLDER", help="Where the bundle goes; a new or an empty folder.")
@click.option("--key", "keys", required=True, multiple=True, metavar="FILE",
              help="The private key that signs; see 'fabrica key'. May be given several times.")
@click.option("--approver", "approvers", required=True, multiple=True, metavar='"ROLE: NAME"',
              help="Who answers for it; the policy says how many people must.")
@click.option("--purpose", default="", metavar="TEXT", help="What the release is for.")
@click.option("--recipient", "recipients", multiple=True, metavar="TEXT", help="For whom; may be given several times.")
@click.option("--name", default="", metavar="TEXT",
              help="What the table is called; default: its own name, in the public profile 'table'.")
@click.option("--expires", metavar="DAY", help="Its last day, such as 2027-11-28; default: as the policy allows.")
@click.option("--profile", type=click.Choice(["internal", "public"]), default="internal", show_default=True,
              help="Evidence in full, or rounded and without anything about few people.")
@click.option("--data/--no-data", default=True, show_default=True, help="Share the synthetic rows.")
@click.option("--model/--no-model", default=False, show_default=True,
              help="Share the model; it tells more than its rows do.")
@click.option("--without-pass", default="", metavar="REASON",
              help="Release though the gate did not pass it; the reason stands on page one.")
@click.option("--beyond-tier", default="", metavar="REASON",
              help="Write the public profile of a decision at another tier; the reason stands on page one.")
@click.option("--intruder", type=click.Path(dir_okay=False), metavar="FILE",
              help="A text about a motivated intruder: who tried to find somebody, with what, and what came of it.")
@options.password
@options.common
def command(folder: str, out: str, keys: tuple[str, ...], approvers: tuple[str, ...], purpose: str,
            recipients: tuple[str, ...], name: str, expires: str | None, profile: str, data: bool, model: bool,
            without_pass: str, beyond_tier: str, intruder: str | None, password: bytes | None, plain: bool, quiet: bool,
            debug: bool) -> int:
    """Write a bundle of FOLDER, which 'fabrica synth' has made and 'fabrica gate' has judged: the rows or the model,
    the evidence, who answers for it, and one signature over all.

    \b
    Example:
      fabrica release out/ -o bundle/ --key signer.pem --approver "privacy officer: Ada Example"
    """
    from fabrica.bundle.page_one import lines
    from fabrica.bundle.write import release

    made = release(folder, out, key=keys, approvers=approvers, purpose=purpose, recipients=recipients, name=name,
                   expires=expires, profile=profile, data=data, model=model, without_pass=without_pass,
                   beyond_tier=beyond_tier, intruder=intruder, password=password)
    if plain:
        click.echo(json.dumps({"bundle": str(made.path), "claim": made.claim}))
        return 0
    click.echo("\n".join([*lines(made.claim), "", f"bundle       {made.path}"]))
    return 0

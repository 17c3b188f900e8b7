"""``fabrica verify``: whether every byte of a bundle, and every claim that can be reckoned again, holds."""

from __future__ import annotations

import json

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("verify", short_help="Check a bundle, offline.")
@click.argument("bundle", metavar="BUNDLE", type=click.Path())
@click.option("--key", "keys", multiple=True, metavar="FILE",
              help="The public key of who signed, had on another way than the bundle: needed, and all of them where "
              "several have.")
@options.common
def command(bundle: str, keys: tuple[str, ...], plain: bool, quiet: bool, debug: bool) -> int:
    """Check BUNDLE, a folder or a .zip of it: the signature, every byte of every file, the expiry, and whatever can be
    reckoned again. Exit code 0: all holds; 1: something does not; 2: there is nothing to check.

    \b
    Example:
      fabrica verify bundle/ --key signer.pub.pem
    """
    from fabrica.bundle.verify import verify

    found = verify(bundle, keys)
    click.echo(json.dumps(found.to_json()) if plain else str(found))
    return 0 if found.holds else 1

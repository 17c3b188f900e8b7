"""``fabrica key``: a pair of keys with which releases are signed and checked."""

from __future__ import annotations

import json

import click

from fabrica.cli import options

__all__ = ["command"]


@click.command("key", short_help="Make a pair of keys to sign releases with.")
@click.argument("file", type=click.Path(dir_okay=False))
@options.password
@options.common
def command(file: str, password: bytes | None, plain: bool, quiet: bool, debug: bool) -> int:
    """Make a private key, FILE, that signs releases, and its public key beside it, which checks them. Keep the first to
    yourself; give the second, or its fingerprint, to recipients on another way than the bundles.

    \b
    Example:
      fabrica key signer.pem
    """
    from fabrica.bundle.keys import new_key

    private, public, fingerprint = new_key(file, password)
    if plain:
        click.echo(json.dumps({"private": str(private), "public": str(public), "fingerprint": fingerprint}))
        return 0
    click.echo(f"private      {private}  (keep it to yourself)\npublic       {public}\nfingerprint  {fingerprint}")
    return 0

"""How to come by the key, and what a verifier within the bundle can and cannot say: ``TRUST.md``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["trust"]


def trust(claim: Mapping[str, Any]) -> str:
    """The text of ``TRUST.md``."""
    keys = "\n".join(f"    {one}" for one in claim["signers"])
    return f"""# What to trust

**A verifier that lies in the bundle cannot vouch for itself.** Whoever could change the data could also
change `verify.py` and `verify.html` here. Use your own copy: from another bundle that you trust, from the
sources of fabrica, or `pip install fabrica` and `fabrica verify`. The ones in here are a help for reading,
and are covered by the signature as every other file is.

**The key does not lie in the bundle, on purpose.** Get it from whoever answers for the release on another
way than the one on which the bundle came: on paper, by telephone, from their web site, from your contract.
Ask them for the fingerprint and compare all of it. This bundle says that it was signed with

{keys}

but a forged bundle would say so too. The fingerprint of a key that you hold:

    openssl pkey -pubin -in signer.pub.pem -outform DER | sha256sum

## How to check

    fabrica verify BUNDLE --key signer.pub.pem        # with fabrica: also reckons again what can be reckoned
    python verify.py FOLDER --key signer.pub.pem      # needs Python 3.9 or later and the package `cryptography`

or open `verify.html` in a browser, without a network, and give it the folder and the key. `fabrica verify`
reads a .zip as it is; for the other two unpack it first. Exit codes: 0 all
holds, 1 something does not, 2 there is nothing to check, or it cannot be read.

## What is checked

- `attestation.dsse.json` is a DSSE envelope with an in-toto Statement, signed with Ed25519. It names every
  other file of the bundle with its SHA-256, these ones too. A file that was changed, added, taken away or
  renamed is found.
- The release has not expired ({claim['expires']}), and is of a version that the verifier knows.
- The verdict of the gate follows from its tests and thresholds.
- `fabrica verify` also counts rows and columns, reckons the epsilon from the ledger's events, and takes the
  marks off a Parquet file to see that it is the file that the gate judged.

## What a signature does not say

That the numbers are true. It says who answers for them, and that nothing was changed since. Whoever holds
the real table and fabrica can run the gate again; the owner of the source can show with the key of its
digest which file it was.
"""

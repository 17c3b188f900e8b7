"""What is signed and how: a Statement about the files of a bundle, in an envelope with signatures.

in-toto Attestation Framework, Statement v1: subjects with digests, and a predicate of a type of our own that says what
page one says. DSSE v1: what is signed is the type and the payload with their lengths (pre-authentication encoding), so
that neither can pass for the other. Read strictly: the envelope has one canonical text, each signature names its key by
the fingerprint, and the statement names all who signed, so that none can be taken away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fabrica.bundle.canonical import base64_of, bytes_of, canonical, parse_canonical
from fabrica.bundle.keys import fingerprint
from fabrica.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = ["ATTESTATION", "FORMAT", "Statement", "pae", "sealed", "unsealed"]

ATTESTATION = "attestation.dsse.json"  #: the only file that the signature does not cover, since it holds it
FORMAT = 1  #: of bundles
PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:fabrica:release:"
HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Statement:
    """``digests``: name of a file -> its SHA-256; ``claim``: what page one says, as texts and whole numbers."""

    digests: Mapping[str, str]
    claim: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        subject = [{"digest": {"sha256": digest}, "name": name} for name, digest in sorted(self.digests.items())]
        return {"_type": STATEMENT, "predicateType": f"{PREDICATE}{FORMAT}", "subject": subject,
                "predicate": dict(self.claim)}

    @classmethod
    def from_json(cls, plain: Any, where: str = ATTESTATION) -> Statement:
        """The statement that ``to_json`` told of; ``InputError`` where anything is otherwise."""
        kind = plain.get("predicateType") if isinstance(plain, Mapping) else None
        if kind != f"{PREDICATE}{FORMAT}" and str(kind).startswith(PREDICATE):
            raise InputError("the bundle was made by another version of fabrica", where=where,
                             hint="check it with that version, or with a later one")
        try:
            found = cls({one["name"]: one["digest"]["sha256"] for one in plain["subject"]}, dict(plain["predicate"]))
            if found.to_json() != plain or not all(HEX.fullmatch(digest) for digest in found.digests.values()):
                raise ValueError
            return found
        except (LookupError, TypeError, ValueError, AttributeError):
            raise InputError("holds no statement about a release", where=where) from None


def pae(kind: str, payload: bytes) -> bytes:
    """What DSSE signs.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def sealed(statement: Statement, keys: Sequence[Ed25519PrivateKey]) -> bytes:
    """The envelope with one signature of each key, as the text of the file."""
    payload = canonical(statement.to_json())
    signatures = [{"keyid": fingerprint(key.public_key()), "sig": base64_of(key.sign(pae(PAYLOAD, payload)))}
                  for key in keys]
    return canonical({"payload": base64_of(payload), "payloadType": PAYLOAD,
                      "signatures": sorted(signatures, key=lambda one: one["keyid"])})


def unsealed(raw: bytes, keys: Sequence[Ed25519PublicKey], where: str = ATTESTATION) -> Statement:
    """The statement in an envelope that all of ``keys``, and nobody else, have signed.

    Raises
    ------
    InputError : the text is not canonical, of another type or version, a signature does not hold or is of none of the
        keys, a key did not sign.
    """
    plain = parse_canonical(raw, where)
    signatures = plain.get("signatures") if isinstance(plain, dict) else None
    if not isinstance(signatures, list) or set(plain) != {"payload", "payloadType", "signatures"}:
        raise InputError("is no envelope of a release", where=where)
    if plain["payloadType"] != PAYLOAD:
        raise InputError("the envelope holds another type of content than a statement", where=where)
    payload = bytes_of(plain["payload"], f"{where}, payload")
    _check(signatures, {fingerprint(key): key for key in keys}, pae(PAYLOAD, payload), where)
    statement = Statement.from_json(parse_canonical(payload, f"{where}, payload"), where)
    if statement.claim.get("signers") != [one["keyid"] for one in signatures]:
        raise InputError("the signatures are not those of the keys that the statement names", where=where)
    return statement


def _check(signatures: list[Any], keys: Mapping[str, Ed25519PublicKey], signed: bytes, where: str) -> None:
    """Every signature is of one of the keys and holds; every key has signed, once."""
    from cryptography.exceptions import InvalidSignature

    if any(not isinstance(one, dict) or set(one) != {"keyid", "sig"} for one in signatures):
        raise InputError("a signature is not written as it must be", where=where)
    names = [one["keyid"] for one in signatures]
    if names != sorted(set(names), key=str):
        raise InputError("the signatures are not in their order, or one stands twice", where=where)
    for one in signatures:
        if one["keyid"] not in keys:
            raise InputError("is signed with another key than the one given", where=where,
                             hint="a bundle with several signatures needs --key for each")
        try:
            keys[one["keyid"]].verify(bytes_of(one["sig"], f"{where}, signature"), signed)
        except InvalidSignature:
            raise InputError("the signature does not hold: what was signed, or the signature, was changed",
                             where=where) from None
    if set(names) != set(keys):
        raise InputError("a key was given that has not signed", where=where)

"""The keys that sign and check: Ed25519 (RFC 8032) in PEM files, as ``openssl genpkey -algorithm ed25519`` makes them.

A key's fingerprint is the SHA-256 of its public part (SubjectPublicKeyInfo, DER), the same that
``openssl pkey -pubin -in signer.pub.pem -outform DER | sha256sum`` prints.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fabrica.errors import InputError, OutputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = ["fingerprint", "new_key", "public_key", "signing_key"]

MAKE = "'fabrica key signer.pem' makes one"
ASK = "ask whoever signed for their public key, on another way than the bundle came"


def new_key(path: str | Path, password: bytes | None = None) -> tuple[Path, Path, str]:
    """Make a pair of keys: the private one at ``path`` (readable by its owner alone), the public one beside it as
    ``NAME.pub.pem``; gives both paths and the fingerprint. With a ``password`` the private one is locked.

    Raises
    ------
    OutputError : one of the files is there already, or cannot be written.
    """
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private, key = Path(path).expanduser(), Ed25519PrivateKey.generate()
    public = private.with_name(f"{private.name.removesuffix('.pem')}.pub.pem")
    lock = form.BestAvailableEncryption(password) if password else form.NoEncryption()
    for file in (private, public):
        if os.path.lexists(file):
            raise OutputError("is there already, and a key that was used must not be lost", where=str(file),
                              hint="choose another name")
    _create(private, key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, lock), 0o600)
    _create(public, key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo), 0o644)
    return private, public, fingerprint(key.public_key())


def _create(path: Path, raw: bytes, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(raw)
    except OSError as error:
        raise OutputError(f"cannot be written ({(error.strerror or '').lower()})", where=str(path)) from None


def signing_key(path: str | Path, password: bytes | None = None) -> Ed25519PrivateKey:
    """The private key in a PEM file.

    Raises
    ------
    InputError : there is none, it is locked or the password is wrong, it is a public key or one of another kind.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    raw, where = _read(path, MAKE), str(path)
    if b"PUBLIC KEY-----" in raw:
        raise InputError("is a public key, and a release is signed with the private one", where=where)
    locked = b"ENCRYPTED" in raw
    if locked and password is None:
        raise InputError("is locked with a password", where=where,
                         hint="put it into a variable of the environment and name that: --password-env NAME")
    key: Any = _loaded(lambda: load_pem_private_key(raw, password if locked else None), where, MAKE,
                       "cannot be opened with this password" if locked else "")
    return _ed25519(key, Ed25519PrivateKey, where, MAKE)


def public_key(path: str | Path) -> Ed25519PublicKey:
    """The public key in a PEM file.

    Raises
    ------
    InputError : there is none, it is a private key or one of another kind.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    raw, where = _read(path, ASK), str(path)
    if b"PRIVATE KEY-----" in raw:
        raise InputError("is a private key, which only its owner should hold", where=where,
                         hint="check with the public one, such as signer.pub.pem")
    key: Any = _loaded(lambda: load_pem_public_key(raw), where, ASK)
    return _ed25519(key, Ed25519PublicKey, where, ASK)


def _loaded(load: Any, where: str, hint: str, words: str = "") -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return load()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(words or "is no key in PEM", where=where,
                         hint=None if words else hint) from None


def _ed25519(key: Any, kind: type, where: str, hint: str) -> Any:
    if not isinstance(key, kind):
        raise InputError("is a key of another kind than Ed25519", where=where, hint=hint)
    return key


def _read(path: str | Path, hint: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise InputError(f"the key cannot be read ({(error.strerror or '').lower()})", where=str(path), hint=hint
                         ) from None


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the public key, 64 hexadecimal digits."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()

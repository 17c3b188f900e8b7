"""Checks a release of fabrica without fabrica: the signature, every byte of every file, the expiry, the gate's verdict.

    python verify.py FOLDER --key signer.pub.pem [--key another.pub.pem]

FOLDER is the bundle; unpack a .zip of it first. Needs Python 3.9 or later
and the package ``cryptography``, and no network. Exit code 0: all holds; 1: something does not; 2: there is nothing to
check, or a file cannot be read. A copy that lies in a bundle cannot vouch for itself: use your own (TRUST.md). Rows,
epsilon, policy and evidence are reckoned again by ``fabrica verify`` alone.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import stat
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ATTESTATION, PAYLOAD = "attestation.dsse.json", "application/vnd.in-toto+json"
STATEMENT, PREDICATE = "https://in-toto.io/Statement/v1", "urn:fabrica:release:"
PART = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?"
NAME, LARGE = re.compile(rf"{PART}(?:/{PART}){{0,3}}"), 1 << 26


class Broken(Exception):
    """Something does not hold."""


class Unusable(Exception):
    """There is nothing to check, or nothing to check it with."""


def demand(condition: object, words: str) -> None:
    if not condition:
        raise Broken(words)


def parsed(raw: bytes, where: str, strict: bool) -> Any:
    """JSON without a name that stands twice; where ``strict``, in its one canonical text and without floats."""
    def once(pairs: list) -> dict:
        demand(len(dict(pairs)) == len(pairs), f"{where}: a name stands twice in one object")
        return dict(pairs)

    def no_number(text: str) -> None:
        raise Broken(f"{where}: {text} is no number that may stand there")

    try:
        plain = json.loads(raw.decode(), object_pairs_hook=once, parse_constant=no_number,
                           parse_float=no_number if strict else float)
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Broken(f"{where}: is not JSON in UTF-8") from None
    demand(not strict or text == raw, f"{where}: is not written in the one canonical way")
    return plain


def unbase64(text: str, where: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    demand(raw and base64.b64encode(raw).decode() == text, f"{where}: is not base64 in its canonical form")
    return raw


def files_in(root: Path) -> dict[str, Path]:
    """Every file of a folder by its name; links, devices and empty folders are none of a bundle."""
    found: dict[str, Path] = {}
    for path in sorted(root.rglob("*")):
        name, mode = path.relative_to(root).as_posix(), path.lstat().st_mode
        demand(stat.S_ISREG(mode) or (stat.S_ISDIR(mode) and any(path.iterdir())),
               f"{name}: is a link, a device or an empty folder")
        if stat.S_ISREG(mode):
            found[name] = path
    return found


def small(files: dict[str, Path], name: str) -> bytes:
    demand(name in files and files[name].stat().st_size < LARGE, f"{name}: is missing, or far larger than it can be")
    return files[name].read_bytes()


def statement(raw: bytes, keys: dict[str, Any]) -> Any:
    """What all of the keys, and nobody else, have signed."""
    from cryptography.exceptions import InvalidSignature

    plain = parsed(raw, ATTESTATION, True)
    demand(set(plain) == {"payload", "payloadType", "signatures"}, f"{ATTESTATION}: is no envelope of a release")
    demand(plain["payloadType"] == PAYLOAD, "the envelope holds another type of content than a statement")
    payload, names = unbase64(plain["payload"], "the payload"), [one["keyid"] for one in plain["signatures"]]
    demand(names == sorted(set(names)), "the signatures are not in their order, or one stands twice")
    signed = b"DSSEv1 %d %b %d %b" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)
    for one in plain["signatures"]:
        demand(set(one) == {"keyid", "sig"}, "a signature is not written as it must be")
        demand(one["keyid"] in keys, "is signed with another key than the one given")
        try:
            keys[one["keyid"]].verify(unbase64(one["sig"], "a signature"), signed)
        except InvalidSignature:
            raise Broken("the signature does not hold: what was signed, or the signature, was changed") from None
    demand(set(names) == set(keys), "a key was given that has not signed")
    said = parsed(payload, "the payload", True)
    kind = str(said["predicateType"])
    demand(kind == PREDICATE + "1" or not kind.startswith(PREDICATE), "was made by another version of fabrica")
    demand(said["_type"] == STATEMENT and kind == PREDICATE + "1", "the envelope holds no statement about a release")
    demand(said["predicate"]["signers"] == names, "the signatures are not those that the statement names")
    return said


def problems(files: dict[str, Path], said: Any, today: str) -> list[str]:
    """What does not hold, a sentence each."""
    digests = {one["name"]: one["digest"]["sha256"] for one in said["subject"]}
    here = set(files) - {ATTESTATION}
    found = [f"{name}: the file is missing" for name in sorted(set(digests) - here)]
    found += [f"{name}: nobody signed this file" for name in sorted(here - set(digests))]
    for name in sorted(set(digests) & here):
        digest = hashlib.sha256()
        with files[name].open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        demand(NAME.fullmatch(name), f"{name[:80]!r}: no file of a bundle is called so")
        if digest.hexdigest() != digests[name]:
            found.append(f"{name}: was changed after it was signed")
    if today > said["predicate"]["expires"]:
        found.append(f"the release expired on {said['predicate']['expires']}")
    return found or undecided(parsed(small(files, "evidence/gate.json"), "gate.json", False), said["predicate"])


def undecided(gate: Any, claim: Any) -> list[str]:
    """Where the verdict does not follow from the tests of the gate."""
    verdicts = [test["verdict"] for test in gate["tests"]]
    follows = next((one for one in ("FAIL", "INCONCLUSIVE", "PASS") if one in verdicts), "INCONCLUSIVE")
    found = [f"test {test['name']} says PASS, and its bound is beyond its threshold"
             for test in gate["tests"] if test["verdict"] == "PASS" and "threshold" in test
             and test.get("high", test.get("value", float("-inf"))) > test["threshold"]]
    agrees = follows == gate["verdict"] == claim["verdict"]
    return found if agrees else [*found, "the verdict does not follow from the tests of the gate"]


def page_one(claim: Any) -> list[str]:
    lines = [f"{claim['verdict']} under policy {claim['policy']} at tier {claim['tier']} on {claim['tests']} tests",
             *(f"released without a pass, because: {one}" for one in [claim["without_pass"]] if one),
             *(f"decided before about the same file: {one}" for one in claim["before"]),
             *(f"told to everybody though judged at tier {claim['tier']}, because: {one}"
               for one in [claim["beyond_tier"]] if one),
             *(f"waiver: {one}" for one in claim["waivers"]),
             *(f"approval recorded by the signer: {one['role']}: {one['name']}" for one in claim["approvals"]),
             f"approvals: {claim['approvals_counted']} (the policy asks for {claim['approvals_asked']}), "
             f"keys that signed: {len(claim['signers'])}",
             f"purpose: {claim['purpose'] or 'not stated'}",
             f"recipients: {', '.join(claim['recipients']) or 'not stated'}",
             f"people: {claim['source']}", f"likeness to the real rows: {claim['likeness']}",
             f"valid until {claim['expires']}; epsilon: {claim['epsilon'] or 'none is claimed'}"]
    return [re.sub(r"[\x00-\x1f\x7f-\x9f]", "?", line) for line in lines]


def keys_in(paths: list[str]) -> dict[str, Any]:
    """Fingerprint -> public key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    found = {}
    for path in paths:
        raw = Path(path).read_bytes()
        if b"PRIVATE KEY-----" in raw:
            raise Unusable(f"{path}: is a private key, which only its owner should hold; give the public one")
        try:
            key = load_pem_public_key(raw)
        except (ValueError, UnsupportedAlgorithm):
            raise Unusable(f"{path}: holds no public key in PEM") from None
        if not isinstance(key, Ed25519PublicKey):
            raise Unusable(f"{path}: is a key of another kind than Ed25519")
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        found[hashlib.sha256(der).hexdigest()] = key
    return found


def checked(path: Path, named: list[str]) -> tuple[list[str], list[str]]:
    """What does not hold, and page one where all does."""
    keys = keys_in(named)
    if not path.is_dir() or not any(path.iterdir()):
        raise Unusable(f"{path}: is no folder of a bundle; unpack a .zip first")
    try:
        files = files_in(path)
        said = statement(small(files, ATTESTATION), keys)
        lines = page_one(said["predicate"])
        found = problems(files, said, datetime.now(timezone.utc).date().isoformat())  # noqa: UP017 - Python 3.9
        return found, [] if found else lines
    except Broken as error:
        return [str(error)], []
    except (LookupError, TypeError, ValueError, AttributeError):
        return ["it cannot be read as a bundle"], []


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser("verify.py", None, __doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", action="append", required=True, help="public key of a signer; once for each")
    asked = parser.parse_args(words)
    try:
        found, lines = checked(asked.folder, asked.key)
    except Unusable as error:
        sys.stderr.write(f"cannot be checked: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"cannot be checked: {error.filename or asked.folder}: cannot be read ({error.strerror})\n")
        return 2
    except ImportError:
        sys.stderr.write("cannot be checked: the package cryptography is missing; pip install cryptography\n")
        return 2
    head = [f"DOES NOT HOLD: {one}" for one in found] or ["HOLDS: the signature, and every byte of every file"]
    sys.stdout.write("".join(f"{line}\n" for line in [*head, *lines]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

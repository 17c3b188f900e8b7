"""Ways to change a bundle, each a small careless or hostile act; every one must be found by every verifier."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from fabrica.bundle.canonical import canonical
from fabrica.bundle.envelope import ATTESTATION, Statement, sealed, unsealed
from fabrica.bundle.keys import public_key, signing_key

Act = Callable[[Path], object]


def files(bundle: Path) -> list[Path]:
    return sorted(path for path in bundle.rglob("*") if path.is_file())


def flip(name: str, at: int, mask: int) -> Act:
    """One byte of a file is another."""
    def act(bundle: Path) -> None:
        raw = bytearray((bundle / name).read_bytes())
        raw[at] ^= mask
        (bundle / name).write_bytes(raw)
    return act


def flips(bundle: Path, step: int, names: list[str] | None = None) -> Iterator[tuple[str, str, Act]]:
    """Every ``step``-th byte of every file, with every mask in turn: label, file, act."""
    masks, count = (0x01, 0x80, 0x20, 0xFF), 0
    for path in files(bundle):
        name = path.relative_to(bundle).as_posix()
        if names is not None and name not in names:
            continue
        for at in range(0, path.stat().st_size, step):
            count += 1
            mask = masks[count % 4]
            yield f"flip {name}[{at}] ^ {mask:#x}", name, flip(name, at, mask)


def envelope(change: Callable[[dict], object], canonically: bool = True) -> Act:
    """The envelope is another."""
    def act(bundle: Path) -> None:
        plain = json.loads((bundle / ATTESTATION).read_bytes())
        plain = change(plain) or plain
        (bundle / ATTESTATION).write_bytes(canonical(plain) if canonically else json.dumps(plain).encode())
    return act


def signature(change: Callable[[dict], object]) -> Act:
    """The first signature is another."""
    return envelope(lambda plain: change(plain["signatures"][0]) and None)


def text(change: Callable[[bytes], bytes]) -> Act:
    """The text of the envelope is another."""
    def act(bundle: Path) -> None:
        raw = (bundle / ATTESTATION).read_bytes()
        assert change(raw) != raw
        (bundle / ATTESTATION).write_bytes(change(raw))
    return act


def payload(change: Callable[[dict], object]) -> Act:
    """What was signed is another, the signature is not."""
    def act(plain: dict) -> None:
        said = json.loads(base64.b64decode(plain["payload"]))
        change(said)
        plain["payload"] = base64.b64encode(canonical(said)).decode()
    return envelope(act)


def stray_bits(plain: dict) -> None:
    """The same bytes in base64 that another program might write: the last sign before the padding has unused bits."""
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    sig = plain["signatures"][0]["sig"]
    at = len(sig.rstrip("=")) - 1
    plain["signatures"][0]["sig"] = sig[:at] + signs[signs.index(sig[at]) ^ 1] + sig[at + 1:]


def second_signature(plain: dict) -> None:
    one = plain["signatures"][0]
    plain["signatures"].append({"keyid": "f" * 64, "sig": one["sig"]})


def twice(plain: dict) -> None:
    plain["signatures"].append(plain["signatures"][0])


def link(bundle: Path) -> None:
    outside = bundle.parent / "outside.md"
    shutil.move(bundle / "limits.md", outside)
    (bundle / "limits.md").symlink_to(outside)


def resigned(bundle, keys, change):
    """The bundle signed again by its own producer, who changed the statement or files first."""
    statement = unsealed((bundle / ATTESTATION).read_bytes(), [public_key(keys[1])])
    said = statement.to_json()
    change(said)
    digests = {one["name"]: one["digest"]["sha256"] for one in said["subject"]}

    class Other(Statement):
        def to_json(self):
            return {**super().to_json(), "predicateType": said["predicateType"]}

    (bundle / ATTESTATION).write_bytes(sealed(Other(digests, said["predicate"]), [signing_key(keys[0])]))


def changed(bundle, keys, name, change):
    """A producer's own hand changes the bytes of a file and signs them."""
    raw = (bundle / name).read_bytes()
    (bundle / name).write_bytes(change(raw))
    sizes = {name: (bundle / name).stat().st_size}
    new = {name: hashlib.sha256((bundle / name).read_bytes()).hexdigest()}
    listing = json.loads((bundle / "manifest.json").read_bytes())
    for one in listing["files"]:
        if one["name"] == name:
            one["sha256"], one["bytes"] = new[name], sizes[name]
    if name != "manifest.json":
        (bundle / "manifest.json").write_text(json.dumps(listing))
    new["manifest.json"] = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    resigned(bundle, keys, lambda said: [one["digest"].update(sha256=new[one["name"]]) for one in said["subject"]
                                         if one["name"] in new])


def parsed(change):
    """A change of a JSON file, from that of its plain value."""
    def act(raw):
        plain = json.loads(raw)
        change(plain)
        return json.dumps(plain).encode()
    return act


ACTS: dict[str, Act] = {
    "added file": lambda b: (b / "evidence" / "more.json").write_text("{}"),
    "added hidden file": lambda b: (b / ".DS_Store").write_bytes(b"\0"),
    "added empty file": lambda b: (b / "data" / "part").touch(),
    "added empty folder": lambda b: (b / "data" / "more").mkdir(),
    "removed file": lambda b: (b / "limits.md").unlink(),
    "removed data": lambda b: next((b / "data").iterdir()).unlink(),
    "removed attestation": lambda b: (b / ATTESTATION).unlink(),
    "removed manifest": lambda b: (b / "manifest.json").unlink(),
    "renamed file": lambda b: (b / "limits.md").rename(b / "limit.md"),
    "renamed in capitals": lambda b: (b / "limits.md").rename(b / "LIMITS.md"),
    "two names swapped": lambda b: [(b / "limits.md").rename(b / "x"), (b / "TRUST.md").rename(b / "limits.md"),
                                    (b / "x").rename(b / "TRUST.md")],
    "moved file": lambda b: (b / "limits.md").rename(b / "evidence" / "limits.md"),
    "link in place of a file": link,
    "link to a folder": lambda b: (b / "more").symlink_to(b / "evidence"),
    "trailing byte in a file": lambda b: (b / "limits.md").open("ab").write(b"\n"),
    "file cut short": lambda b: (b / "limits.md").write_bytes((b / "limits.md").read_bytes()[:-1]),
    "file emptied": lambda b: (b / "limits.md").write_bytes(b""),
    "a name with other letters": lambda b: (b / "data" / "d\u0430ta.csv").touch(),
    "trailing bytes after the envelope": text(lambda raw: raw + b"\n"),
    "leading byte order mark": text(lambda raw: b"\xef\xbb\xbf" + raw),
    "spaces in the envelope": text(lambda raw: raw.replace(b'":"', b'": "', 1)),
    "duplicate name in the envelope": text(lambda raw: b'{"payloadType":"x",' + raw[1:]),
    "duplicate name at the end": text(lambda raw: raw[:-1] + b',"payload":"AA=="}'),
    "escaped letter in the envelope": text(lambda raw: raw.replace(b"payloadType", b"p\\u0061yloadType")),
    "unknown name in the envelope": envelope(lambda e: e.update(more=1)),
    "no payload": envelope(lambda e: e.pop("payload") and None),
    "NaN in the envelope": text(lambda raw: raw.replace(b'{"keyid"', b'{"a":NaN,"keyid"', 1)),
    "a list for an envelope": envelope(lambda e: [e]),
    "no JSON": text(lambda raw: b"PK"),
    "empty envelope": text(lambda raw: b""),
    "deeply nested": text(lambda raw: b"[" * 100_000),
    "another payload type": envelope(lambda e: e.update(payloadType="text/plain")),
    "no signature": envelope(lambda e: e.update(signatures=[])),
    "signatures are no list": envelope(lambda e: e.update(signatures={})),
    "an extra signature": envelope(second_signature),
    "a signature twice": envelope(twice),
    "another key's name": envelope(lambda e: e["signatures"][0].update(keyid="0" * 64)),
    "a key's name in capitals": signature(lambda one: one.update(keyid=one["keyid"].upper())),
    "unknown name in a signature": envelope(lambda e: e["signatures"][0].update(cert="x")),
    "stray bits in base64": envelope(stray_bits),
    "base64 without padding": signature(lambda one: one.update(sig=one["sig"].rstrip("="))),
    "base64 with a line end": envelope(lambda e: e.update(payload=e["payload"] + "\n")),
    "base64 of another alphabet": signature(lambda one: one.update(sig="-_" + one["sig"][2:])),
    "empty signature": envelope(lambda e: e["signatures"][0].update(sig="")),
    "signature of zeros": envelope(lambda e: e["signatures"][0].update(sig=base64.b64encode(bytes(64)).decode())),
    "a number for a signature": envelope(lambda e: e["signatures"][0].update(sig=1)),
    "later expiry": payload(lambda s: s["predicate"].update(expires="2999-01-01")),
    "better verdict": payload(lambda s: s["predicate"].update(tier="public")),
    "a subject less": payload(lambda s: s["subject"].pop()),
    "a subject that leads out": payload(lambda s: s["subject"].append({"name": "../x", "digest": {}})),
    "later version": payload(lambda s: s.update(predicateType="urn:fabrica:release:2")),
    "foreign predicate": payload(lambda s: s.update(predicateType="https://slsa.dev/provenance/v1")),
}

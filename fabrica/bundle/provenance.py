"""Where a release comes from: entities, activities and agents of W3C PROV, as PROV-JSON.

The source is named by a *keyed* digest (HMAC-SHA256, RFC 2104): whoever holds the key, the owner of the data, can show
which file it was. A plain digest of a small or guessable table would let anybody confirm a guess of it.
"""

from __future__ import annotations

import hashlib
import hmac
import platform
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from fabrica.bundle import public
from fabrica.bundle.made import Made
from fabrica.dataset import Dataset
from fabrica.origin import Origin, keyed
from fabrica.privacy.noise import secret
from fabrica.version import VERSION

__all__ = ["config", "keyed_digest", "new_secret", "provenance"]

STEP = 1 << 20
PUBLIC_CONFIG = ("engine", "settings", "profile", "privacy", "unit", "target")  #: neither files nor the seed


def new_secret() -> bytes:
    """A key of 256 bits that nobody knows.

    >>> len(new_secret())
    32
    """
    return b"".join(secret().to_bytes(16, "big") for _ in range(2))


def keyed_digest(path: Path, key: bytes) -> str:
    """HMAC-SHA256 of a file; of a folder, of its files in the order of their names."""
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for file in files:
        with file.open("rb") as stream:
            while piece := stream.read(STEP):
                digest.update(piece)
    return digest.hexdigest()


def config(made: Made, profile: str) -> dict[str, Any]:
    """What was asked for, without the folders where files lay. The public profile has no seed: with it whoever guesses
    the source could make the same rows again, and so know that the guess is right."""
    told = {name: value for name, value in made.recipe.items() if value not in (None, "", {}) and name != "account"}
    for name in ("data", "holdout", "schema", "rules"):
        if isinstance(told.get(name), str):
            told[name] = Path(told[name].replace("\\", "/")).name
        elif name in ("schema", "rules") and name in told:
            told[name] = "(given)"
    return {name: value for name, value in told.items() if profile == "internal" or name in PUBLIC_CONFIG}


def source_of(made: Made) -> Path | None:
    """The real table, where it still lies where the recipe says, and is the one that was learned from."""
    said, origin = made.recipe.get("data"), made.folder / "origin.json"
    path = Path(said) if isinstance(said, str) and said else None
    if path is None or not path.exists():
        return None
    if not origin.exists():
        return path
    learned = Origin.load(origin)
    return path if keyed(learned.key, [part.path for part in Dataset.open(path).parts]) == learned.digest else None


def provenance(made: Made, claim: Mapping[str, Any], digests: Mapping[str, str], key: bytes | None, now: datetime
               ) -> dict[str, Any]:
    """The content of ``provenance.json``; ``digests`` of what was released, ``key`` of the source's digest."""
    return {"prefix": {"fabrica": "urn:fabrica:", "prov": "http://www.w3.org/ns/prov#"},
            "entity": {"fabrica:source": _source(made, claim["profile"], key),
                       "fabrica:judged": {"prov:type": "synthetic rows, as the gate judged them",
                                          "fabrica:sha256": made.digest},
                       **{f"fabrica:{name}": {"prov:type": "released file", "fabrica:sha256": digest}
                          for name, digest in digests.items()}},
            "activity": {"fabrica:synthesis": {"fabrica:config": "config.json", "fabrica:engine":
                                               str(made.recipe.get("engine") or "")},
                         "fabrica:gate": {"prov:endTime": made.decision.made,
                                          "fabrica:policy": made.decision.policy.name,
                                          "fabrica:tier": made.decision.tier},
                         "fabrica:release": {"prov:endTime": now.isoformat(timespec="seconds")}},
            "agent": {"fabrica:software": {"prov:type": "prov:SoftwareAgent", "fabrica:version": VERSION,
                                           "fabrica:python": platform.python_version(), "fabrica:lock": "lock.txt"},
                      **{f"fabrica:approver-{i}": {"prov:type": "prov:Person", "prov:label": f"{one['role']}: "
                                                   f"{one['name']}"} for i, one in enumerate(claim["approvals"], 1)}},
            "used": {"_:u1": {"prov:activity": "fabrica:synthesis", "prov:entity": "fabrica:source"},
                     "_:u2": {"prov:activity": "fabrica:gate", "prov:entity": "fabrica:judged"}},
            "wasGeneratedBy": {"_:g1": {"prov:entity": "fabrica:judged", "prov:activity": "fabrica:synthesis"},
                               **{f"_:r{i}": {"prov:entity": f"fabrica:{name}", "prov:activity": "fabrica:release"}
                                  for i, name in enumerate(digests, 1)}},
            "wasDerivedFrom": {"_:d1": {"prov:generatedEntity": "fabrica:judged", "prov:usedEntity": "fabrica:source"}},
            "wasAssociatedWith": {"_:a1": {"prov:activity": "fabrica:synthesis", "prov:agent": "fabrica:software"}}}


def _source(made: Made, profile: str, key: bytes | None) -> dict[str, Any]:
    found: dict[str, Any] = {"prov:type": "real table, which is not part of the bundle"}
    if made.real_rows is not None and not (made.ledger and profile == "public"):
        found["fabrica:rows"] = public.five(made.real_rows) if profile == "public" else made.real_rows
    path = source_of(made)
    if key is None or path is None:
        return {**found, "fabrica:digest": "none: the source was not at hand, or had changed, when the bundle was made"}
    return {**found, "fabrica:hmac_sha256": keyed_digest(path, key),
            "fabrica:digest": "HMAC-SHA256 with a key that stays with the owner of the source"}

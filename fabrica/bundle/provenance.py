"""Where a release comes from: entities, activities and agents of W3C PROV, as PROV-JSON.

The source is named by the *keyed* digest of its origin, which was taken when it was learned from: whoever holds the
key, the owner of the data, can show which file it was. A plain digest of a small or guessable table would let anybody
confirm a guess of it.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from fabrica.bundle import public
from fabrica.bundle.made import Made
from fabrica.version import VERSION

__all__ = ["config", "provenance"]

PUBLIC_CONFIG = ("engine", "settings", "profile", "privacy", "unit", "target")  #: neither files nor the seed


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


def provenance(made: Made, claim: Mapping[str, Any], digests: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """The content of ``provenance.json``; ``digests`` of what was released."""
    return {"prefix": {"fabrica": "urn:fabrica:", "prov": "http://www.w3.org/ns/prov#"},
            "entity": {"fabrica:source": _source(made, claim["profile"]),
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


def _source(made: Made, profile: str) -> dict[str, Any]:
    found: dict[str, Any] = {"prov:type": "real table, which is not part of the bundle"}
    if made.real_rows is not None and not (made.ledger and profile == "public"):
        found["fabrica:rows"] = public.five(made.real_rows) if profile == "public" else made.real_rows
    if made.origin is None or not made.origin.digest:
        return {**found, "fabrica:digest": "none: nobody noted which files it lay in when it was learned from"}
    return {**found, "fabrica:hmac_sha256": made.origin.digest,
            "fabrica:digest": "HMAC-SHA256 over the SHA-256 of each of its files, with a key that stays with its owner"}

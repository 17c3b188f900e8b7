"""What software made a release: a lock of installed versions, and the same as a CycloneDX 1.6 bill of materials.

Only what fabrica asks for, directly or through others, is listed: what else lies in the environment is nobody's
business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

from fabrica.version import VERSION

__all__ = ["bill", "installed", "lock"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@cache
def installed(root: str = "fabrica") -> tuple[Distribution, ...]:
    """The distribution and all that it asks for and that is installed, sorted by name.

    >>> "numpy" in {one.metadata["Name"] for one in installed()}
    True
    """
    found: dict[str, Distribution] = {}
    left = [root]
    while left:
        name = _plain(left.pop())
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # an extra that is not installed
        left += [match[0] for text in found[name].requires or () if (match := NAME.match(text))]
    return tuple(found[name] for name in sorted(found))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock(found: Sequence[Distribution]) -> str:
    """A line ``name==version`` each.

    >>> "numpy==" in lock(installed())
    True
    """
    return "".join(f"{one.metadata['Name']}=={one.version}\n" for one in found)


def bill(found: Sequence[Distribution], claim: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """The bill of materials: the released files as what it is about, the software as its components."""
    released = [{"type": "machine-learning-model" if name == claim["model"] else "data", "bom-ref": f"file:{name}",
                 "name": name, "hashes": [{"alg": "SHA-256", "content": digest}]} for name, digest in digests.items()]
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{claim['bundle']}", "version": 1,
            "metadata": {"timestamp": claim["made"],
                         "tools": {"components": [{"type": "application", "name": "fabrica", "version": VERSION}]},
                         "component": {"type": "data", "bom-ref": f"bundle:{claim['bundle']}",
                                       "name": f"release {claim['bundle']}"}},
            "components": [*released, *map(_component, found)]}


def _component(one: Distribution) -> dict[str, Any]:
    name = one.metadata["Name"]
    said = {field: one.metadata[field] for field in ("License-Expression", "License") if field in one.metadata}
    licence = said.get("License-Expression") or _short(said.get("License"))
    found: dict[str, Any] = {"type": "library", "bom-ref": f"pkg:pypi/{_plain(name)}@{one.version}", "name": name,
                             "version": one.version, "purl": f"pkg:pypi/{_plain(name)}@{one.version}"}
    return {**found, "licenses": [{"license": {"name": licence}}]} if licence else found


def _short(text: str | None) -> str:
    """A licence by its name; some packages put its whole text there."""
    return text.strip() if text and "\n" not in text.strip() and len(text) <= 80 else ""

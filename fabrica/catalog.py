"""Finds a plugin by its file name and imports it on demand. Only this file knows where plugins live.

A family is a folder; a plugin is a file (or a folder of the same name) in it that defines one class of the family's
contract. Installed packages add their own through the entry-point group ``fabrica.<family>``: ``name = module`` or
``name = module:Class``.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from fabrica.errors import PluginError, UnknownName
from fabrica.identifying import KINDS

if TYPE_CHECKING:
    from fabrica.personal.detect.detector import Detector

__all__ = ["FAMILIES", "detectors", "names", "get"]

#: family -> (folders as packages, the contract's class)
FAMILIES: dict[str, tuple[tuple[str, ...], str]] = {
    "engines": (("fabrica.engines",), "contract.Engine"),
    "codecs": (("fabrica.codecs",), "contract.Codec"),
    "metrics": (("fabrica.metrics.fairness", "fabrica.metrics.fidelity", "fabrica.metrics.privacy",
                 "fabrica.metrics.utility"), "contract.Metric"),
    "sources": (("fabrica.sources",), "contract.Source"),
    "scenarios": (("fabrica.scenarios",), "generator.Kind"),
}


@cache
def _places(family: str) -> dict[str, str]:
    """plugin name -> module, without importing the plugins."""
    if family not in FAMILIES:
        raise UnknownName("family", family, list(FAMILIES))
    found: dict[str, str] = {}
    for package in FAMILIES[family][0]:
        folder = importlib.import_module(package)
        found |= {m.name: f"{package}.{m.name}" for m in pkgutil.iter_modules(folder.__path__) if m.name[0] != "_"}
    found |= {e.name: e.value for e in entry_points(group=f"fabrica.{family}")}
    return dict(sorted(found.items()))


def names(family: str) -> list[str]:
    """All plugins of a family, sorted.

    >>> "trees" in names("engines")
    True
    """
    return list(_places(family))


@cache
def get(family: str, name: str) -> Any:
    """The plugin's class.

    >>> get("engines", "independent").__name__
    'Independent'
    """
    places = _places(family)
    if name not in places:
        raise UnknownName(family.removesuffix("s"), name, list(places))
    path, _, wanted = places[name].partition(":")
    try:
        module = importlib.import_module(path)
    except Exception as error:  # a stranger's module may fail in any way
        if path.startswith("fabrica."):
            raise
        raise PluginError(f"cannot be imported ({type(error).__name__})", where=f"plugin {name!r} of {path}",
                          hint="mend or uninstall the package that brings it") from error
    where, _, name_of_base = FAMILIES[family][1].partition(".")
    base = getattr(importlib.import_module(f"fabrica.{where}"), name_of_base)
    own = [c for said, c in inspect.getmembers(module, inspect.isclass)
           if issubclass(c, base) and not inspect.isabstract(c)
           and (said == wanted if wanted else c.__module__.startswith(module.__name__))]
    if len(own) != 1:
        raise PluginError(f"must define exactly one {base.__name__}, and defines {len(own)}",
                          where=f"plugin {name!r} of {path}", hint="name it in the entry point: `name = module:Class`")
    return own[0]


@cache
def detectors() -> tuple[Detector, ...]:
    """Ways to recognise personal data that installed packages bring, through the entry-point group
    ``fabrica.detectors``: ``name = "module:detector"``.

    Raises
    ------
    PluginError : one cannot be imported, is no ``Detector``, or one of a kind that nobody knows.
    """
    from fabrica.personal.detect.detector import Detector

    found = []
    for entry in sorted(entry_points(group="fabrica.detectors"), key=lambda one: one.name):
        where = f"detector {entry.name!r} of {entry.value}"
        try:
            thing = entry.load()
        except Exception as error:  # a stranger's module may fail in any way
            raise PluginError(f"cannot be imported ({type(error).__name__})", where=where,
                              hint="mend or uninstall the package that brings it") from error
        if not isinstance(thing, Detector) or thing.kind not in KINDS:
            raise PluginError("must be a Detector of a known kind of personal data", where=where,
                              hint=f"kinds: {', '.join(KINDS)}")
        found.append(thing)
    return tuple(found)

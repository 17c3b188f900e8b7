"""``fabrica list``: the engines, metrics, codecs, sources and scenario kinds that are there, with their settings."""

from __future__ import annotations

import dataclasses
import json
from importlib.util import find_spec
from typing import Any

import click

from fabrica.catalog import FAMILIES
from fabrica.cli import options

__all__ = ["command"]


@click.command("list", short_help="List engines, metrics, codecs, sources and scenario kinds.")
@click.argument("family", required=False, type=click.Choice(list(FAMILIES)))
@options.common
def command(family: str | None, plain: bool, quiet: bool, debug: bool) -> int:
    """List what is there: engines, metrics, codecs, sources, scenario kinds; with a family, also the settings of each.

    \b
    Example:
      fabrica list engines
    """
    families = [family] if family else list(FAMILIES)
    found = {name: plugins(name) for name in families}
    if plain:
        click.echo(json.dumps(found, indent=2))
        return 0
    for name in families:
        told = [line for plugin in found[name] for line in lines(plugin, settings=family is not None)]
        click.echo("\n".join([name, *told, *([""] if family is None else [])]))
    return 0


def plugins(family: str) -> list[dict[str, Any]]:
    """Plain values about each plugin of a family; one that cannot be imported says so."""
    from fabrica import catalog

    found = []
    for name in catalog.names(family):
        try:
            way = catalog.get(family, name)
        except ImportError as error:
            found.append({"name": name, "title": f"not usable here: {error.name or 'a package'} is not installed"})
            continue
        about = {"name": name, "title": way.title, "source": getattr(way, "source", ""),
                 "lacks": lacking(way), "suffixes": list(getattr(way, "suffixes", ())),
                 "kinds": list(getattr(way, "kinds", ())), "settings": settings(way)}
        found.append({key: value for key, value in about.items() if value})
    return found


def lacking(way: Any) -> str:
    """How to get what a plugin needs and is not installed; empty where nothing is."""
    there = all(find_spec(package) for package in getattr(way, "needs", ()) if isinstance(package, str))
    return "" if there or not getattr(way, "extra", "") else f"pip install 'fabrica[{way.extra}]'"


def settings(way: Any) -> list[dict[str, Any]]:
    """Each setting of a plugin as plain values."""
    if not dataclasses.is_dataclass(way) or not hasattr(way, "settings"):
        return []
    return [{"name": name, "type": kind.__name__, "default": default, "help": setting.help, "low": setting.low,
             "high": setting.high, "choices": list(setting.choices)}
            for name, (kind, setting, default) in way.settings().items()]


def lines(plugin: dict[str, Any], settings: bool) -> list[str]:
    """A plugin for a person."""
    extra = " ".join(plugin.get("suffixes", plugin.get("kinds", [])))
    text = [f"  {plugin['name']:<14} {plugin['title']}{f' ({extra})' if extra else ''}"]
    text += [f"{'':<17}not installed: {plugin['lacks']}"] if "lacks" in plugin else []
    for one in plugin.get("settings", []) if settings else []:
        flag = f"--set {one['name']}={one['default']}"
        text.append(f"      {flag:<20} {one['help']}{limits(one)}")
    return text


def limits(one: dict[str, Any]) -> str:
    """The range of a setting.

    >>> limits({"choices": [], "low": 1, "high": None})
    ' (at least 1)'
    """
    low, high = one["low"], one["high"]
    if one["choices"]:
        return f" ({', '.join(one['choices'])})"
    if low is not None and high is not None:
        return f" ({low} to {high})"
    return f" (at least {low})" if low is not None else f" (at most {high})" if high is not None else ""

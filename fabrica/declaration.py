"""What a person writes down in YAML or JSON, as plain values; a name that stands twice is an error."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from fabrica.errors import InputError, UnknownName
from fabrica.schema import rules_of

__all__ = ["lines", "read", "read_rules"]

PAIR = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")  #: JSON's two halves of a sign
EXPONENT = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$")  #: a number that YAML 1.1 takes for a text


def read(path: str | Path, hint: str | None = None) -> Any:
    """The plain values in a file.

    Raises
    ------
    InputError : it cannot be read, is neither YAML nor JSON, or names something twice; with its line.
    """
    import yaml

    class Once(yaml.SafeLoader):
        """A loader that refuses a mapping in which a name stands twice, and aliases, of which a few lines make millions
        of values; 1e30 is a number."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                line = self.peek_event().start_mark.line + 1
                raise InputError("aliases (`*name`) are not understood", where=f"{path}, line {line}",
                                 hint="write the value out")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
            seen: set[Any] = set()
            for key, _ in node.value:
                name = key.value if isinstance(key, yaml.ScalarNode) else None
                if name is not None and name in seen and name != "<<":
                    raise InputError(f"{name!r} stands twice", where=f"{path}, line {key.start_mark.line + 1}")
                seen.add(name)
            return super().construct_mapping(node, deep)

    Once.add_implicit_resolver("tag:yaml.org,2002:float", EXPONENT, list("-+.0123456789"))
    try:
        return Once(PAIR.sub(_joined, Path(path).read_text(encoding="utf-8-sig"))).get_single_data()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except (UnicodeDecodeError, RecursionError):
        raise InputError("is not a text file in UTF-8 that can be read", where=str(path)) from None
    except (yaml.YAMLError, ValueError) as error:  # a date such as 2024-02-31 is a ValueError
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError("is neither YAML nor JSON", where=f"{path}{line}", hint=hint) from None


def _joined(pair: re.Match[str]) -> str:
    """The sign that two escaped halves stand for: YAML knows no halves."""
    high, low = (int(half, 16) for half in pair.groups())
    return chr(0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00)


def lines(path: str | Path) -> dict[tuple[str | int, ...], int]:
    """The line on which each part of a file begins: path of names and places -> line, from 1. The file is one that
    ``read`` has read."""
    import yaml

    found: dict[tuple[str | int, ...], int] = {}

    def walk(node: Any, path: tuple[str | int, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                here = (*path, str(key.value))
                found[here] = key.start_mark.line + 1
                walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                found[(*path, i)] = value.start_mark.line + 1
                walk(value, (*path, i))

    walk(yaml.compose(Path(path).read_text(encoding="utf-8-sig"), yaml.SafeLoader), ())
    return found


def read_rules(said: Any) -> tuple[str, ...]:
    """Rules from a file (a list, or a mapping with ``rules:``), a list of texts, or nothing.

    Raises
    ------
    InputError, SchemaError : the file cannot be read or holds something else; names the file and the rule.
    """
    if not isinstance(said, str | Path):
        return rules_of(said, "rules")
    hint = 'write a list: `- "end >= start"`, or `rules:` and the list below it'
    plain = read(said, hint)
    if not isinstance(plain, dict):
        if plain is None:
            raise InputError("holds no rules", where=str(said), hint=hint)
        return rules_of(plain, str(said))
    for name in plain:
        if name != "rules":
            raise UnknownName("section of a file of rules", str(name), ["rules"], where=str(said))
    return rules_of(plain["rules"], str(said))

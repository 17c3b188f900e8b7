"""The scenario: what one wishes to see of a generator. YAML, JSON or plain values, all checked before any work.

    rows: 1_000_000
    given: "age >= 18"
    shift: {income: {">50K": 0.40}, age: {mean: 52}}
    fair: {protected: sex, outcome: income, parity: 0.7}
    inject:
      - {kind: rare, where: "claim == 'fraud' and age > 70", share: 0.002, intensity: 0.8}
    missing: {cholesterol: {rate: 0.3, when: "age < 30"}}

It knows nothing of where the rows come from: ``staging.py`` plays it on any generator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabrica import catalog, declaration, wish
from fabrica.errors import InputError, PluginError, UnknownName
from fabrica.generator import Edit, Injection, Kind, Tilt
from fabrica.recipe import count
from fabrica.schema import Table

__all__ = ["Bound", "Scenario"]

VERSION = 1
SECTIONS = ("rows", "given", "rules", "shift", "fair", "inject", "missing", "origin")
ORIGINS = ("file", "columns")  #: where the origin of each row stands: beside the data, or in it


@dataclass(frozen=True)
class Scenario:
    """What one wishes to see.

    Parameters
    ----------
    rows : how many; None where whoever plays it says.
    given : a condition that all rows satisfy.
    rules : conditions and formulas that all rows obey.
    shift : column -> its new shares or moments.
    fair : protected attributes, outcome and the dial; or a list of such.
    inject : laws of their own, each with a share of the rows.
    missing : column -> the rate at which it is missing, and when.
    origin : ``file`` or ``columns``: whether the origin of each row stands beside the data or in it.
    where : the file that it was read from, and the line of each part.

    >>> Scenario.from_json({"shift": {"income": {">50K": 0.4}}}).shift
    {'income': {'>50K': 0.4}}
    """

    rows: int | None = None
    given: Any = None
    rules: tuple[str, ...] = ()
    shift: Mapping[str, Any] = field(default_factory=dict)
    fair: tuple[Mapping[str, Any], ...] = ()
    inject: tuple[Any, ...] = ()
    missing: Mapping[str, Any] = field(default_factory=dict)
    origin: str = "file"
    where: str = field(default="scenario", compare=False)
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, told: Any) -> Scenario:
        """Of a file, of plain values, or of a scenario as it is."""
        if isinstance(told, Scenario):
            return told
        return cls.load(told) if isinstance(told, str | Path) else cls.from_json(told)

    @classmethod
    def load(cls, path: str | Path) -> Scenario:
        """Read a YAML or JSON file.

        Raises
        ------
        InputError : it cannot be read, or a part of it is not as it must be; with its line.
        """
        return cls.from_json(declaration.read(path), str(path), declaration.lines(path))

    @classmethod
    def from_json(cls, plain: Any, where: str = "scenario",
                  lines: Mapping[tuple[str | int, ...], int] | None = None) -> Scenario:
        bare = cls(where=where, lines=lines or {})
        if not isinstance(plain, Mapping):
            raise InputError(f"a scenario must be a mapping of {', '.join(SECTIONS)}", where=where)
        for name in plain:
            if name not in (*SECTIONS, "fabrica_scenario"):
                raise UnknownName("section of a scenario", str(name), list(SECTIONS), where=bare.place(name))
        if plain.get("fabrica_scenario", VERSION) != VERSION:
            raise InputError("this scenario was written by a later version of fabrica", where=where)
        told = {name: plain[name] for name in SECTIONS if plain.get(name) is not None}
        for name in ("shift", "missing"):
            if not isinstance(told.get(name, {}), Mapping):
                raise InputError("must be a mapping of columns", where=bare.place(name))
        for name in ("inject", "rules"):
            if not isinstance(told.get(name, []), list | tuple):
                raise InputError("must be a list", where=bare.place(name))
        if told.get("origin", "file") not in ORIGINS:
            raise InputError(f"must be {' or '.join(ORIGINS)}", where=bare.place("origin"))
        if "rows" in told:
            told["rows"] = count(told["rows"], bare.place("rows"))
        fair = told.get("fair", ())
        told["fair"] = tuple(fair) if isinstance(fair, list | tuple) else (fair,)
        return cls(**{**told, "inject": tuple(told.get("inject", ())), "rules": tuple(told.get("rules", ())),
                      "where": where, "lines": bare.lines})

    def to_json(self) -> dict[str, Any]:
        """Only what is said."""
        every = {"rows": self.rows, "given": self.given, "rules": list(self.rules), "shift": dict(self.shift),
                 "fair": [dict(one) for one in self.fair], "inject": [_plain(one) for one in self.inject],
                 "missing": dict(self.missing)}
        return {"fabrica_scenario": VERSION, **{name: value for name, value in every.items() if value},
                **({"origin": self.origin} if self.origin != "file" else {})}

    def place(self, *path: str | int) -> str:
        """Where a part stands, for a person: file, line and name."""
        line = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), None)
        said = ", ".join(str(one + 1) if isinstance(one, int) else str(one) for one in path)
        return ", ".join([self.where, *([f"line {line}"] if line else []), said])

    def bound(self, table: Table) -> Bound:
        """The scenario held against a table: every name, kind, share and expression of it.

        Raises
        ------
        FabricaError : what is wrong, with its place.
        """
        tilts: list[Kind] = [] if self.given is None else [_kind("given").read(self.given, table, self.place("given"))]
        for section in ("shift", "fair"):
            for key, told in _parts(getattr(self, section), section):
                tilts.append(_kind(section).read(told, table, self.place(section, *key)))
        rules = [_kind("rules").read(self.rules, table, self.place("rules"))] if self.rules else []
        injections = [_injection(told, table, self.place("inject", i)) for i, told in enumerate(self.inject)]
        edits = [_kind("missing").read(told, table, self.place("missing", *key))
                 for key, told in _parts(self.missing, "missing")]
        self._demand_drawn(rules, [*tilts, *(one for _, one in injections)])
        whole = sum(one.share for _, one in injections)
        if whole > 1 + 1e-9:
            raise InputError(f"the shares sum to {whole:g}, more than 1", where=self.place("inject"))
        return Bound(self, table, tuple(tilts[: self.given is not None]) + tuple(rules),  # type: ignore[arg-type]
                     tuple(tilts[self.given is not None :]), tuple(injections), tuple(edits))  # type: ignore[arg-type]

    def _demand_drawn(self, rules: Sequence[Kind], kinds: Sequence[Kind]) -> None:
        """Nothing may be asked of a column that a rule of the scenario computes when the rows are finished."""
        computes = {name: text for one in rules if isinstance(one, Tilt) for name, text in one.computes.items()}
        for one in kinds:
            for name in one.asks:
                if name in computes:
                    raise InputError(
                        f"the column {name!r} is computed when the rows are finished, as {computes[name]!r} says, so "
                        f"`{type(one).__name__.lower()}` cannot ask for its values", where=self.place("rules"),
                        hint="learn the rule with the model (fabrica fit --rules), or ask for what it is made of")


@dataclass(frozen=True)
class Bound:
    """A scenario that was held against a table.

    Parameters
    ----------
    laws : conditions that every row satisfies, injected ones too.
    tilts : wishes about the law of all rows that are not injected.
    injections : (kind, injection), in their order.
    edits : what happens to cells of finished rows.
    """

    scenario: Scenario
    table: Table
    laws: tuple[Tilt, ...]
    tilts: tuple[Tilt, ...]
    injections: tuple[tuple[str, Injection], ...]
    edits: tuple[Edit, ...]


def _kind(name: str) -> type[Kind]:
    return catalog.get("scenarios", name)


def _parts(section: Any, name: str) -> Sequence[tuple[tuple[str | int, ...], Any]]:
    """(path, told) of each column of a section, or of each part of a list."""
    if isinstance(section, Mapping):
        return [((str(column),), {column: told}) for column, told in section.items()]
    return [((i,) if len(section) > 1 else (), told) for i, told in enumerate(section)]


def _plain(told: Any) -> Any:
    """An injection as plain values, also one that was made in Python."""
    if not isinstance(told, Injection):
        return dict(told) if isinstance(told, Mapping) else told
    return {"kind": type(told).__name__.lower(), "share": told.share, **told.found()}


def _injection(told: Any, table: Table, where: str) -> tuple[str, Injection]:
    """An injection as it was written, or one that was made in Python."""
    if isinstance(told, Injection):
        wish.share(told.share, f"{where}, share")
        return type(told).__name__.lower(), told
    if not isinstance(told, Mapping) or "kind" not in told:
        raise InputError("an injection needs a `kind`", where=where, hint=f"there are: {', '.join(_kinds())}")
    rest = {name: one for name, one in told.items() if name != "kind"}
    kind = str(rest.pop("name", "")) if told["kind"] == "pattern" else str(told["kind"])
    if kind not in catalog.names("scenarios") or not issubclass(_kind(kind), Injection):
        raise UnknownName("kind of injection", kind, _kinds(), where=where)
    read = _kind(kind).read(rest, table, where)
    assert isinstance(read, Injection)
    return kind, read


def _kinds() -> list[str]:
    """The kinds of injections; those of packages that cannot be imported are left out."""
    found = []
    for name in catalog.names("scenarios"):
        try:
            found += [name] if issubclass(_kind(name), Injection) else []
        except PluginError:
            continue
    return found

"""The policy: which risk is accepted for which circle of recipients, said before anything is measured.

A tier is a circle: *internal* (those who may see the real rows), *partner* (under contract) and *public*. Its numbers
are thresholds for the upper ends of one-sided 95 % bounds. A policy file changes some of them; what it loosens against
the house's policy must have a waiver with a reason and a name, which stands on page one of everything that follows.

Only 0.09 for meaningful disclosure has an anchor outside (health data sharing; El Emam et al., J. Med. Internet Res.
22, 2020); the other thresholds are the house's judgement, and a board may have another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from fabrica import declaration
from fabrica.errors import InputError, SettingError, UnknownName

__all__ = ["HOUSE", "Policy", "TIERS", "Tier", "Waiver"]

#: fields of a tier of which a smaller number is the looser one
LOWER_IS_LOOSER = ("k", "canaries", "signatures")
#: fields that usually have no number, with one
EXAMPLES = {"epsilon": 2, "rows": 1, "share": 1.25, "amplified": 0.02, "amplified_model": 0.05, "useful": 2.5}
#: what a file of a policy holds
NEEDS = ("write its name and what it changes, such as {name: bank, tiers: {partner: {copies: 0.001}}}; without a file "
         "the house's policy holds")
PLAIN = ("epsilon", "rows", "share", "useful")  #: fields that are no shares


@dataclass(frozen=True)
class Tier:
    """What is asked of a release to one circle; None: it is measured and told, and decides nothing.

    Parameters
    ----------
    k : people who must hold a level or an end that stands in any file.
    copies : share of people alone with their row who stand in the twin, beyond luck. near : who nearly do, or but for
        any one column. but_one : who do with all but one column, the same of all.
    singling_out, linkability, inference : risks beyond luck, (a - c) / (1 - c).
    membership : area under the curve of the best attack on everybody. outliers : share of the most isolated members
        found at 1 % false alarms.
    canaries : planted people, none of whom may come out; 0: none are planted.
    epsilon : the largest of differential privacy; whoever has none needs an expert's written determination.
    rows : synthetic rows for each real one. share : how far the share of a protected group may be from the real one, as
        a ratio either way. amplified, amplified_model : growth of a gap between protected groups, in the data and in
        what a model learns of it.
    useful : points of accuracy that a model of the target may lose; None where the purpose names none.
    attempts : twins of one table that may be tried: those that came first. signatures : of different people.
    months : after which it is judged again.
    """

    k: int = 5
    copies: float = 0.005
    near: float = 0.02
    but_one: float = 0.01
    singling_out: float = 0.09
    linkability: float = 0.09
    inference: float = 0.09
    membership: float = 0.58
    outliers: float = 0.10
    canaries: int = 0
    epsilon: float | None = None
    rows: float | None = None
    share: float | None = None
    amplified: float | None = None
    amplified_model: float | None = None
    useful: float | None = None
    attempts: int = 3
    signatures: int = 1
    months: int = 24

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            optional = "None" in str(one.type)
            whole = str(one.type) == "int"
            if value is None and optional:
                continue
            if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not 0 <= value < 1e9:
                raise SettingError(f"must be a {'whole ' if whole else ''}number that is not negative"
                                   f"{', or null' if optional else ''}", where=one.name,
                                   hint=f"write it as {one.name}: {EXAMPLES.get(one.name, one.default)}"
                                   f"{'' if whole or one.name in PLAIN else ' (2 percent is 0.02)'}")


_PARTNER = Tier(k=10, copies=0.002, near=0.01, but_one=0.005, singling_out=0.05, linkability=0.05, inference=0.05,
                membership=0.55, outliers=0.05, canaries=100, rows=1.0, share=1.25, amplified=0.02,
                amplified_model=0.05, signatures=2, months=12)
#: the house's tiers
TIERS: Mapping[str, Tier] = {
    "internal": Tier(),
    "partner": _PARTNER,
    "public": replace(_PARTNER, k=11, copies=0.001, but_one=0.003, membership=0.53, outliers=0.03, canaries=300,
                      epsilon=2.0),
}


@dataclass(frozen=True)
class Waiver:
    """Why a policy is looser than the house's at one place, and who answers for it."""

    tier: str
    field: str
    reason: str
    by: str

    def __str__(self) -> str:
        return f"tier {self.tier}, {self.field}: {self.reason} ({self.by})"


@dataclass(frozen=True)
class Policy:
    """Tiers by name, with the waivers of what is looser than the house's, and an expert's ``determination`` in words,
    which stands where a tier asks for an epsilon and there is none.

    >>> policy = Policy.from_json({"name": "bank", "tiers": {"partner": {"copies": 0.001}}})
    >>> policy.tiers["partner"].copies, policy.tiers["partner"].k
    (0.001, 10)
    >>> Policy.from_json({"name": "lax", "tiers": {"partner": {"copies": 0.1}}})
    Traceback (most recent call last):
    ...
    fabrica.errors.SettingError: policy: copies of tier 'partner' is looser than the house's 0.002 and has no waiver; \
add {tier: partner, field: copies, reason: ..., by: ...} under waivers
    """

    name: str = "fabrica"
    tiers: Mapping[str, Tier] = field(default_factory=lambda: dict(TIERS))
    waivers: tuple[Waiver, ...] = ()
    determination: str = ""

    def tier(self, name: str) -> Tier:
        if name not in self.tiers:
            raise UnknownName("tier", name, list(self.tiers))
        return self.tiers[name]

    def waived(self, tier: str) -> list[str]:
        """The waivers of one tier, a line each."""
        return [str(one) for one in self.waivers if one.tier == tier]

    @property
    def digest(self) -> str:
        """SHA-256 of its content, so that a decision says by which policy it was made."""
        plain = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(plain.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return {"fabrica_policy": 1, "name": self.name, "tiers": {name: asdict(t) for name, t in self.tiers.items()},
                "waivers": [asdict(one) for one in self.waivers], "determination": self.determination}

    @classmethod
    def from_json(cls, plain: Any, where: str = "policy") -> Policy:
        """A policy out of plain values; tiers and fields that it does not name are the house's.

        Raises
        ------
        FabricaError : something in it is unknown, cannot be, or is looser than the house's without a waiver.
        """
        if not isinstance(plain, Mapping):
            raise InputError("a policy must be an object", where=where, hint=NEEDS)
        if plain.get("fabrica_policy", 1) != 1:
            raise InputError("this policy was written for a later version of fabrica", where=where)
        for name in plain:
            if name not in ("fabrica_policy", "name", "tiers", "waivers", "determination"):
                raise UnknownName("field of a policy", str(name), ["name", "tiers", "waivers", "determination"],
                                  where=where)
        waivers = tuple(_filled(Waiver, one, where, "waiver") for one in plain.get("waivers") or ())
        said = plain.get("tiers") or {}
        for name in said:
            if name not in TIERS:
                raise UnknownName("tier", str(name), list(TIERS), where=where)
        tiers = {name: _filled(Tier, {**asdict(house), **(said.get(name) or {})}, f"{where}, tier {name}", "tier")
                 for name, house in TIERS.items()}
        policy = cls(str(plain.get("name", "unnamed")), tiers, waivers, str(plain.get("determination") or ""))
        _demand_waivers(policy, where)
        return policy

    @classmethod
    def of(cls, given: Any) -> Policy:
        """A policy as it is, from a file or from plain values; the house's where there is none."""
        if given is None or isinstance(given, Policy):
            return given or HOUSE
        return cls.load(given) if isinstance(given, str | Path) else cls.from_json(given)

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Read a policy from a YAML or JSON file.

        Raises
        ------
        FabricaError : it cannot be read, says nothing, or as ``from_json``.
        """
        plain = declaration.read(path)
        if plain is None:
            raise InputError("says nothing", where=str(path), hint=NEEDS)
        return cls.from_json(plain, str(path))


def _filled(kind: type, plain: Any, where: str, what: str) -> Any:
    known = [one.name for one in fields(kind)]
    if not isinstance(plain, Mapping):
        raise InputError(f"a {what} must be an object", where=where)
    for name in plain:
        if name not in known:
            raise UnknownName(f"field of a {what}", str(name), known, where=where)
    empty = [name for name in known if kind is Waiver and not str(plain.get(name) or "").strip()]
    if empty:
        raise InputError(f"a waiver lacks the field {empty[0]!r}", where=where, hint="write {tier: partner, field: "
                         'copies, reason: "why it may be looser", by: "privacy officer: A. Example"}')
    try:
        return kind(**plain)
    except SettingError as error:
        raise error.at(where) from None


def looser(tier: Tier, than: Tier) -> list[str]:
    """The fields in which a tier asks for less than another.

    >>> looser(Tier(k=3, copies=0.001, membership=0.6), Tier())
    ['k', 'membership']
    """
    found = []
    for one in fields(Tier):
        own, other = getattr(tier, one.name), getattr(than, one.name)
        if other is None or own == other:
            continue
        if own is None or ((own < other) if one.name in LOWER_IS_LOOSER else (own > other)):
            found.append(one.name)
    return found


def _demand_waivers(policy: Policy, where: str) -> None:
    waived = {(one.tier, one.field) for one in policy.waivers}
    for name, house in TIERS.items():
        for loose in looser(policy.tiers[name], house):
            if (name, loose) not in waived:
                raise SettingError(f"{loose} of tier {name!r} is looser than the house's {getattr(house, loose)} and "
                                   f"has no waiver", where=where, hint=f"add {{tier: {name}, field: {loose}, "
                                   "reason: ..., by: ...} under waivers")


HOUSE = Policy()

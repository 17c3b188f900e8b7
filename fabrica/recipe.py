"""The recipe: one whole run written down, so that it can be kept, shown and run again.

Command-line flags, SDK arguments and files all become one ``Recipe``. It goes out as JSON and comes in as JSON or
YAML. It says what was asked for, not what came of it; that is the report's part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from fabrica import declaration
from fabrica.errors import InputError, SettingError, UnknownName
from fabrica.privacy.terms import Privacy

__all__ = ["Recipe", "count", "demand_together", "engine_for", "seconds"]

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
MOST = 10**18  #: rows: their numbers stay within 64 bits
_SCALES = {"": 1, "k": 1_000, "m": 1_000_000}


def seconds(text: str | float | None) -> float | None:
    """Seconds from ``90``, ``"90"``, ``"60s"``, ``"2m"`` or ``"1.5h"``; None stays None.

    >>> seconds("2m"), seconds(90), seconds(None)
    (120.0, 90.0, None)
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(text), re.ASCII)
    if not found or float(found[1]) <= 0:
        raise SettingError("must be a time above zero", where="budget", hint="write 90, 60s, 2m or 1h")
    return float(found[1]) * _UNITS[found[2]]


def count(text: str | int, where: str = "rows") -> int:
    """A number of rows from ``1000``, ``"1_000_000"``, ``"1e6"``, ``"100k"`` or ``"1m"``.

    >>> count("1_000_000") == count("1e6") == count("1m")
    True
    """
    plain = str(text).strip().replace("_", "").lower()
    found = re.fullmatch(r"(\d+(?:\.\d+)?(?:e\d{1,2})?)([km]?)", plain, re.ASCII)
    number = float(found[1]) * _SCALES[found[2]] if found else 0.0
    if number > MOST:
        raise SettingError(f"must be at most {MOST:.0e}", where=where, hint="write 1000, 1_000_000, 1e6 or 1m")
    if number < 1 or number != int(number):
        raise SettingError("must be a whole number of at least 1", where=where, hint="write 1000, 1_000_000, 1e6 or 1m")
    return int(plain) if plain.isdigit() else int(number)


def engine_for(name: str | None, privacy: Any) -> str:
    """The engine that was named, else the one that is best known for the purpose."""
    return name or ("trees" if privacy is None else "aim")


def demand_together(terms: Privacy | None, rules: Any, profile: str | None, account: Any,
                    unit: str | None = None) -> None:
    """Refuse what cannot go together."""
    if terms is not None and unit not in (None, terms.unit):
        raise SettingError("is said beside the terms of privacy, which hide something else", where="unit",
                           hint=f"say it in them: Privacy(epsilon, unit={unit!r})")
    if terms is None and account is not None:
        raise SettingError("is for differential privacy", where="account", hint="give an epsilon too")
    if terms is not None and rules is not None:
        raise SettingError("cannot be kept under an epsilon yet: what is learned for them would look at rows as they "
                           "are", where="rules", hint="leave them out, or the epsilon")
    if terms is not None and profile is not None:
        raise SettingError("looks at rows as they are to know what is personal, and cannot be under an epsilon",
                           where=f"profile {profile}", hint="leave it out, or the epsilon")


@dataclass(frozen=True)
class Recipe:
    """One run of ``synth``.

    Parameters
    ----------
    data : file, folder or glob of the real table; empty where a frame was given.
    engine : name of the engine; empty for the usual one (``engine_for``).
    settings : the engine's own settings, by name.
    seed : any whole number; the same recipe on the same data gives the same rows.
    holdout : share of rows kept away from the engine to judge it (0 <= share <= 0.5), or a file with such rows.
    rows : number of synthetic rows; None for as many as the real table has.
    target : the column that somebody would want to predict; its usefulness is then measured too.
    budget : seconds that learning may take; None for as long as it needs.
    schema : what the user knows better than the guess: a file, or the same content as plain values.
    rules : what every row must obey: a file, or a list of texts.
    privacy : terms of differential privacy (``Privacy``), as plain values; None for none.
    account : the file that says how much all private looks at the source together may cost.
    profile : what a rule demands of the table before it is learned, such as ``hipaa``; None for nothing.
    unit : the column that says whose rows they are; None where each is another's. Under privacy its terms say it.

    >>> Recipe.from_json(Recipe("people.csv", seed=3).to_json()) == Recipe("people.csv", seed=3)
    True
    """

    data: str = ""
    engine: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 7
    holdout: float | str = 0.2
    rows: int | None = None
    target: str | None = None
    budget: float | None = None
    schema: Any = None
    rules: Any = None
    privacy: Any = None
    account: str | None = None
    profile: str | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", dict(self.settings))
        terms = Privacy.of(self.privacy)
        object.__setattr__(self, "privacy", terms and terms.to_json())
        object.__setattr__(self, "engine", engine_for(self.engine, terms))
        demand_together(terms, self.rules, self.profile, self.account, self.unit)
        object.__setattr__(self, "holdout", _share(self.holdout))
        object.__setattr__(self, "budget", seconds(self.budget))
        if self.rows is not None:
            object.__setattr__(self, "rows", count(self.rows))
        if not isinstance(self.seed, int) or isinstance(self.seed, bool):
            raise SettingError("must be a whole number", where="seed")

    @property
    def terms(self) -> Privacy | None:
        """The terms of differential privacy, if there are any."""
        return Privacy.of(self.privacy)

    def to_json(self) -> dict[str, Any]:
        return {"fabrica_recipe": 1, **asdict(self)}

    @classmethod
    def from_json(cls, plain: Any, where: str = "recipe") -> Recipe:
        if not isinstance(plain, Mapping):
            raise InputError("a recipe must be an object", where=where)
        known = [f.name for f in fields(cls)]
        if plain.get("fabrica_recipe", 1) != 1:
            raise InputError("this recipe was written by a later version of fabrica", where=where)
        for name in plain:
            if name not in (*known, "fabrica_recipe"):
                raise UnknownName("field of a recipe", str(name), known, where=where)
        return cls(**{name: plain[name] for name in known if name in plain})

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Read a recipe from a JSON or YAML file."""
        return cls.from_json(declaration.read(path), where=str(path))

    def dumps(self) -> str:
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False)

    def anchored(self) -> Recipe:
        """The recipe of a run that is over, to be repeated from anywhere: its files by their full paths."""
        files: dict[str, Any] = {
            name: str(Path(path).expanduser().absolute()) for name in ("data", "holdout", "schema", "rules", "account")
            if isinstance(path := getattr(self, name), (str, Path)) and str(path)}
        return replace(self, **files)

    def told(self) -> dict[str, Any]:
        """What a report may tell: file names without their folders, and no content of a schema or of rules."""
        short = replace(self, data=_last(self.data), schema=None, rules=None, account=None,
                        holdout=_last(self.holdout) if isinstance(self.holdout, str) else self.holdout)
        return {k: v for k, v in asdict(short).items() if v not in (None, "", {})}


def _last(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]


def _share(holdout: float | str) -> float | str:
    """A share as a number, a file as its name."""
    try:
        share = float(holdout)
    except ValueError:
        return str(holdout)
    if not 0 <= share <= 0.5:
        raise SettingError("must be a share between 0 and 0.5, or a file", where="holdout")
    return share

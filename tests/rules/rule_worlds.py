"""Random small tables that obey random mixes of rules, and a judge of each rule that knows nothing of the rulebook."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

__all__ = ["KINDS", "World", "world"]

Judge = Callable[[pd.DataFrame], "pd.Series[bool] | bool"]
DAY = np.datetime64("2021-03-01")


@dataclass
class World:
    """Columns, the rules that they obey, and for each rule who says which rows do."""

    random: np.random.Generator
    rows: int
    columns: dict = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    judges: list[Judge] = field(default_factory=list)
    schema: dict = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.columns)

    def add(self, rule: str, judge: Judge, **columns) -> None:
        self.columns |= columns
        self.rules.append(rule)
        self.judges.append(judge)

    def broken(self, frame: pd.DataFrame) -> dict[str, int]:
        """Rule -> how many rows break it; only those that some row breaks."""
        found = {rule: int((~np.broadcast_to(judge(frame), len(frame))).sum())
                 for rule, judge in zip(self.rules, self.judges, strict=True)}
        return {rule: count for rule, count in found.items() if count}

    def levels(self, *names: str, p=None) -> np.ndarray:
        return self.random.choice(list(names), self.rows, p=p)

    def holes(self, values, share: float = 0.1):
        return pd.Series(values).mask(self.random.random(self.rows) < share)


def either(*masks) -> pd.Series:
    """Kleene: true where one is, or where a missing cell leaves it open (given as a mask of its own)."""
    return np.logical_or.reduce([np.asarray(m, bool) for m in masks])


# ---------------------------------------------------------------- the ten kinds


def formula(w: World, at: str) -> None:
    net, tax = np.round(w.random.gamma(2, 50, w.rows), 2), np.round(w.random.gamma(1, 9, w.rows), 2)
    net = w.holes(net)
    w.add(f"total{at} == net{at} + tax{at}", lambda f: either(
        f[[f"net{at}", f"tax{at}", f"total{at}"]].isna().any(axis=1),
        np.isclose(f[f"total{at}"], f[f"net{at}"] + f[f"tax{at}"], atol=0.0049, rtol=0)),
        **{f"net{at}": net, f"tax{at}": tax, f"total{at}": np.round(net + tax, 2)})


def difference(w: World, at: str) -> None:
    """A sum in which no column stands alone: the last is solved for."""
    a, b, c = (w.random.integers(0, 2**54, w.rows) for _ in range(3))
    w.add(f"a{at} + b{at} == c{at} + d{at}", lambda f: f[f"a{at}"] + f[f"b{at}"] == f[f"c{at}"] + f[f"d{at}"],
          **{f"a{at}": a, f"b{at}": b, f"c{at}": c, f"d{at}": a + b - c})


def ordering(w: World, at: str) -> None:
    start = DAY + w.random.integers(0, 300, w.rows)
    end = pd.Series(start + w.random.geometric(0.2, w.rows)).mask(w.random.random(w.rows) < 0.2)
    w.add(f"end{at} > start{at}", lambda f: either(
        f[f"end{at}"].isna(), pd.to_datetime(f[f"end{at}"]) > pd.to_datetime(f[f"start{at}"])),
        **{f"start{at}": pd.Series(start).dt.strftime("%d/%m/%Y").pipe(_dated), f"end{at}": end})


def _dated(texts: pd.Series) -> pd.Series:
    return pd.to_datetime(texts, format="%d/%m/%Y")


def loose(w: World, at: str) -> None:
    """An order of two columns that hardly hang together, one of which is often missing."""
    low, high = np.round(w.random.normal(0, 1, (2, w.rows)), 3)
    low, high = np.minimum(low, high), np.maximum(low, high)
    w.add(f"lo{at} <= hi{at}", lambda f: either(
        f[[f"lo{at}", f"hi{at}"]].isna().any(axis=1), f[f"lo{at}"] <= f[f"hi{at}"]),
        **{f"lo{at}": w.holes(low, 0.3), f"hi{at}": w.holes(high)})


def dependency(w: World, at: str) -> None:
    state = pd.Series(w.levels("AA", "AB", "BA", "BB", "CC", p=[0.4, 0.3, 0.2, 0.05, 0.05]))
    state = state.mask(w.random.random(w.rows) < 0.05)
    region = state.map({"AA": "north", "AB": "north", "BA": "south", "BB": "south", "CC": "west"})
    w.add(f"state{at} -> region{at}",
          lambda f: f.groupby(f"state{at}")[f"region{at}"].transform("nunique").fillna(1) <= 1,
          **{f"state{at}": state, f"region{at}": region})


def combined(w: World, at: str) -> None:
    pick = w.random.integers(0, 4, w.rows)
    make, model = np.array(["ford", "ford", "fiat", "opel"])[pick], np.array(["T", "A", "500", "A"])[pick]
    pairs = {("ford", "T"), ("ford", "A"), ("fiat", "500"), ("opel", "A")}
    w.add(f"combinations(make{at}, model{at})",
          lambda f: pd.Series([p in pairs for p in zip(f[f"make{at}"], f[f"model{at}"], strict=True)], dtype=bool),
          **{f"make{at}": make, f"model{at}": model})


def onehot(w: World, at: str) -> None:
    pick, names = w.random.choice(3, w.rows, p=[0.6, 0.3, 0.1]), [f"is{i}{at}" for i in range(3)]
    w.add(f"onehot({', '.join(names)})", lambda f: f[names].sum(axis=1) == 1,
          **{name: (pick == i).astype(int) for i, name in enumerate(names)})


def ranged(w: World, at: str) -> None:
    age = w.holes(w.random.integers(18, 81, w.rows))
    w.add(f"18 <= age{at} < 81", lambda f: either(f[f"age{at}"].isna(), f[f"age{at}"].between(18, 80)),
          **{f"age{at}": age})


def pattern(w: World, at: str) -> None:
    codes = [f"{a}{b}-{n} {'x' * (n % 7)} note {n}" for a, b, n in zip(
        w.levels("A", "B", "C"), w.levels("Q", "R"), w.random.integers(0, 10**6, w.rows), strict=True)]
    shape = r"[A-Z]{2}-[0-9]+ x* note [0-9]+"
    w.schema[f"code{at}"] = "text"
    w.add(f"matches(code{at}, '{shape}')", lambda f: f[f"code{at}"].map(
        lambda t: t is None or bool(re.fullmatch(shape, t))), **{f"code{at}": codes})


def emptied(w: World, at: str) -> None:
    smoker = w.levels("yes", "no", p=[0.3, 0.7])
    packs = pd.Series(w.random.poisson(10, w.rows) + 1).mask(smoker == "no")
    w.add(f"packs{at} is null when smoker{at} == 'no'",
          lambda f: either(f[f"smoker{at}"] != "no", f[f"packs{at}"].isna()),
          **{f"smoker{at}": smoker, f"packs{at}": packs})
    w.add(f"packs{at} is not null when smoker{at} == 'yes'",
          lambda f: either(f[f"smoker{at}"] != "yes", f[f"packs{at}"].notna()))


def unique(w: World, at: str) -> None:
    cell = w.random.permutation(400 * w.rows)[: w.rows]
    w.add(f"unique(x{at}, y{at})", lambda f: ~f.duplicated([f"x{at}", f"y{at}"]),
          **{f"x{at}": cell // 400, f"y{at}": cell % 400})


def forbidden(w: World, at: str) -> None:
    sex, risk = w.levels("f", "m"), w.random.integers(0, 10, w.rows)
    grade = np.where((sex == "m") & (risk > 5), "low", w.levels("low", "high"))
    w.add(f"not (sex{at} == 'm' and risk{at} > 5 and grade{at} == 'high')",
          lambda f: ~((f[f"sex{at}"] == "m") & (f[f"risk{at}"] > 5) & (f[f"grade{at}"] == "high")),
          **{f"sex{at}": sex, f"risk{at}": risk, f"grade{at}": grade})


KINDS = (formula, difference, ordering, loose, dependency, combined, onehot, ranged, pattern, emptied, unique,
         forbidden)


def world(seed: int, kinds, rows: int = 400, linked: bool = True) -> World:
    """A table of some kinds of rules; ``linked``: with a rule that ties columns of different rules together."""
    w = World(np.random.default_rng(seed), rows)
    for i, kind in enumerate(kinds):
        kind(w, str(i))
    if linked:
        _link(w)
    return w


def _link(w: World) -> None:
    """Rows that break a random rule over a number and a level of the world are left out of it."""
    frame = w.frame()
    numbers = [n for n in frame if pd.api.types.is_numeric_dtype(frame[n])]
    levels = [n for n in frame if n not in numbers and frame[n].dtype == object and n not in w.schema]
    if not numbers or not levels:
        return
    number, level = w.random.choice(numbers), w.random.choice(levels)
    end, value = float(frame[number].quantile(0.8)), frame[level].mode()[0]
    end = round(end, 3)
    judge = lambda f: ~((f[number] > end) & (f[level] == value))  # noqa: E731
    kept = judge(frame)
    if kept.sum() < 0.5 * len(frame) or not kept.sum():
        return
    w.add(f"not ({number} > {end} and {level} == '{value}')", judge)
    w.columns = {name: frame.loc[kept, name].reset_index(drop=True) for name in frame}
    w.rows = int(kept.sum())

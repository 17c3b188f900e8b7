"""Tables that were made from rules, and what of them must be found."""

from __future__ import annotations

import numpy as np
import pandas as pd

MADE = {"total == net + tax", "amount == pieces * price", "state -> region", "year == year(start)", "start < end",
        "packs is null when smoker == 'never'", "packs is not null when not (smoker == 'never')",
        "onehot(red, green, blue)", "0 <= share <= 1"}


def world(seed: int = 1, rows: int = 3_000) -> pd.DataFrame:
    """A table that obeys a rule of each kind, and columns that have nothing to do with each other."""
    random = np.random.default_rng(seed)
    net, tax = np.round(random.gamma(2, 50, rows), 2), np.round(random.gamma(2, 8, rows), 2)
    pieces, price = random.integers(1, 9, rows), random.integers(2, 60, rows)
    state = random.integers(0, 12, rows)
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 1400, rows), "D")
    smoker = random.choice(["daily", "never", "once"], rows, p=[0.3, 0.5, 0.2])
    packs = pd.Series(random.integers(1, 40, rows), dtype="Int64").mask(smoker == "never")
    hot = random.integers(0, 3, rows)
    return pd.DataFrame({
        "net": net, "tax": tax, "total": np.round(net + tax, 2), "pieces": pieces, "price": price,
        "amount": pieces * price, "state": [f"S{i:02d}" for i in state], "region": [f"R{i % 4}" for i in state],
        "start": start, "year": start.year, "end": start + pd.to_timedelta(random.geometric(0.02, rows), "D"),
        "smoker": smoker, "packs": packs, "red": (hot == 0).astype(int), "green": (hot == 1).astype(int),
        "blue": (hot == 2).astype(int), "share": np.round(random.beta(0.5, 0.5, rows), 3),
        "noise": random.normal(size=rows).round(3), "other": random.choice(list("abcdef"), rows)})


def second(seed: int = 1, rows: int = 4_000) -> pd.DataFrame:
    """Another such table, of the rarer kinds of rules."""
    random = np.random.default_rng(seed)
    hour, minute = random.integers(5, 23, rows), random.integers(0, 60, rows)
    price = np.round(random.gamma(3, 20, rows), 2)
    seen = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, rows), "D")
    stay = random.integers(0, 40, rows)
    calls = random.poisson(0.8, rows)
    left = random.random(rows) < 0.06
    landed = left | (random.random(rows) < 0.01)
    low = random.integers(10, 500, rows)
    middle = low + random.integers(0, 60, rows)
    parts = [random.integers(0, 50, rows) for _ in range(4)]
    site = random.integers(0, 40, rows)
    return pd.DataFrame({
        "clock": 100 * hour + minute, "hour": hour, "minute": minute, "price": price, "vat": (price * 0.19).round(2),
        "seen": seen, "gone": seen + pd.to_timedelta(stay, "D"), "days": stay, "calls": calls,
        "seconds": np.where(calls == 0, 0, random.integers(5, 900, rows)),
        "departed": pd.Series(random.integers(0, 900, rows), dtype="Int64").mask(left),
        "landed": pd.Series(random.integers(0, 900, rows), dtype="Int64").mask(landed),
        "low": low, "middle": middle, "high": middle + random.integers(1, 90, rows),
        "whole": sum(parts), **{f"part{i}": part for i, part in enumerate(parts)},
        "site": [f"site {i}" for i in site], "code": [f"C{i:02d}" for i in site], "depth": (site * 7 % 11) * 0.5,
        "use": random.choice(list("xyz"), rows)})


RARE = {"clock == 100 * hour + minute", "vat == price * 0.19", "days == gone - seen",
        "seconds == 0 when calls == 0", "calls == 0 when seconds == 0",
        "landed is null when departed is null", "low <= middle < high", "whole == part0 + part1 + part2 + part3",
        "site -> code", "site -> depth", "seen <= gone"}

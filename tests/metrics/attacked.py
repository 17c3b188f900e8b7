"""The people whom attacks are tried on: a table that was learned from, a holdout, a fresh twin, and one that leaks."""

from __future__ import annotations

import numpy as np

from fabrica.contract import Sheet
from fabrica.schema import Column, Table
from fabrica.sheets import IdentSheet
from metrics.worlds import judge, people


def common(rows: int, seed: int) -> Sheet:
    """People of whom most are like many others, and one in ten like hardly anybody."""
    random = np.random.default_rng(seed)
    cells = {"town": random.integers(0, 4, rows), "age": np.round(random.normal(40, 12, rows))}
    odd = random.random(rows) < 0.1
    return Sheet(rows, {**cells, "pay": np.where(odd, np.round(random.normal(0, 1e5, rows)), 0.0)},
                 {"town": ("a", "b", "c", "d")})


def tall(rows: int, seed: int) -> IdentSheet:
    """People with a column that few share, so that copies can be told."""
    own = people(rows, seed)
    weight = np.round(np.random.default_rng(seed + 99).normal(70, 12, rows), 1)
    return IdentSheet(rows, {**own.values, "weight": weight}, own.levels)


REAL, REST, FRESH = tall(1_500, 1), tall(2_400, 2), tall(1_500, 3)


def struck(name: str, twin: IdentSheet, seed: int = 1) -> list:
    return judge(name, REAL, twin, REST, seed=seed)


TABLE = Table("t", tuple(Column(n, "category" if n in REAL.levels else "decimal") for n in REAL.values))


def leaking(share: float, real: IdentSheet, rows: int, seed: int) -> IdentSheet:
    """A fresh twin of which a share are people who were learned from, in the first rows."""
    fresh, random = tall(rows, seed), np.random.default_rng(seed)
    many = int(share * rows)
    who = random.permutation(real.rows)[:many]
    values = {n: np.concatenate([real.values[n][who], v[many:]]) for n, v in fresh.values.items()}
    return IdentSheet(rows, values, fresh.levels).take(random.permutation(rows))

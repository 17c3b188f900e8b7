"""Small joints that are known, and what a scenario must make of them by brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pyarrow as pa

from fabrica.checks import Joint
from fabrica.run import Run
from fabrica.scenario import Scenario
from fabrica.staging import Stage

#: a scenario that wishes for everything that the joint below can give
STRESS = {"given": "age >= 30 or age is null", "shift": {"y": {"x": 0.5}}, "fair": {"protected": "s", "outcome": "y"},
          "inject": [{"kind": "rare", "where": "c == 'rare' and age > 50", "share": 0.1, "intensity": 0.8},
                     {"kind": "rare", "where": "s == 'a'", "share": 0.2},
                     {"kind": "combine", "of": ["c == 'rare'", "age == 30"], "share": 0.05}]}


def joint(seed: int = 1, ages: int = 6) -> Joint:
    """Three columns of levels and a number, all of which hang together at random; a level of `c` is rare, and one
    value of `age` is missing."""
    random = np.random.default_rng(seed)
    rows = list(product(["a", "b"], ["x", "y", "z"], ["common", "rare"], [*(20 + 10 * i for i in range(ages)), None]))
    chances = random.gamma(1.0, 1.0, len(rows)) + 0.05
    chances *= np.array([0.004 if row[2] == "rare" else 1.0 for row in rows])
    columns = dict(zip(("s", "y", "c", "age"), map(list, zip(*rows, strict=True)), strict=True))
    kinds = {"s": "category", "y": "category", "c": "category", "age": "integer"}
    return Joint.of(columns, kinds, chances)


def staged(world: Joint, plain: dict, seed: int = 1) -> Stage:
    return Stage.of(Scenario.from_json(plain).bound(world.table), world, Run(seed).child("stage"))


def played(world: Joint, plain: dict, rows: int, seed: int = 1, workers: int | None = None):
    """Columns as lists, the injection and the weight of each row."""
    stage = Stage.of(Scenario.from_json(plain).bound(world.table), world, Run(seed, workers=workers).child("stage"))
    windows = list(stage.windows(rows, Run(seed, workers=workers).child("rows")))
    columns = {name: np.array([v for w in windows for v in w.cells[name].values.to_pylist()], object)
               for name in world.table.names}
    return (columns, np.concatenate([w.origin.injection for w in windows]),
            np.concatenate([w.origin.weight for w in windows]))


def exact(world: Joint, stage: Stage) -> np.ndarray:
    """(m,) the law of the tilted rows, by brute force."""
    law = stage.base.chances * world.factor(stage.factors)  # type: ignore[attr-defined]
    return law / law.sum()


def column(world: Joint, name: str) -> np.ndarray:
    """(m,) the values of each combination."""
    return np.array(world.cells[name].values.to_pylist(), object)


def share(world: Joint, law: np.ndarray, **values: object) -> float:
    """The probability of some values."""
    inside = np.ones(len(law), bool)
    for name, value in values.items():
        inside &= column(world, name) == value
    return float(law[inside].sum())


def raked(world: Joint, goals: dict[str, dict[object, float]], law: np.ndarray | None = None) -> np.ndarray:
    """Iterative proportional fitting on the exact joint; what is in no goal shares the rest."""
    law = (world.chances if law is None else law).copy()
    for _ in range(3000):
        for name, shares in goals.items():
            values = column(world, name)
            rest = np.ones(len(law), bool)
            now = law.copy()
            for value, wished in shares.items():
                inside = values == value
                law[inside] *= wished / now[inside].sum()
                rest &= ~inside
            left = 1 - sum(shares.values())
            law[rest] *= left / now[rest].sum() if now[rest].sum() > 0 else 0
    return law


def arrays(columns: dict) -> dict[str, pa.Array]:
    return {name: pa.array(list(values)) for name, values in columns.items()}

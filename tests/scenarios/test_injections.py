"""Injected rows: their laws and their weights."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from known import STRESS, column, joint, played, share

from fabrica.checks import Joint

ROWS = 60_000


@settings(max_examples=8)
@given(st.integers(0, 10_000))
def test_weights_undo_the_scenario(seed):
    """Weighted shares are those of the law under the condition; unweighted ones are far from them."""
    world = joint(seed)
    columns, injection, weight = played(world, STRESS, ROWS, seed)
    law = np.array([a is None or a >= 30 for a in column(world, "age")]) * world.chances
    law /= law.sum()
    worth = weight.sum() ** 2 / (weight**2).sum()
    far = 0.0
    for name, value in (("c", "rare"), ("s", "a"), ("y", "x"), ("age", 70)):
        known, found = share(world, law, **{name: value}), weight[columns[name] == value].sum() / len(weight)
        assert abs(found - known) < 5 * (known * (1 - known) / worth) ** 0.5 + 0.01
        far = max(far, abs((columns[name] == value).mean() - known))
    assert far > 0.05 and abs(weight.mean() - 1) < 0.02
    assert (weight[injection == 3] == 0).all() and (weight[injection < 3] > 0).all()


def test_there_are_as_many_as_was_said_and_each_is_what_it_should_be():
    columns, injection, _ = played(joint(), STRESS, 20_000)
    assert np.bincount(injection).tolist() == [13_000, 2_000, 4_000, 1_000]
    first = injection == 1
    assert (columns["c"][first] == "rare").all() and all(a > 50 for a in columns["age"][first])
    assert (columns["s"][injection == 2] == "a").all()
    assert all(a is None or a >= 30 for a in columns["age"])
    assert (columns["c"][injection == 3] == "rare").all() and (columns["age"][injection == 3] == 30).all()


def test_rows_of_a_region_are_distributed_as_the_model_has_them_there():
    world = joint(4)
    columns, injection, _ = played(world, {"inject": [{"kind": "rare", "where": "c == 'rare'", "share": 1}]}, ROWS)
    assert (injection == 1).all()
    there = column(world, "c") == "rare"
    law = world.chances * there / world.chances[there].sum()
    for name, value in (("s", "a"), ("y", "x"), ("age", 70)):
        known = share(world, law, **{name: value})
        assert abs((columns[name] == value).mean() - known) < 5 * (known * (1 - known) / ROWS) ** 0.5


def test_intensity_makes_plain_or_camouflaged():
    """By how well the other columns tell the region: the share of the likelier group."""
    random = np.random.default_rng(1)
    chances = {(c, s, y): w * (p if s == "a" else 1 - p) * (q if y == "x" else 1 - q)
               for c, w, p, q in (("rare", 0.01, 0.7, 0.65), ("common", 0.99, 0.4, 0.45)) for s in "ab" for y in "xy"}
    world = Joint.of(dict(zip("csy", map(list, zip(*chances, strict=True)), strict=True)),
                     dict.fromkeys("csy", "category"), list(chances.values()))
    shown = []
    for intensity in (0.0, 0.25, 0.5, 0.75, 1.0):
        plain = {"inject": [{"kind": "rare", "where": "c == 'rare'", "share": 1, "intensity": intensity}]}
        columns, _, _ = played(world, plain, 20_000, int(random.integers(99)))
        shown.append(((columns["s"] == "a").mean() + (columns["y"] == "x").mean()) / 2)
    assert shown == sorted(shown) and shown[0] < 0.45 and shown[-1] > 0.85
    assert abs(shown[2] - 0.675) < 0.02

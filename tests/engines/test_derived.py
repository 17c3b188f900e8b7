"""Features of several columns: found where they tell, not found where they do not, the same in fitting and drawing."""

from __future__ import annotations

import numpy as np
import pytest
from joints import chance
from small_models import made_of_ties

from fabrica.block import Block
from fabrica.checks.engines import coded
from fabrica.checks.promise import stored
from fabrica.engines.trees.crosses import crosses
from fabrica.engines.trees.derived import PLACES, Derived
from fabrica.engines.trees.embed import arranged, embedding, places
from fabrica.engines.trees.sums import Covariance, _borders
from fabrica.errors import ModelFileError
from fabrica.run import Run

N = 6_000


def ranks(name: str, values: np.ndarray, size: int = 200) -> Block:
    return coded(name, size, np.argsort(np.argsort(values)) * size // len(values), ordered=True)


def embedded(block: Block, j: int) -> np.ndarray:
    return embedding(block.columns[j], chance(0))[block.columns[j].codes]


@pytest.mark.parametrize("key", range(5))
def test_places_are_the_same_for_people_and_for_draws(key: int) -> None:
    r = chance(key)
    sizes, looked = r.integers(1, 300, 6), np.sort(r.choice(6, 4, replace=False)).astype(np.int32)
    codes = np.stack([r.integers(0, s, 500) for s in sizes], 1).astype(np.uint16)
    tables = tuple(r.normal(size=sizes[c]).astype(np.float32) for c in looked)
    found = Derived(looked, tables, np.sort(r.normal(size=100)).astype(np.float32))
    fitted, sums = found.of([codes[:, c] for c in looked])
    true = sum(t[codes[:, c]].astype(np.float64) for c, t in zip(looked, tables, strict=True))
    assert np.abs(sums - true).max() < 1e-4
    assert (found.places(codes) == fitted).all()
    again = Derived.from_state(stored(found.state()), [int(s) for s in sizes])
    assert (again.places(codes) == fitted).all()


def test_a_sum_is_found_whatever_its_scale() -> None:
    """y = exp(a + b - c): nothing is linear but the sum itself, whose places follow a + b - c."""
    r = chance(1)
    a, b, c, noise = r.normal(size=(4, N))
    truth = a + b - c
    block = Block.of([ranks("a", a), ranks("other", noise), ranks("b", b), ranks("c", c), ranks("y", np.exp(truth))])
    best = Covariance.of(block, Run(1)).sum(4, np.arange(4), 5)
    assert best is not None
    found = best.of([block.columns[i].codes for i in best.columns])[1]
    assert abs(np.corrcoef(found, truth)[0, 1]) > 0.97
    assert not Covariance.of(block, Run(1)).sum(1, np.arange(1), 5), "one column is no sum"
    assert not Covariance.of(block, Run(1)).sum(3, np.arange(3), 5), "columns that have nothing to do with the target"


def test_where_one_column_tells_all_no_sum_is_made() -> None:
    r = chance(2)
    a, b = r.normal(size=(2, N))
    block = Block.of([ranks("a", a), ranks("b", b), ranks("y", a + 0.01 * r.normal(size=N))])
    assert not Covariance.of(block, Run(1)).sum(2, np.arange(2), 5)


def test_a_hidden_pair_is_found_and_no_other() -> None:
    r = chance(3)
    a, b, c = r.integers(0, 2, (3, N))
    columns = [coded("a", 2, a), coded("b", 2, b), coded("c", 2, c)]
    hidden = Block.of([*columns, coded("y", 2, a ^ c)])
    (one,) = crosses(hidden, np.arange(3), embedded(hidden, 3), np.arange(N))
    assert one.columns.tolist() == [0, 2]
    open_one = Block.of([*columns, coded("y", 2, (r.random(N) < 0.1 + 0.5 * a + 0.3 * c).astype(np.int64))])
    assert not crosses(open_one, np.arange(3), embedded(open_one, 3), np.arange(N)), "a tree sees it by itself"
    none = Block.of([*columns, coded("y", 2, r.integers(0, 2, N))])
    assert not crosses(none, np.arange(3), embedded(none, 3), np.arange(N))


def test_few_rows_make_no_features() -> None:
    r = chance(4)
    a, b = r.integers(0, 2, (2, 300))
    block = Block.of([coded("a", 2, a), coded("b", 2, b), coded("y", 2, a ^ b)])
    assert not crosses(block, np.arange(2), embedded(block, 2), np.arange(300))
    assert not Covariance.of(block, Run(1)).sum(2, np.arange(2), 5)


def test_levels_alike_stand_side_by_side() -> None:
    """Sixty levels of twelve groups, each with its own share of four outcomes: a group is one stretch of places."""
    r = chance(5)
    group = r.permutation(np.arange(60) % 12)
    shares = r.dirichlet(np.full(4, 0.2), 12)
    level = r.integers(0, 60, 60_000)
    outcome = (r.random((60_000, 1)) > np.cumsum(shares[group[level]], 1)).sum(1)
    order = np.argsort(arranged(level, 60, np.eye(4)[np.minimum(outcome, 3)]))
    changes = (np.diff(group[order]) != 0).sum()
    assert changes < 25, "eleven if no group were torn; by chance it is 54"


def test_of_one_dimension_the_order_is_that_of_the_means() -> None:
    r = chance(6)
    level, mean = r.integers(0, 40, N), r.normal(size=40)
    target = mean[level] + r.normal(size=N)
    one, two = (arranged(level, 40, t) for t in (target, np.stack([target, np.zeros(N)], 1)))
    assert (one == two).all() or (one == 39 - two).all()


def test_places_along_an_axis_keep_its_order_and_absent_codes_apart() -> None:
    grid = np.concatenate([[np.nan, np.nan], chance(7).random(600)])
    found = places(grid, 2)
    assert found[0] < found[1] < found[2:].min()
    order = np.argsort(grid[2:])
    assert (np.diff(found[2:][order].astype(int)) >= 0).all()


def test_the_model_of_ties_has_them() -> None:
    model = made_of_ties()
    stages = model.model.stages  # type: ignore[attr-defined]
    assert len(stages[1].derived) and len(stages[4].derived)
    assert model.encoder.coders[-1].rounding is not None  # type: ignore[attr-defined]


def test_levels_on_a_bow_stand_in_its_order() -> None:
    """Each half is turned along the axis of the whole: a bow has no tears, though its parts point in all directions."""
    angle = np.linspace(0, 2.9, 64)
    points = np.stack([np.cos(angle), np.sin(angle)], 1)
    shuffle = chance(9).permutation(64)
    level = np.repeat(np.arange(64), 50)
    place = arranged(level, 64, points[shuffle][level])
    steps = np.diff(place[np.argsort(shuffle)].astype(int))
    assert (steps == 1).all() or (steps == -1).all()


@pytest.mark.parametrize("rows", [200, 5000])
@pytest.mark.parametrize("k", [5, 40])
def test_a_sum_is_cut_beside_everybody(rows: int, k: int) -> None:
    r = chance(10)
    sums = np.round(r.lognormal(5, 1, rows)).astype(np.float32)
    cuts = _borders(sums, k)
    assert (np.diff(cuts) > 0).all() and not np.isin(cuts, sums).any() and len(cuts) < PLACES
    assert len(cuts) + 1 <= rows / k


def test_more_places_than_a_byte_holds_are_refused() -> None:
    tables = (np.arange(300, dtype=np.float32),)
    fine, wide = (Derived(np.array([0], np.int32), tables, np.arange(n, dtype=np.float32) + 0.5) for n in (254, 255))
    assert len(Derived.from_state(stored(fine.state()), [300]).edges) == 254
    with pytest.raises(ModelFileError, match="too many places"):
        Derived.from_state(stored(wide.state()), [300])

"""The copula finds the normals behind codes, draws from them with exact margins, and fills in what is not known."""

from __future__ import annotations

import numpy as np
import pytest
from joints import chance

from fabrica.block import Block, Coded
from fabrica.checks.engines import coded
from fabrica.correlation import FLOOR, nearest
from fabrica.engines.copula import Copula, CopulaModel
from fabrica.engines.copula.given import inside
from fabrica.errors import ModelFileError
from fabrica.run import Run
from fabrica.state import State

N = 20_000


def normals(correlation: float, count: int = N, key: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Two normals with this correlation."""
    x, y = chance(key).normal(size=(2, count))
    return x, correlation * x + np.sqrt(1 - correlation**2) * y


def cut(values: np.ndarray, shares: list[float]) -> np.ndarray:
    """Codes with these shares, in the order of the values."""
    return np.searchsorted(np.quantile(values, np.cumsum(shares)[:-1]), values, "right")


def ordered(name: str, codes: np.ndarray, size: int, absent: int = 0) -> Coded:
    return coded(name, size, codes, ordered=True, absent=absent)


def twin(block: Block, size: int = N) -> Block:
    return Copula().fit(block, None, Run(1)).sample(size, None, Run(2))


def correlated(block: Block) -> float:
    return float(Copula().fit(block, None, Run(1)).correlation[0, 1])


CUTS = {"flags": ([0.5, 0.5], [0.5, 0.5]), "skewed flags": ([0.9, 0.1], [0.3, 0.7]),
        "a few": ([0.2, 0.5, 0.3], [0.6, 0.1, 0.1, 0.2]), "a flag and a number": ([0.8, 0.2], [1 / 300] * 300),
        "numbers": ([1 / 200] * 200, [1 / 300] * 300), "a point mass": ([0.7] + [0.003] * 100, [0.25] * 4)}


@pytest.mark.parametrize("true", [-0.8, 0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("shares", CUTS.values(), ids=CUTS)
def test_the_correlation_of_the_normals_is_found_from_any_codes(shares, true):
    x, y = (cut(v, s) for v, s in zip(normals(true), shares, strict=True))
    found = correlated(Block.of([ordered("x", x, len(shares[0])), ordered("y", y, len(shares[1]))]))
    assert found == pytest.approx(true, abs=0.035)


def test_a_careless_twin_that_correlates_codes_is_far_off():
    x, y = (cut(v, s) for v, s in zip(normals(0.8), CUTS["skewed flags"], strict=True))
    assert np.corrcoef(x, y)[0, 1] < 0.4
    assert correlated(Block.of([ordered("x", x, 2), ordered("y", y, 2)])) == pytest.approx(0.8, abs=0.035)


def test_halves_of_two_normals_meet_as_often_as_sheppard_says():
    """P(both above the middle) = 1/4 + arcsin(r) / 2 pi (Sheppard 1899)."""
    x, y = (cut(v, [0.5, 0.5]) for v in normals(0.7))
    drawn = twin(Block.of([ordered("x", x, 2), ordered("y", y, 2)]), 200_000)
    both = (drawn.columns[0].codes & drawn.columns[1].codes).mean()
    assert both == pytest.approx(0.25 + np.arcsin(0.7) / (2 * np.pi), abs=0.008)
    assert abs(both - (x & y).mean()) < 0.005


@pytest.mark.parametrize("size", [1024, 5_000, 65_536])
def test_each_margin_is_exact_to_one_row_a_code(size):
    x, y = (cut(v, [0.05, 0.15, 0.3, 0.5]) for v in normals(0.5))
    drawn = twin(Block.of([ordered("x", x, 4), coded("y", 4, y)]), size)
    for column, seen in zip(drawn, (x, y), strict=True):
        due = np.bincount(seen, minlength=4) * (size / N)
        assert np.abs(np.bincount(column.codes, minlength=4) - due).max() < 2


def test_single_rows_hang_together_too():
    """The ranks of a single row tell nothing: a careless twin that ranks one row draws two columns apart."""
    x, y = (cut(v, [0.5, 0.5]) for v in normals(0.98))
    model = Copula().fit(Block.of([ordered("x", x, 2), ordered("y", y, 2)]), None, Run(1))
    rows = [model.sample(1, None, Run(seed)).columns for seed in range(200)]
    assert np.mean([a.codes[0] == b.codes[0] for a, b in rows]) > 0.85


def test_levels_are_put_in_the_order_that_tells_most():
    """Shuffled names of the pieces of a normal are put back in a row, and the correlation is all there."""
    x, y = normals(0.8)
    names = chance(3).permutation(8)
    block = Block.of([coded("x", 8, names[cut(x, [1 / 8] * 8)]), ordered("y", cut(y, [0.01] * 100), 100)])
    model = Copula().fit(block, None, Run(1))
    order = model.margins[0].order.tolist()
    assert order in (names.tolist(), names[::-1].tolist())
    assert abs(model.correlation[0, 1]) == pytest.approx(0.8, abs=0.02)
    careless = np.corrcoef(block.columns[0].codes, block.columns[1].codes)[0, 1]
    assert abs(careless) < 0.7  # a careless twin that takes the levels as they come


def test_levels_alone_find_their_order_from_each_other():
    x, y = normals(0.8)
    names = chance(4).permutation(6), chance(5).permutation(7)
    block = Block.of([coded("x", 6, names[0][cut(x, [1 / 6] * 6)]), coded("y", 7, names[1][cut(y, [1 / 7] * 7)])])
    assert abs(correlated(block)) == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize("who", ["anyone", "the highest", "the lowest"])
def test_what_is_missing_stands_where_it_tells_most(who):
    x, y = normals(0.8)
    gone = {"anyone": chance(6).random(N) < 0.2, "the highest": x > 0.84, "the lowest": x < -0.84}[who]
    codes = np.where(gone, 0, 1 + cut(x, [0.01] * 100))
    model = Copula().fit(Block.of([ordered("x", codes, 101, absent=1), ordered("y", cut(y, [0.02] * 50), 50)]),
                         None, Run(1))
    middle = model.margins[0].scores[0]
    assert abs(middle) < 0.3 if who == "anyone" else middle > 1 if who == "the highest" else middle < -1
    seen = np.corrcoef(codes[~gone], y[~gone])[0, 1]
    drawn = twin(Block.of([ordered("x", codes, 101, absent=1), ordered("y", cut(y, [0.02] * 50), 50)]))
    here = drawn.columns[0].codes > 0
    assert np.corrcoef(*(c.codes[here] for c in drawn))[0, 1] == pytest.approx(seen, abs=0.12)


def test_the_nearest_correlations_are_highams():
    """The example of the paper's section 4."""
    found = nearest(np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]]))
    assert found[0] == pytest.approx([1, 0.7607, 0.1573], abs=2e-3)
    assert np.linalg.eigvalsh(found)[0] >= FLOOR / 2


def test_what_fits_together_is_left_alone():
    fine = np.array([[1, 0.5, 0.2], [0.5, 1, 0.1], [0.2, 0.1, 1]])
    assert np.abs(nearest(fine) - fine).max() < 1e-7


def test_truncated_normals_are_as_enumeration_says():
    """Two normals in a rectangle: their means against sums over a fine grid; far tails too."""
    r = np.array([[1, 0.7], [0.7, 1]])
    for low, high in (([-0.5, 0.3], [1.0, 2.0]), ([5.0, -9.0], [6.0, 0.0])):
        drawn = inside(np.tile(low, (40_000, 1)), np.tile(high, (40_000, 1)), r,
                       chance(7).integers(0, 1 << 64, 40_000, np.uint64))
        grid = np.stack(np.meshgrid(*(np.linspace(a, b, 600) for a, b in zip(low, high, strict=True))), -1)
        weight = np.exp(-np.einsum("abi,ij,abj->ab", grid, np.linalg.inv(r), grid) / 2)
        due = (grid * weight[..., None]).sum((0, 1)) / weight.sum()
        assert drawn.mean(0) == pytest.approx(due, abs=0.02)
        assert (drawn >= low).all() and (drawn <= high).all()


def test_filling_in_is_like_keeping_the_rows_that_fit():
    """Cells drawn given others, against the rows of a large free sample that happen to have those others."""
    f = chance(8).normal(size=N)
    a, b, c, d = (f + s * chance(9 + i).normal(size=N) for i, s in enumerate((0.5, 1.0, 0.7, 2.0)))
    block = Block.of([ordered("a", cut(a, [0.3, 0.4, 0.3]), 3), coded("b", 4, cut(b, [0.25] * 4)),
                      ordered("c", cut(c, [0.1] * 10), 10), coded("d", 2, cut(d, [0.6, 0.4]))])
    model = Copula().fit(block, None, Run(1))
    free = model.sample(400_000, None, Run(2))
    want = (free.columns[0].codes == 2) & (free.columns[3].codes == 0)
    asked = Block.of([col.filled(np.full(N, v)) for col, v in zip(block, (2, 0, 0, 0), strict=True)])
    known = np.tile([True, False, False, True], (N, 1))
    drawn = model.complete(asked, known, Run(3))
    for j in (1, 2):
        shares = [np.bincount(x, minlength=10) / len(x) for x in
                  (drawn.columns[j].codes, free.columns[j].codes[want], free.columns[j].codes)]
        assert np.abs(shares[0] - shares[1]).sum() / 2 < 0.02
        assert np.abs(shares[0] - shares[2]).sum() / 2 > 0.1  # a careless twin that ignores what is known
    pair = [np.corrcoef(x.columns[1].codes[k].astype(float), x.columns[2].codes[k])[0, 1]
            for x, k in ((drawn, slice(None)), (free, want))]
    assert pair[0] == pytest.approx(pair[1], abs=0.03)


def test_rows_with_different_gaps_are_each_filled():
    x, y = (cut(v, [0.1] * 10) for v in normals(0.95))
    block = Block.of([ordered("x", x, 10), ordered("y", y, 10)])
    known = chance(20).random((N, 2)) < 0.5
    drawn = Copula().fit(block, None, Run(1)).complete(block, known, Run(2))
    for j in range(2):
        assert (drawn.columns[j].codes == block.columns[j].codes)[known[:, j]].all()
    one = known.sum(1) == 1
    assert np.corrcoef(*(c.codes[one] for c in drawn))[0, 1] > 0.9


def damaged() -> dict[str, dict[str, np.ndarray]]:
    return {
        "shares that are no shares": {"copula/0.shares": np.array([0.5, 0.6])},
        "too few shares": {"copula/0.shares": np.array([1.0])},
        "an order that leads outside": {"copula/0.order": np.array([0, 2])},
        "an order with a code twice": {"copula/1.order": np.array([1, 1, 2])},
        "an impossible correlation": {"copula/correlation": np.array([1.0])},
        "too many correlations": {"copula/correlation": np.zeros(3)},
        "no number": {"copula/correlation": np.array([np.nan])},
    }


@pytest.mark.parametrize("what", damaged())
def test_a_damaged_model_is_refused(what):
    x, y = normals(0.5, 500)
    block = Block.of([ordered("x", cut(x, [0.5, 0.5]), 2), coded("y", 3, cut(y, [0.2, 0.3, 0.5]))])
    state = Copula().fit(block, None, Run(1)).state()
    CopulaModel.from_state(state)
    with pytest.raises(ModelFileError):
        CopulaModel.from_state(State(state.plain, {**state.arrays, **damaged()[what]}))

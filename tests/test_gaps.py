"""Nothing is drawn where a column is empty: clusters, sentinels and strays, and who would draw there is caught."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv

from fabrica import gaps
from fabrica.gaps import _spans, pieces
from fabrica.inference.numbers import decimals_of
from fabrica.marginal import Marginal
from fabrica.tally import Tally

K = 5
EVEN = (np.arange(200_000) + 0.5) / 200_000


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def moved(values: np.ndarray, drawn: np.ndarray) -> float:
    """The Kolmogorov-Smirnov distance of two samples."""
    x, y = np.sort(values), np.sort(drawn)
    at = np.unique(np.concatenate([x, y]))
    return float(np.abs(np.searchsorted(x, at, "right") / len(x) - np.searchsorted(y, at, "right") / len(y)).max())


def astray(values: np.ndarray, drawn: np.ndarray, low: float, high: float) -> int:
    """Draws strictly between the highest value up to ``low`` and the lowest from ``high`` on."""
    return int(((drawn > values[values <= low].max()) & (drawn < values[values >= high].min())).sum())


CLUSTERS = st.tuples(st.integers(20, 3000), st.integers(20, 3000), st.sampled_from([0.01, 1.0, 30.0]),
                     st.sampled_from(["normal", "uniform", "exponential"]), st.integers(0, 2**32))


@given(CLUSTERS)
def test_no_draw_lies_between_two_clusters(world: tuple[int, int, float, str, int]) -> None:
    left, right, scale, shape, seed = world
    r = chance(seed)
    values = np.r_[getattr(r, shape)(size=left), 10_000 + scale * getattr(r, shape)(size=right)]
    m = Marginal.learn(Tally.of(values), k=K)
    drawn = m.value(EVEN)
    assert astray(values, drawn, 5000, 5000) == 0
    assert abs((drawn > 5000).mean() - right / len(values)) < 1e-5
    assert moved(values, drawn) < 1.5 * K / len(values) + 1e-3
    code = m.code(m.position(values))
    again = m.decode(code, r.random(len(values)))
    assert ((again > 5000) == (values > 5000)).all(), "no code stands on both sides of a gap"


def test_who_does_not_look_for_gaps_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.r_[chance().normal(size=300), chance(1).normal(10_000, 1, 400)]
    monkeypatch.setattr(gaps, "TIMES", np.inf)
    assert astray(values, Marginal.learn(Tally.of(values), k=K).value(EVEN), 5000, 5000) > 0


@given(st.sampled_from([-200.0, 999.0, 99_999.0]), st.integers(K, 2000), st.sampled_from([None, 0, 1]),
       st.integers(0, 2**32))
def test_no_draw_lies_between_a_sentinel_and_the_values(
    sentinel: float, held: int, decimals: int | None, seed: int
) -> None:
    values = np.abs(chance(seed).normal(20, 6, 3000))
    values = values if decimals is None else np.round(values, decimals)
    both = np.r_[values, np.full(held, sentinel)]
    drawn = Marginal.learn(Tally.of(both), k=K, decimals=decimals).value(EVEN)
    bulk = drawn[drawn != sentinel]
    assert bulk.min() >= values.min() and bulk.max() <= values.max()
    assert abs((drawn == sentinel).mean() - held / len(both)) < 2 * K / len(both)
    assert moved(both, drawn) < 2 * K / len(values), "rows move within their group, which has fewer than 2 k"


@given(st.lists(st.floats(2000, 8000), min_size=1, max_size=K - 1), st.integers(0, 2**32))
def test_strays_between_clusters_are_neither_told_nor_smeared(strays: list[float], seed: int) -> None:
    r = chance(seed)
    values = np.r_[r.normal(size=1000), strays, r.normal(10_000, 1, 1000)]
    m = Marginal.learn(Tally.of(values), k=K)
    drawn = m.value(EVEN)
    assert not ((drawn > 100) & (drawn < 9900)).any()
    held = np.diff(m.cum) * len(values)
    assert ((held >= K - 1e-6) | (held < 1e-6)).all()


@pytest.mark.parametrize("held", range(1, K))
@pytest.mark.parametrize("far", [-1e6, 1e6])
def test_a_few_rows_at_a_far_end_are_not_smeared(held: int, far: float) -> None:
    values = np.r_[chance().normal(size=3000), np.full(held, far)]
    assert np.abs(Marginal.learn(Tally.of(values), k=K).value(EVEN)).max() < 5


def test_a_long_tail_is_no_stray() -> None:
    """The end is still the mean of the k extreme rows: what grows in steps is a tail."""
    values = np.sort(chance(2).lognormal(0, 2, 20_000))
    m = Marginal.learn(Tally.of(values), k=K)
    assert m.knots[-1] == pytest.approx(values[-K:].mean()) and m.knots[0] == pytest.approx(values[:K].mean())


@given(st.integers(3, 40), st.integers(K, 60), st.integers(0, 2**32))
def test_many_clusters_keep_their_places(clusters: int, size: int, seed: int) -> None:
    r = chance(seed)
    centres = np.arange(clusters) * 1000.0
    values = (centres[:, None] + r.uniform(-1, 1, (clusters, max(size, 2 * gaps.NEAR)))).ravel()
    drawn = Marginal.learn(Tally.of(values), k=K).value(EVEN)
    assert (np.abs(drawn[:, None] - centres).min(axis=1) <= 1).all() and moved(values, drawn) < 4 * K / len(values)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6, allow_subnormal=False), st.integers(1, 12)), min_size=K, max_size=150),
       st.sampled_from([3, 5, 20]))
def test_pieces_hold_every_row_once_and_k_of_them(found: list[tuple[float, int]], k: int) -> None:
    tally = Tally.of(np.repeat([v for v, _ in found], [c for _, c in found]))
    if tally.total < k:
        return
    cut = pieces(tally, k)
    held = [tally.counts[p.first : p.last + 1].sum() for p in cut]
    assert min(held) >= k and sum(held) + sum(p.before + p.after for p in cut) == tally.total
    assert all(p.last < q.first for p, q in pairwise(cut))
    point = tally.points(k)
    assert all(point[p.first] and p.first == p.last if p.mass else not point[p.first : p.last + 1].any() for p in cut)


@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=30, max_size=200), st.integers(0, 2**32))
def test_no_stored_number_at_a_gap_is_a_rows_own(values: list[float], seed: int) -> None:
    r = chance(seed)
    rows = np.r_[r.normal(size=200), r.normal(5000, 1, 200), r.permutation(values) / 7 + r.random(len(values))]
    assert not np.isin(Marginal.learn(Tally.of(rows), k=K).knots, rows).any()


def test_smooth_columns_have_next_to_no_gaps() -> None:
    for seed in range(5):
        assert len(pieces(Tally.of(chance(seed).normal(size=50_000)), K)) < 5


def test_air_quality_has_no_impossible_value() -> None:
    """-200 stands for missing there; between it and the lowest measurement is nothing, and nothing is drawn."""
    path = Path(__file__).resolve().parents[2] / "shared/data/air_quality_uci/air_quality_uci.csv"
    if not path.exists():
        pytest.skip("the real table air_quality_uci is not beside this checkout")
    table = csv.read_csv(path)
    numeric = [f.name for f in table.schema if pa.types.is_floating(f.type) or pa.types.is_integer(f.type)]
    assert len(numeric) > 10
    for name in numeric:
        values = table[name].drop_null().to_numpy().astype(float)
        drawn = Marginal.learn(Tally.of(values), decimals=decimals_of(values)).value(EVEN)
        assert astray(values, drawn, -200, -199) == 0 and moved(values, drawn) < 1e-3, name


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=60), st.integers(1, 30),
       st.integers(1, 8))
def test_spans_are_those_of_the_nearest_rows(found: list[tuple[int, bool]], near: int, k: int) -> None:
    half = np.cumsum(np.arange(len(found)) % 7 + 1.0)
    counts, point = np.array([float(c) for c, _ in found]), np.array([p for _, p in found])
    for i, span in enumerate(_spans(half, counts, point, float(near), float(k))):
        j, held = i, counts[i]
        while held < near and not point[j] and j > 0:
            j -= 1
            held += counts[j]
        assert span == (half[i] - half[j] if held >= k or point[j] else np.inf)


@pytest.mark.parametrize(("at", "left"), [(100.0, 4), (900.0, 0), (500.0, 2)])
def test_strays_are_counted_with_the_nearer_side_or_halved_between_both(at: float, left: int) -> None:
    r = chance(5)
    values = np.r_[r.normal(size=1000), np.full(4, at) + np.arange(4) / 8, r.normal(1000, 1, 1000)]
    low, high = pieces(Tally.of(values), K)
    assert (low.after, high.before) == (left, 4 - left) and low.before == high.after == 0

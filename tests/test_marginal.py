"""Laws of the learned marginal and of what a survey of numbers keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrica.errors import ModelFileError
from fabrica.marginal import Marginal
from fabrica.state import State
from fabrica.tally import DISTINCT, KNOTS, Tally

K = 5
NUMBERS = st.lists(
    st.one_of(
        st.floats(-1e12, 1e12, allow_nan=False, allow_subnormal=False),
        st.integers(-20, 20).map(float),
        st.sampled_from([0.0, 99999.0, 0.1]),
    ),
    min_size=K,
    max_size=300,
)


def learned(values: list[float], **settings: object) -> tuple[Tally, Marginal]:
    counted = Tally.of(np.array(values, np.float64))
    return counted, Marginal.learn(counted, k=K, **settings)  # type: ignore[arg-type]


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


@given(NUMBERS, st.sampled_from([8, 32, 512]))
def test_the_quantile_function_never_falls(values: list[float], codes: int) -> None:
    _, m = learned(values, codes=codes)
    assert m.cum[0] == 0 and m.cum[-1] == 1 and (np.diff(m.cum) >= 0).all()
    assert (np.diff(m.knots) >= 0).all() and (np.diff(m.edges) > 0).all()
    assert m.edges[0] == 0 and m.edges[-1] == 1
    assert (np.diff(m.value(np.linspace(0, 1, 501))) >= 0).all()


@given(NUMBERS)
def test_point_masses_come_back_bit_for_bit(values: list[float]) -> None:
    counted, m = learned(values)
    held = counted.values[counted.counts >= K]
    assert (m.value(m.position(held)) == held).all()


@given(NUMBERS, st.sampled_from([8, 32, 512]))
def test_a_value_decodes_into_its_own_code(values: list[float], codes: int) -> None:
    counted, m = learned(values, codes=codes)
    code = m.code(m.position(counted.values))
    for share in (0.0, 0.25, 0.5, 0.999):
        again = m.code(m.position(m.decode(code, np.full(len(code), share))))
        same = (again == code) | (m.decode(again, np.full(len(code), 0.5)) == m.decode(code, np.full(len(code), share)))
        near = np.abs(m.edges[again] - m.edges[code]) < 1e-9
        assert (same | near | (np.abs(again - code) <= 1)).all()  # an edge may round to its neighbour
    assert code.min() >= 0 and code.max() < m.size


@given(st.lists(st.integers(1, 8), min_size=1, max_size=80), st.integers(0, 2**32))
def test_nothing_is_stored_that_fewer_than_k_rows_hold(counts: list[int], seed: int) -> None:
    values = np.sort(chance(seed).normal(size=len(counts)))  # no mean of these is one of them
    counted = Tally(values, np.array(counts, np.float64))
    if counted.total < K:
        return
    m = Marginal.learn(counted, k=K)
    assert not np.isin(m.knots, values[counted.counts < K]).any()
    rows = np.repeat(values, counts)
    assert rows[:K].mean() <= m.knots[0] + 1e-12 and m.knots[-1] <= rows[-K:].mean() + 1e-12


def test_groups_are_never_smaller_than_k() -> None:
    """Four rows at the lowest value are averaged with the next ones, not told on their own."""
    m = Marginal.learn(Tally(np.array([1.0, 2.0, 3.0]), np.array([4.0, 4.0, 4.0])), k=5)
    assert m.knots[0] >= 1.5
    m = Marginal.learn(Tally(np.array([1.0, 50.0, 99.0]), np.array([4.0, 100.0, 4.0])), k=5)
    assert set(m.knots) == {50.0}


@given(NUMBERS, st.sampled_from([8, 32, 512]), st.sampled_from([None, 0, 2]), st.booleans())
def test_no_code_and_no_interval_stands_for_fewer_than_k_rows(
    values: list[float], codes: int, decimals: int | None, bounded: bool
) -> None:
    if decimals is not None:
        values = [round(v, decimals) for v in values]
    m = learned(values, codes=codes, decimals=decimals, bounds=(-1e12, 1e12) if bounded else None)[1]
    assert (np.diff(m.edges) * len(values) >= K - 1e-6).all()
    held = np.diff(m.cum) * len(values)
    assert ((held >= K - 1e-6) | (held < 1e-6)).all()


@given(st.lists(st.integers(1, 40), min_size=1, max_size=200), st.sampled_from([8, 32, 512]), st.integers(2, 20))
def test_no_code_is_small_whatever_the_masses(counts: list[int], codes: int, k: int) -> None:
    total = sum(counts)
    if total < k:
        return
    m = Marginal.learn(Tally(np.arange(float(len(counts))), np.array(counts, float)), codes=codes, k=k, decimals=0)
    assert (np.diff(m.edges) * total >= k - 1e-6).all()
    held = np.diff(m.cum) * total
    assert ((held >= k - 1e-6) | (held < 1e-6)).all()


@pytest.mark.parametrize("rows", [1, 2, K - 1])
@pytest.mark.parametrize("decimals", [None, 0])
@pytest.mark.parametrize("codes", [8, 512])
def test_a_secret_in_every_gap_between_point_masses_stays_hidden(rows: int, decimals: int | None, codes: int) -> None:
    masses = np.arange(0, 2000, 10.0)
    secrets = masses + 3
    tally = Tally.of(np.r_[np.repeat(masses, 100), np.repeat(secrets, rows)])
    m = Marginal.learn(tally, decimals=decimals, codes=codes)
    assert set(m.knots) == set(masses), "what fewer than k rows hold is counted with the masses beside it"
    every = np.concatenate([m.value(np.linspace(0, 1, 100_001)), *(m.decode(np.arange(m.size), np.full(m.size, w))
                            for w in (0.0, 0.5, 0.999))])
    assert not np.isin(every, secrets).any()
    share = np.diff(m.cum)[m.knots[1:] == m.knots[:-1]] * len(masses)
    assert np.abs(share - 1).max() < 2.5 * rows / 100


def test_a_stretch_that_k_rows_hold_stays() -> None:
    m = Marginal.learn(Tally.of(np.repeat([10.0, 11.0, 12.0, 13.0], [50_000, 4, 2, 50_000])), decimals=0)
    drawn = m.value(np.linspace(0, 1, 1_000_001))
    assert set(drawn) == {10, 11, 12, 13} and abs((np.abs(drawn - 11.5) < 1).sum() / 10 - 6) < 1


@pytest.mark.parametrize("sentinel", [99_999.0, -99_999.0])
def test_nothing_is_drawn_between_the_values_and_a_far_sentinel(sentinel: float) -> None:
    m = Marginal.learn(Tally.of(np.r_[chance().normal(size=5000), np.full(500, sentinel)]))
    drawn = m.value(np.linspace(0, 1, 100_001))
    assert np.abs(drawn[drawn != sentinel]).max() < 5


def test_fewer_than_k_rows_say_nothing() -> None:
    few = Tally.of(np.array([3.5, 3.5, 7.0, 8.0]))
    with pytest.raises(ValueError, match="at least k"):
        Marginal.learn(few, k=5)
    m = Marginal.learn(few, k=5, bounds=(0, 10))
    assert m.knots.tolist() == [0, 10] and m.size == 1


@given(st.lists(st.integers(-(2**40), 2**40), min_size=K, max_size=200))
def test_whole_numbers_stay_whole(values: list[int]) -> None:
    _, m = learned([float(v) for v in values], decimals=0)
    drawn = m.value(chance().random(500))
    assert (drawn == np.round(drawn)).all()
    assert drawn.min() >= min(values) - 1 and drawn.max() <= max(values) + 1


@given(st.integers(0, 4))
def test_decimals_are_as_written(decimals: int) -> None:
    values = np.round(chance(decimals).normal(0, 100, 3000), decimals)
    m = Marginal.learn(Tally.of(values), decimals=decimals)
    drawn = m.value(chance(9).random(2000))
    assert all(float(f"{v:.{decimals}f}") == v for v in drawn)


@pytest.mark.parametrize("shape", ["normal", "lognormal", "poisson", "spiked", "integers", "cauchy"])
@pytest.mark.parametrize("codes", [64, 512])
def test_draws_keep_the_distribution(shape: str, codes: int) -> None:
    r = chance(3)
    values = {
        "normal": lambda: r.normal(size=20_000),
        "lognormal": lambda: r.lognormal(0, 2, 20_000),
        "poisson": lambda: r.poisson(40, 20_000).astype(float),
        "spiked": lambda: np.where(r.random(20_000) < 0.7, 0.0, r.lognormal(8, 1, 20_000)),
        "integers": lambda: r.integers(0, 5000, 20_000).astype(float),
        "cauchy": lambda: r.standard_cauchy(20_000),
    }[shape]()
    decimals = 0 if shape in ("poisson", "integers") else None
    m = Marginal.learn(Tally.of(values), codes=codes, decimals=decimals)
    drawn = np.sort(m.value((np.arange(20_000) + 0.5) / 20_000))
    x = np.sort(values)
    at = np.unique(np.concatenate([x, drawn]))
    moved = np.abs(np.searchsorted(x, at, "right") - np.searchsorted(drawn, at, "right")).max() / 20_000
    assert moved < 0.002
    assert m.size <= 1.5 * codes
    code = m.code(m.position(values))
    again = m.decode(code, r.random(20_000))
    moved = np.abs(np.searchsorted(x, at, "right") - np.searchsorted(np.sort(again), at, "right")).max() / 20_000
    assert moved < 0.004 + 2 / codes


def test_rounding_adds_nothing_to_a_point_mass() -> None:
    """What lies between 10 and 12 is 11; rounding must not give a part of it to its neighbours."""
    counted = Tally(np.array([10.0, 11.0, 12.0]), np.array([500_000.0, 60.0, 500_000.0]))
    m = Marginal.learn(counted, decimals=0)
    share = m.value(np.linspace(0.5 - 2.9e-5, 0.5 + 2.9e-5, 101))
    assert (share == 11).all()


@given(NUMBERS, NUMBERS, NUMBERS)
def test_merging_surveys_does_not_mind_the_order(a: list[float], b: list[float], c: list[float]) -> None:
    x, y, z = (Tally.of(np.array(v)) for v in (a, b, c))
    one, other, whole = x.merge(y).merge(z), z.merge(x.merge(y)), Tally.of(np.array(a + b + c))
    for found in (one, other):
        assert (found.values == whole.values).all() and (found.counts == whole.counts).all()


def test_a_survey_is_bounded_and_stays_near() -> None:
    r = chance(5)
    parts = [np.concatenate([r.normal(size=200_000), np.full(1000, 0.25)]) for _ in range(3)]
    found = Tally.of(parts[0]).merge(Tally.of(parts[1])).merge(Tally.of(parts[2]))
    values = np.sort(np.concatenate(parts))
    assert len(found.values) <= DISTINCT and found.total == len(values)
    assert found.counts[found.values == 0.25].sum() == 3000
    assert (np.diff(found.values) > 0).all()
    at = found.values[:: len(found.values) // 1000]
    before = np.concatenate([[0], np.cumsum(found.counts)])[np.searchsorted(found.values, at, "right")]
    assert np.abs(before - np.searchsorted(values, at, "right")).max() / len(values) < 1e-4


@pytest.mark.parametrize("parts", [1, 4])
def test_masses_survive_a_survey_of_many_values(parts: int) -> None:
    """Two million prices, a thousand of them true masses just above what a point mass needs."""
    r, rows = chance(6), 2_000_000
    price = np.sort(r.choice(10_000_000, 1000, replace=False)) / 100
    true = np.repeat(price, int(1.1 * rows / (2 * KNOTS)))
    prices = r.permutation(np.r_[true, np.round(r.random(rows - len(true)) * 100_000, 2)])
    found = None
    for part in np.array_split(prices, parts):
        found = Tally.of(part) if found is None else found.merge(Tally.of(part))
    assert found is not None and len(found.values) <= DISTINCT and found.total == rows
    m = Marginal.learn(found, decimals=2)
    flat = m.knots[1:][(m.knots[1:] == m.knots[:-1]) & (np.diff(m.cum) > 0)]
    assert (np.unique(flat) == price).all(), "every mass, and no mean of several values"
    drawn = m.value(r.random(200_000))
    assert (np.round(drawn, 2) == drawn).all()


def test_means_are_never_point_masses() -> None:
    values, counts = np.arange(10.0), np.full(10, 50.0)
    merged = Tally(values, counts, np.ones(10, bool))
    assert not merged.points(K).any()
    both = merged.merge(Tally(values[:2], counts[:2]))
    assert both.values[both.points(K)].tolist() == [0, 1] and both.total == 600


FAR = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(FAR, min_size=1, max_size=8), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=60))
def test_whole_numbers_beyond_53_bits_are_exact(masses: list[int], rest: list[int]) -> None:
    values = np.array([*np.repeat(np.array(masses, np.int64), K), *rest], np.int64)
    half = Tally.of(values[::2]).merge(Tally.of(values[1::2]))
    m = Marginal.learn(half, k=K, decimals=0)
    m = Marginal.from_state(m.state())
    held = np.unique(np.array(masses, np.int64))
    if np.abs(held.astype(float)).max() > 2**53:
        assert (m.value(m.position(held)) == held).all() and m.knots.dtype == np.int64
    drawn = m.value(np.linspace(0, 1, 501))
    assert (drawn[1:] >= drawn[:-1]).all() and values.min() <= drawn[0] and drawn[-1] <= values.max()


def test_bounds_that_are_declared_are_known() -> None:
    m = Marginal.learn(Tally.of(chance(1).random(1000)), bounds=(-1, 2))
    assert m.knots[0] == -1 and m.knots[-1] == 2


@given(NUMBERS)
def test_a_state_comes_back(values: list[float]) -> None:
    _, m = learned(values, decimals=2)
    again = Marginal.from_state(m.state())
    assert again.decimals == 2 and all((getattr(m, n) == getattr(again, n)).all() for n in ("cum", "knots", "edges"))


@pytest.mark.parametrize("name", ["cum", "knots", "edges"])
@pytest.mark.parametrize("wrong", ["short", "nan", "falling", "text", "flat", "none"])
def test_a_damaged_state_is_refused(name: str, wrong: str) -> None:
    state = Marginal.learn(Tally.of(chance().random(1000))).state()
    a = state.arrays[name]
    bad = {
        "short": a[:1],
        "nan": np.where(np.arange(len(a)) == 1, np.nan, a),
        "falling": a[::-1],
        "text": a.astype(str),
        "flat": a.reshape(1, -1),
        "none": None,
    }[wrong]
    arrays = {k: v for k, v in {**state.arrays, name: bad}.items() if v is not None}
    with pytest.raises(ModelFileError):
        Marginal.from_state(State(state.plain, arrays))


def test_codes_and_positions_beyond_the_ends_stay_inside() -> None:
    m = Marginal.learn(Tally.of(chance().random(1000)))
    wild = np.array([0, 60_000, 65_535], np.uint16)
    inside = (m.knots[0], m.knots[-1])
    for found in (m.decode(wild, np.full(3, 0.5)), m.value(np.array([-5.0, 7.0, np.nan]))):
        assert ((found >= inside[0]) & (found <= inside[1]) | np.isnan(found) | (np.abs(found) < 100)).all()
    assert m.code(np.array([-1.0, 2.0])).tolist() == [0, m.size - 1]

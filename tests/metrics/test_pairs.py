"""Trend, common-bin Trend, k-way and association equal their definitions and keep their laws."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given

from fabrica.metrics.fidelity.association import cramer
from fabrica.metrics.fidelity.trend import errors
from fabrica.statistics import WIDE

from .worlds import find, judge, people, sheet, shuffled, table, two_sheets


def naive_tv(a, b):
    a, b = list(a), list(b)
    return sum(abs(a.count(v) / len(a) - b.count(v) / len(b)) for v in set(a) | set(b)) / 2


def naive_bin(value, edges):
    return -1 if value != value else sum(value >= e for e in edges)


def common(real, twin):
    """name -> (codes of real, codes of twin), by loops."""
    out = {}
    for name, values in real.values.items():
        if name in real.levels:
            out[name] = values.tolist(), twin.values[name].tolist()
        else:
            edges = sorted(set(np.quantile(values[~np.isnan(values)], np.linspace(0, 1, 11)[1:-1])))
            out[name] = tuple([naive_bin(v, edges) for v in t.values[name]] for t in (real, twin))
    return out


@given(two_sheets())
def test_trend_common_equals_the_definition(pair):
    real, twin = pair
    codes, found = common(real, twin), judge("trend_common", real, twin)
    mine = {}
    for a, b in combinations(real.values, 2):
        sides = [list(zip(codes[a][i], codes[b][i], strict=True)) for i in (0, 1)]
        mine[a, b] = 100 * naive_tv(*sides)
        assert find(found, "trend_common", a, b).value == pytest.approx(mine[a, b], abs=1e-9)
    head = find(found, "trend_common")
    assert head.value == pytest.approx(np.mean(list(mine.values())), abs=1e-9)
    names = head.detail["columns"]
    for (a, b), value in mine.items():
        assert head.detail["matrix"][names.index(a)][names.index(b)] == pytest.approx(value, abs=0.006)


@given(two_sheets(numeric=2, levels=2))
def test_trend_equals_the_definition(pair):
    real, twin = pair
    pairs = list(combinations([*real.numeric, *real.categorical], 2))
    got = errors(real, twin, pairs)
    for (a, b), value in zip(pairs, got, strict=True):
        if a in real.levels or b in real.levels:
            sides = []
            for t in (real, twin):
                codes = []
                for n in (a, b):
                    v = t.values[n]
                    edges = np.histogram_bin_edges(v[~np.isnan(v)]) if n not in t.levels else None
                    codes.append([naive_bin(x, edges) for x in v] if edges is not None else v.tolist())
                sides.append(list(zip(*codes, strict=True)))
            assert value == pytest.approx(100 * naive_tv(*sides), abs=1e-9)
        else:
            r, s = (naive_pearson(t.values[a], t.values[b]) for t in (real, twin))
            if r is None or s is None:
                assert np.isnan(value)
            else:
                assert value == pytest.approx(100 * abs(r - s) / 2, abs=1e-6)


def naive_pearson(a, b):
    rows = [(x, y) for x, y in zip(a, b, strict=True) if x == x and y == y]
    if len({x for x, _ in rows}) < 2 or len({y for _, y in rows}) < 2:
        return None
    mx, my = (sum(r[i] for r in rows) / len(rows) for i in (0, 1))
    xy = sum((x - mx) * (y - my) for x, y in rows)
    return xy / (sum((x - mx) ** 2 for x, _ in rows) * sum((y - my) ** 2 for _, y in rows)) ** 0.5


@given(two_sheets(numeric=1, levels=3, most=8))
def test_kway_equals_the_definition(pair):
    real, twin = pair
    codes, found = common(real, twin), judge("kway", real, twin)
    for k in (3, 4):
        mine = []
        for names in combinations(real.values, k):
            sides = [list(zip(*(codes[n][i] for n in names), strict=True)) for i in (0, 1)]
            mine.append(100 * naive_tv(*sides))
        head = find(found, f"kway_{k}")
        if min(real.rows // 2, twin.rows):
            assert head.detail["whole"] == pytest.approx(np.mean(mine), abs=1e-9)


@pytest.mark.parametrize("metric", ["trend", "trend_common", "kway_3", "kway_4", "association"])
def test_laws(metric):
    name, real = metric.split("_3")[0].split("_4")[0], people(1500, 1)
    same = find(judge(name, real, real), metric)
    assert same.detail.get("whole", same.value) == pytest.approx(0, abs=1e-9)
    loose = find(judge(name, real, shuffled(real)), metric)
    assert loose.value > (1.2 if "kway" in metric else 3) * loose.floor, "columns without connection must be seen"
    fresh = find(judge(name, real, people(1500, 2)), metric)
    assert fresh.floor / 2 < fresh.value < 2.5 * fresh.floor
    assert fresh.low <= fresh.value <= fresh.high
    order = np.random.default_rng(0).permutation(real.rows)
    again = find(judge(name, real, people(1500, 2).take(order)), metric)
    got = [one.detail.get("whole", one.value) for one in (again, fresh)]
    assert got[0] == pytest.approx(got[1], abs=1e-9), "the order of rows means nothing"


@given(two_sheets())
def test_trend_is_symmetric(pair):
    pairs = list(combinations([*pair[0].numeric, *pair[0].categorical], 2))
    assert errors(pair[0], pair[1], pairs) == pytest.approx(errors(pair[1], pair[0], pairs), nan_ok=True)


def test_a_lost_maximum_moves_trend_but_not_the_common_bins():
    draw = np.random.default_rng(0)
    x, k = np.r_[draw.random(999), 100], draw.integers(0, 2, 1000)
    names = {"k": ["a", "b"]}
    real, twin = sheet(names, x=x, k=k), sheet(names, x=np.r_[x[:-1], 0.5], k=k)
    assert find(judge("trend", real, twin), "trend").value > 50
    assert find(judge("trend_common", real, twin), "trend_common").value < 1


def test_a_constant_column_is_left_out_by_name():
    real = sheet(x=[1, 2, 3, 4], y=[7, 7, 7, 7], z=[4, 3, 1, 2])
    found = find(judge("trend", real, real), "trend")
    assert found.value == 0
    assert found.detail["pairs"] == 1 and found.detail["left_out_pairs"] == 2
    assert found.detail["left_out"][0]["columns"] == ["x", "y"]
    only = sheet(x=[1, 1], y=[2, 2])
    assert judge("trend", only, only)[0].problem


def test_one_column_has_no_pairs():
    one = sheet(x=[1, 2, 3])
    for name in ("trend", "trend_common", "kway", "association"):
        assert all(f.problem for f in judge(name, one, one))


def test_the_worst_pair_comes_first():
    real = people(1000, 1)
    values = dict(real.values)
    values["sex"] = np.where(values["age"] > 50, 1, 0).astype(np.int32)
    twin = type(real)(real.rows, values, real.levels)
    first = judge("trend_common", real, twin)[1]
    assert set(first.place) == {"age", "sex"}
    assert find(judge("trend_common", real, twin), "trend_common").detail["pairs"] == 6


def test_many_levels_stay_exact():
    """Crossings with more cells than rows are renumbered; the number stays the same."""
    draw = np.random.default_rng(0)
    names = {"a": [str(i) for i in range(5000)], "b": [str(i) for i in range(5000)]}
    real, twin = (sheet(names, a=draw.integers(0, 5000, 300), b=draw.integers(0, 5000, 300)) for _ in range(2))
    sides = [list(zip(t.values["a"].tolist(), t.values["b"].tolist(), strict=True)) for t in (real, twin)]
    assert find(judge("trend_common", real, twin), "trend_common").value == pytest.approx(100 * naive_tv(*sides))


def sparse(rows, seed):
    """Four columns of twelve levels, so that most cells of a triple or a quadruple are empty."""
    draw = np.random.default_rng(seed)
    names = {n: [str(i) for i in range(12)] for n in "abcd"}
    first = draw.integers(0, 12, rows)
    rest = {n: np.where(draw.random(rows) < 0.3, first, draw.integers(0, 12, rows)) for n in "bcd"}
    return sheet(names, a=first, **rest)


def resampled(real, twin, rest):
    """The floor as it was: rows drawn anew from the original."""
    draw = np.random.default_rng(0)
    again = real.take(draw.integers(real.rows, size=twin.rows))
    return {m: find(judge(m.split("_")[0], real, again), m).detail["whole"]
            for m in ("kway_3", "kway_4", "association")}


def floors(real, twin, rest):
    return {m: find(judge(m.split("_")[0], real, twin, rest), m).floor for m in ("kway_3", "kway_4", "association")}


def law_fresh_rows_score_their_floor(floors=floors):
    for rest in (None, sparse(1200, 3), sparse(4000, 3)):
        real, twin = sparse(2500, 1), sparse(2500, 2)
        for metric, floor in floors(real, twin, rest).items():
            value = find(judge(metric.split("_")[0], real, twin, rest), metric).value
            assert value == pytest.approx(floor, rel=0.3 if metric == "association" else 0.03), metric


def test_fresh_rows_score_their_floor_however_sparse():
    law_fresh_rows_score_their_floor()
    with pytest.raises(AssertionError):
        law_fresh_rows_score_their_floor(resampled)


@pytest.mark.parametrize("metric", ["shape", "trend", "trend_common"])
def test_a_large_holdout_is_the_floor_and_a_small_one_is_not(metric):
    real, twin, rest = (people(1000, i) for i in (1, 2, 3))
    got = find(judge(metric, real, twin, rest), metric)
    assert got.floor == find(judge(metric, real, rest), metric).value and got.detail["floor_from"] == "holdout"
    assert got.floor_low <= got.floor <= got.floor_high
    for few in (None, people(300, 3)):
        assert find(judge(metric, real, twin, few), metric).detail["floor_from"] == "bootstrap of the original"


def test_the_rows_beside_are_cut_to_one_size_and_are_nobody_twice():
    from fabrica.contract import Evidence
    from fabrica.run import Run
    from fabrica.statistics import even

    real, twin, rest = (sheet(x=np.arange(n) + start) for n, start in ((3000, 0), (2000, 10_000), (1200, 20_000)))
    for holdout, size, source in ((None, 1500, "halves of the original"), (rest, 1200, "holdout"),
                                  (sheet(x=np.arange(50)), 1500, "halves of the original")):
        (own, other, fresh), told = even(Evidence(table(real), real, twin, holdout), Run(1, workers=1))
        assert own.rows == other.rows == fresh.rows == size and told == source
        assert not set(own.values["x"]) & set(fresh.values["x"])


def test_cramer_is_zero_on_average_for_independent_columns_and_one_for_equal_ones():
    draw = np.random.default_rng(0)
    strengths = []
    for _ in range(50):
        table = np.zeros((5, 6))
        np.add.at(table, (draw.integers(0, 5, 400), draw.integers(0, 6, 400)), 1)
        strengths.append(cramer(table))
    assert np.mean(strengths) < 0.04
    assert cramer(np.diag([100, 200, 300])) == pytest.approx(1, abs=0.01)
    assert cramer(np.array([[3, 0], [0, 0]])) == 0


@pytest.mark.parametrize("metric", ["trend", "trend_common", "association"])
def test_of_very_many_columns_some_are_paired_the_target_among_them(metric):
    r = np.random.Generator(np.random.Philox(8))
    real, twin = ({f"c{i}": r.normal(size=60) for i in range(WIDE + 40)} for _ in range(2))
    whole = find(judge(metric, sheet(**real), sheet(**twin), target="c2"), metric)
    assert whole.detail["pairs"] == WIDE * (WIDE - 1) // 2, "every so many-th column, and the target"
    if "columns" in whole.detail:
        assert len(whole.detail["columns"]) == WIDE and "c2" in whole.detail["columns"]


@pytest.mark.parametrize("metric", ["shape", "trend_common", "missingness_values"])
@pytest.mark.parametrize("rows", [1000, 4000, 12_000])
def test_without_a_holdout_fresh_rows_score_their_floor_whatever_their_number(metric, rows):
    """Nine fresh tables beside an original of 4,000 rows: their mean is the floor, and a resample's would not be."""
    values, floors = [], []
    for seed in range(9):
        found = find(judge(metric.split("_v")[0], people(4000, 100 + seed), people(rows, 200 + seed)), metric)
        values.append(found.value)
        floors.append(found.floor)
    ratio = np.mean(values) / np.mean(floors)
    assert 0.8 < ratio < 1.2
    assert not 0.8 < ratio * np.sqrt(1 + rows / 4000) < 1.2 or rows < 4000


def parts(metric: str, seed: int) -> tuple[list[float], list[float]]:
    """Values and floors of the columns or pairs of a metric, of fresh people beside an original as large."""
    real, twin = people(2000, 300 + seed), people(2000, 400 + seed)
    found = judge(metric, real, twin)
    if metric == "trend_common":
        detail = find(found, metric).detail
        at = np.triu_indices(len(detail["columns"]), 1)
        return list(np.array(detail["matrix"])[at]), list(np.array(detail["floor"])[at])
    places = [f for f in found if f.metric == metric and f.place]
    return [f.value for f in places], [f.floor for f in places]


@pytest.mark.parametrize("metric", ["shape", "trend_common", "missingness"])
def test_each_column_and_pair_scores_its_floor_too(metric):
    """The factor of a fresh sample, 1.41, is in every floor: without it the ratio would be that."""
    values, floors = np.sum([np.array(parts(metric, seed)) for seed in range(24)], axis=(0, 2))
    assert 0.85 < values / floors < 1.2


def test_the_worst_pairs_have_the_floors_of_the_matrix():
    found = judge("trend_common", people(1500, 1), people(1500, 2))
    detail = find(found, "trend_common").detail
    for f in (f for f in found if len(f.place) == 2):
        i, j = (detail["columns"].index(n) for n in f.place)
        assert f.floor == pytest.approx(detail["floor"][i][j], abs=0.01)

"""Shape equals its definition written as loops, and keeps its laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from fabrica.metrics.fidelity.shape import Shape
from fabrica.sheets import IdentSheet

from .worlds import find, judge, people, sheet, shuffled, two_sheets


def naive_ks(a, b):
    a, b = [v for v in a if v == v], [v for v in b if v == v]
    worst = 0.0
    for cut in a + b:
        worst = max(worst, abs(sum(v <= cut for v in a) / len(a) - sum(v <= cut for v in b) / len(b)))
    return worst


def naive_tv(a, b):
    a, b = list(a), list(b)
    return sum(abs(a.count(v) / len(a) - b.count(v) / len(b)) for v in set(a) | set(b)) / 2


@given(two_sheets())
def test_equals_the_definition(pair):
    real, twin = pair
    found = judge("shape", real, twin)
    errors = {}
    for name in real.values:
        naive = naive_tv if name in real.levels else naive_ks
        errors[name] = 100 * naive(real.values[name].tolist(), twin.values[name].tolist())
        assert find(found, "shape", name).value == pytest.approx(errors[name], abs=1e-9)
    assert find(found, "shape").value == pytest.approx(np.mean(list(errors.values())), abs=1e-9)


@given(two_sheets())
def test_symmetric(pair):
    assert find(judge("shape", *pair), "shape").value == pytest.approx(find(judge("shape", *pair[::-1]), "shape").value)


def test_the_same_table_is_without_error_and_so_are_independent_columns():
    real = people(500, 1)
    assert find(judge("shape", real, real), "shape").value == 0
    assert find(judge("shape", real, shuffled(real)), "shape").value == pytest.approx(0, abs=1e-12)


def test_order_of_rows_means_nothing():
    real, twin = people(300, 1), people(300, 2)
    order = np.random.default_rng(0).permutation(300)
    one, other = (find(judge("shape", real, t), "shape").value for t in (twin, twin.take(order)))
    assert one == other


def test_company_a_fresh_sample_scores_near_its_floor():
    found = find(judge("shape", people(2000, 1), people(2000, 2), people(1000, 3)), "shape")
    assert found.low < found.value < found.high
    assert 0.4 * found.value < found.floor < 1.5 * found.value  # the truth differs from the original by noise too
    assert found.detail["holdout"] > 0


def test_what_has_no_value_is_said_and_a_lost_column_is_wholly_wrong():
    real = sheet(x=[1, 2, 3], y=[np.nan] * 3, z=[1, 2, 3])
    found = judge("shape", real, sheet(x=[1, 2, 3], y=[np.nan] * 3, z=[np.nan] * 3))
    assert find(found, "shape", "y").problem
    assert find(found, "shape", "z").value == 100
    assert find(found, "shape").value == 50
    assert list(find(found, "shape").detail["left_out"]) == ["y"]


def test_nothing_to_compare_is_a_problem():
    assert judge("shape", sheet(x=[]), sheet(x=[]))[0].problem
    assert judge("shape", sheet(x=[np.nan]), sheet(x=[np.nan]))[0].problem


class Careless(Shape):
    """A twin that drops rows with a missing cell in silence."""

    def judge(self, evidence, run):
        def whole(s):
            keep = np.ones(s.rows, bool)
            for n, v in s.values.items():
                keep &= v >= 0 if n in s.levels else ~np.isnan(v)
            return s.take(np.nonzero(keep)[0])

        cut = type(evidence)(evidence.table, whole(evidence.real), whole(evidence.synthetic))
        return super().judge(cut, run)


def law_missing_levels_count(metric=None):
    """Losing a third of a column of levels is an error of a third."""
    names = {"k": ["a", "b"]}
    real, twin = sheet(names, k=[0, 0, 0, 1, 1, 1]), sheet(names, k=[0, 0, -1, 1, 1, -1])
    assert find(judge("shape", real, twin, metric=metric), "shape").value == pytest.approx(100 / 3)


def test_missing_levels_count():
    law_missing_levels_count()
    with pytest.raises(AssertionError):
        law_missing_levels_count(Careless())


def test_same_seed_same_findings():
    real, twin = people(200, 1), people(200, 2)
    assert judge("shape", real, twin) == judge("shape", real, twin)
    assert isinstance(real, IdentSheet)

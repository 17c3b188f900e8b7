"""Rules between two columns: found where real rows keep them, measured where a twin breaks them, silent elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from fabrica.contract import Evidence
from fabrica.metrics.fidelity.rules import broken, found

from .worlds import IdentSheet, find, judge, sheet, table

N = 2000


def stays(seed: int, rows: int = N, lawless: float = 0.0, twice: bool = True) -> IdentSheet:
    """From and to, a bill that stands twice, and a number that has nothing to do with them."""
    r = np.random.default_rng(seed)
    begin = r.uniform(0, 1000, rows)
    end = begin + r.exponential(20, rows) * np.where(r.random(rows) < lawless, -1, 1)
    bill = np.round(r.lognormal(5, 1, rows))
    paid = bill if twice else r.permutation(bill)
    return sheet({}, begin=begin, end=end, bill=bill, paid=paid, other=r.normal(size=rows))


def rules_of(real: IdentSheet) -> set:
    return set(found(Evidence(table(real), real, real)))


def test_orders_and_equalities_are_found_and_nothing_else() -> None:
    assert rules_of(stays(1)) == {("begin", "end", "<="), ("bill", "paid", "==")}
    assert rules_of(stays(1, lawless=0.01)) == {("bill", "paid", "==")}
    assert not rules_of(stays(1, rows=80)), "a few rows show nothing"


def test_columns_that_lie_apart_keep_no_rule() -> None:
    r = np.random.default_rng(2)
    assert not rules_of(sheet({}, small=r.uniform(0, 1, N), large=r.uniform(100, 1000, N)))
    assert not rules_of(sheet({}, one=np.ones(N), other=np.ones(N)))


@pytest.mark.parametrize("lawless", [0.0, 0.2])
def test_the_share_of_rows_that_break_a_rule_is_told(lawless: float) -> None:
    real, twin, rest = stays(1), stays(2, lawless=lawless), stays(3)
    got = judge("rules", real, twin, rest)
    assert find(got, "rules").value == pytest.approx(100 * lawless, abs=3) and find(got, "rules").floor == 0
    one = find(got, "rules", "begin", "end")
    assert one.value == 100 * (twin.values["begin"] > twin.values["end"]).mean() and one.detail["rule"] == "<="


def test_missing_cells_break_nothing() -> None:
    twin = stays(4, lawless=1.0)
    twin.values["end"][:] = np.nan
    assert not broken(twin, ("begin", "end", "<=")).any()


def test_who_shuffles_a_column_is_caught() -> None:
    got = judge("rules", stays(1), stays(2, twice=False), stays(3))
    assert find(got, "rules", "bill", "paid").value > 90


def test_without_rules_it_says_so() -> None:
    r = np.random.default_rng(5)
    plain = sheet({}, x=r.normal(size=N), y=r.normal(size=N))
    assert find(judge("rules", plain, plain), "rules").problem == "real rows keep no rule between two columns"

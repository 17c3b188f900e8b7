"""A small run of the benchmark: the labelled corpus, and the real tables against the list checked by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def bench():
    pytest.importorskip("mimesis", reason="the corpus is made by mimesis, an extra of developers")
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import importlib

        return importlib.import_module("personal")
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize(("named", "recall"), [(True, 0.98), (False, 0.9)])
def test_columns_of_the_corpus_are_found_and_no_others(bench, named, recall):
    asked, hit, alarm, _ = bench.generated(60, 1, named)
    found, precise = bench._rates(asked, hit, alarm)
    assert found >= recall and precise >= 0.95


@pytest.mark.skipif(not DATA.exists(), reason="the real tables of ../shared/data are not here")
def test_the_real_tables_hold_what_the_list_says(bench):
    _, _, expected, hit, _, missed, false = bench.real()
    assert false == [] and hit >= 0.9 * expected
    assert all("(record)" in one or "agency_url" in one for one in missed)  # what neither name nor form tells

"""Independent columns: every margin exact, no two columns hang together, and rare levels stay away."""

from __future__ import annotations

import numpy as np
import pytest
from joints import chance
from scipy.stats import chi2_contingency

from fabrica.block import Block
from fabrica.checks.engines import coded
from fabrica.engines.independent import Independent
from fabrica.run import Run

N = 12_000


@pytest.mark.parametrize("size", [1, 10, 999, N])
def test_each_margin_is_exact_to_one_row_a_level(size: int) -> None:
    """A systematic draw: no level is off by a whole row, whatever the size (independent draws are off by its root)."""
    codes = np.minimum(chance(1).exponential(3, N).astype(np.int64), 9)
    block = Block.of([coded("a", 10, codes)])
    drawn = Independent().fit(block, None, Run(1)).sample(size, None, Run(2)).columns[0]
    due = np.cumsum(np.bincount(codes, minlength=10)) * (size / N)
    assert np.abs(np.cumsum(np.bincount(drawn.codes, minlength=10)) - due).max() <= 1


def test_no_two_columns_hang_together() -> None:
    x = chance(2).integers(0, 6, N)
    block = Block.of([coded(name, 6, x) for name in "abcd"])
    found = Independent().fit(block, None, Run(1)).sample(N, None, Run(3)).columns
    tables = [np.histogram2d(a.codes, b.codes, (6, 6))[0] for i, a in enumerate(found) for b in found[:i]]
    assert min(chi2_contingency(t).pvalue for t in tables) > 1e-4


def test_the_rest_gives_its_share_to_the_others() -> None:
    codes = np.repeat([0, 1, 2], [6_000, 2_000, 4_000])
    drawn = Independent().fit(Block.of([coded("a", 3, codes, rest=2)]), None, Run(1)).sample(8_000, None, Run(2))
    assert np.bincount(drawn.columns[0].codes).tolist() == [6_000, 2_000]


def test_if_there_is_nothing_but_the_rest_it_is_drawn() -> None:
    block = Block.of([coded("a", 3, np.full(50, 2), rest=2)])
    assert (Independent().fit(block, None, Run(1)).sample(80, None, Run(2)).columns[0].codes == 2).all()

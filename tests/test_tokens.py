"""Tokens: point masses and missing codes alone, equal mass elsewhere; codes come back by their shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrica.checks.engines import blocks, coded
from fabrica.checks.promise import stored
from fabrica.errors import ModelFileError
from fabrica.run import Run
from fabrica.state import State
from fabrica.tokens import Token, Tokens


def chance(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key))


def mixed(rows: int = 4_000) -> np.ndarray:
    """Codes of 300: two kinds of absence, a point mass at 150, the rest skewed."""
    random = chance(1)
    codes = np.minimum(2 + random.exponential(60, rows).astype(int), 299)
    codes[random.random(rows) < 0.3] = 150
    return np.where(random.random(rows) < 0.1, random.integers(0, 2, rows), codes)


def test_point_masses_and_absent_codes_are_tokens_of_their_own():
    token = Token.over(coded("x", 300, mixed(), ordered=True, absent=2), 20)
    assert token.of[:3].tolist() == [0, 1, 2]
    assert (token.of == token.of[150]).sum() == 1
    assert 18 <= token.size <= 26
    alone = np.bincount(token.of) == 1
    assert token.seen[2:][~alone[2:]].max() < 2 * 0.6 / 19  # runs of about equal mass


@pytest.mark.parametrize("name", blocks(Run(1)))
def test_codes_stay_within_their_token_and_survive_storage(name):
    block = blocks(Run(1))[name]
    tokens = Tokens.from_state(stored(Tokens.of(block, 8).state()))
    words = tokens.encode(block)
    back = tokens.decode(words, [chance(j) for j in range(len(block.columns))])
    assert (tokens.encode(back) == words).all()
    for token, drawn, seen in zip(tokens.columns, back, block, strict=True):
        assert token.share.sum() == pytest.approx(1) and (token.middle[: token.absent] != 0).all()
        if seen.rest is None and len(block):
            assert set(np.unique(drawn.codes)) <= set(np.unique(seen.codes))


def test_codes_are_drawn_by_their_shares():
    column = coded("x", 300, mixed(), ordered=True, absent=2)
    token = Token.over(column, 10)
    drawn = token.inside(token.of[np.tile(column.codes, 50)], chance(2).random(50 * len(column)))
    p, q = (np.bincount(c, minlength=300) / len(c) for c in (column.codes, drawn))
    assert np.abs(p - q).sum() / 2 < 0.02


def test_the_rest_is_never_drawn_and_never_lost():
    codes = np.repeat([0, 1, 2, 3], [50, 30, 10, 10])
    token = Token.over(coded("x", 4, codes, rest=3), 10)
    assert token.share.tolist() == pytest.approx([50 / 90, 30 / 90, 10 / 90, 0]) and token.seen[3] == 0.1


@settings(max_examples=50)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=80), st.integers(2, 30), st.integers(0, 2))
def test_the_shares_of_the_codes_of_a_token_sum_to_one(codes, most, absent):
    token = Token.over(coded("x", 41, np.array(codes), ordered=True, absent=absent), most)
    assert np.bincount(token.of, np.exp(token.log_inside)) == pytest.approx(np.ones(token.size))
    assert (np.diff(token.of) >= 0).all() and token.size == len(np.unique(token.of))
    assert token.middle[absent:] == pytest.approx(np.sort(token.middle[absent:]))


@pytest.mark.parametrize("change", [{"0.of": np.zeros(3, np.int32)}, {"0.counts": np.full(14, np.nan)},
                                    {"0.of": np.r_[0, np.arange(13)].astype(np.int32)},
                                    {"0.of": np.r_[0, 5, np.arange(6, 18)].astype(np.int32)}])
def test_damaged_tokens_are_refused(change):
    tokens = Tokens.of(blocks(Run(1))["mixed"].select(["number"]), 99)
    state = tokens.state()
    part = {f"tokens/{name}": array for name, array in change.items()}
    with pytest.raises(ModelFileError):
        Tokens.from_state(State(state.plain, {**state.arrays, **part}))

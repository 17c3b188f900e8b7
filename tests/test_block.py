"""Laws of blocks and states: taking, selecting, joining, nesting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrica.block import Block, Coded, code_type
from fabrica.state import State


@st.composite
def blocks(draw: st.DrawFn, rows: int | None = None) -> Block:
    rows = draw(st.integers(0, 30)) if rows is None else rows
    columns = []
    for i in range(draw(st.integers(1, 4))):
        size = draw(st.sampled_from([1, 2, 7, 300, 70_000]))
        random = np.random.Generator(np.random.Philox(draw(st.integers(0, 99))))
        codes = random.integers(0, size, rows).astype(code_type(size))
        reals = random.random(rows, np.float32) if draw(st.booleans()) else None
        grid = np.linspace(0, 1, size) if draw(st.booleans()) else None
        columns.append(Coded(f"c{i}", size, codes, grid is not None, draw(st.integers(0, size)), None, grid, reals))
    return Block.of(columns, rows)


def same(one: Block, other: Block) -> bool:
    return len(one) == len(other) and all(
        a.name == b.name
        and a.size == b.size
        and (a.codes == b.codes).all()
        and a.codes.dtype == b.codes.dtype
        and (a.reals is None) == (b.reals is None)
        and (a.reals is None or (a.reals == b.reals).all())
        for a, b in zip(one, other, strict=True)
    )


@given(blocks(), st.data())
def test_taking_twice_is_taking_once(block: Block, data: st.DataObject) -> None:
    rows = np.array(
        data.draw(st.lists(st.integers(0, max(0, len(block) - 1)), max_size=9 if len(block) else 0)), np.int64
    )
    once = block.take(rows)
    assert len(once) == len(rows)
    back = np.arange(len(rows))[::-1]
    assert same(once.take(back), block.take(rows[back]))
    mask = np.zeros(len(block), bool)
    mask[rows] = True
    assert same(block.take(mask), block.take(np.flatnonzero(mask)))


@given(blocks(), st.integers(0, 30))
def test_what_is_cut_is_joined_again(block: Block, at: int) -> None:
    assert same(Block.concat([block.take(slice(0, at)), block.take(slice(at, None))]), block)
    assert same(Block.concat([block]), block)


@given(blocks())
def test_selecting_and_emptying(block: Block) -> None:
    names = [c.name for c in block][::-1]
    turned = block.select(names)
    assert [c.name for c in turned] == names and same(turned.select(names[::-1]), block)
    assert len(block.empty()) == 0 and [c.size for c in block.empty()] == [c.size for c in block]
    with pytest.raises(KeyError):
        block.select(["nobody"])


@given(blocks())
def test_an_alphabet_goes_through_a_state(block: Block) -> None:
    again = Block.from_state(block.state())
    for a, b in zip(block, again, strict=True):
        assert (a.name, a.size, a.ordered, a.absent, a.rest) == (b.name, b.size, b.ordered, b.absent, b.rest)
        assert a.grid is None if b.grid is None else (a.grid == b.grid).all()


def test_columns_of_one_length() -> None:
    with pytest.raises(ValueError, match="length"):
        Block.of([Coded("a", 1, np.zeros(2, np.uint8)), Coded("b", 1, np.zeros(3, np.uint8))])
    assert len(Block.of([], 7)) == 7


@given(st.integers(1, 2**31))
def test_codes_fit_their_type(size: int) -> None:
    assert np.iinfo(code_type(size)).max >= size - 1


KEYS = st.text("abc/", min_size=1, max_size=4)
STATES = st.builds(
    State,
    st.dictionaries(KEYS, st.integers(), max_size=3),
    st.dictionaries(KEYS, st.lists(st.floats(-9, 9), max_size=3).map(np.array), max_size=3),
)


@given(st.dictionaries(st.text("abc0 .", min_size=1, max_size=4), STATES, max_size=4), st.integers())
def test_nested_states_come_apart_again(parts: dict[str, State], k: int) -> None:
    outer = State.nest({"in": State.nest(parts, {"k": k}), "beside": State({"x": 1})}, {"title": "t"})
    inner = outer.part("in")
    assert outer.plain["title"] == "t" and inner.plain["k"] == k and outer.part("beside").plain == {"x": 1}
    for name, part in parts.items():
        found = inner.part(name)
        assert found.plain == part.plain and set(found.arrays) == set(part.arrays)
        assert all((found.arrays[n] == part.arrays[n]).all() for n in part.arrays)


def test_how_few_are_protected_is_not_told():
    codes = np.array([0, 0, 1, 2], np.uint8)
    assert Coded("c", 3, codes, rest=2).counts(5).tolist() == [2, 1, 5]
    assert Coded("c", 3, codes[:3], rest=2).counts(5).tolist() == [2, 1, 0]
    assert Coded("c", 3, np.repeat(codes, 9), rest=2).counts(5).tolist() == [18, 9, 9]

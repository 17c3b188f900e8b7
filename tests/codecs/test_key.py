"""Keys: unique over chunks and workers, in the look of the column, never a real one that was learned."""

from __future__ import annotations

import re
import uuid

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrica.codecs.key import Key, KeyCoder, Template
from fabrica.contract import Cells
from fabrica.errors import ModelFileError, OutputError, SchemaError
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.state import State


def coder(notation: object, storage: str = "string") -> KeyCoder:
    column = Column("k", "key", storage, notation=notation)
    codec = Key()
    return codec.learn((column,), codec.survey((column,), (Cells(pa.array(["a", "b"])),), Run(0)), Run(0))


def keys(notation: object, start: int, stop: int, storage: str = "string", seed: int = 0) -> list[str]:
    (found,) = coder(notation, storage).decode((), range(start, stop), Run(seed).child(start))
    return found.values.to_pylist()


LOOKS = {
    "sequence": ({"kind": "sequence", "start": 1, "step": 1}, r"\d+"),
    "padded": ({"kind": "sequence", "start": 100, "step": 5, "width": 9, "prefix": "P-", "suffix": "/x"}, r"P-\d{9}/x"),
    "uuid": ({"kind": "uuid"}, r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    "email": ({"kind": "email"}, r"[a-z]+\.[a-z]+@example\.com"),
    "template": ({"template": "INV-######"}, r"INV-\d{6}"),
    "letters": ({"template": "Aa#-xxxx"}, r"[A-Z][a-z]\d-[0-9a-f]{4}"),
    "bare text": ("Z######", r"Z\d{6}"),
    "none": (None, r"[0-9a-f]{8}"),
    "long": ({"template": "x" * 40}, r"[0-9a-f]{40}"),
    "escaped": ({"template": r"C\A\a\#-####"}, r"CAa#-\d{4}"),
    "beyond ASCII": ({"template": "Ö-#####"}, r"Ö-\d{5}"),
}


@pytest.mark.parametrize("name", LOOKS)
def test_keys_look_right_and_are_unique_over_chunks(name: str) -> None:
    notation, look = LOOKS[name]
    chunks = [keys(notation, i, i + 3000) for i in range(0, 9000, 3000)]
    found = [k for c in chunks for k in c]
    assert len(set(found)) == 9000
    assert all(re.fullmatch(look, k) for k in found)
    assert keys(notation, 3000, 6000) == chunks[1], "the same seed gives the same keys"


@pytest.mark.parametrize("name", ["email", "template", "long", "none"])
def test_another_seed_gives_other_keys(name: str) -> None:
    one, other = (set(keys(LOOKS[name][0], 0, 2000, seed=seed)) for seed in (1, 2))
    assert len(one) == len(other) == 2000 and len(one & other) < 20


def test_a_sequence_counts_from_its_start_whatever_the_seed() -> None:
    assert keys({"kind": "sequence"}, 0, 3, seed=1) == keys({"kind": "sequence"}, 0, 3, seed=2) == ["1", "2", "3"]


def test_uuids_are_uuids_and_depend_on_the_seed() -> None:
    one, other = keys({"kind": "uuid"}, 0, 50, seed=1), keys({"kind": "uuid"}, 0, 50, seed=2)
    assert not set(one) & set(other)
    assert {uuid.UUID(k).version for k in one} == {4} and {uuid.UUID(k).variant for k in one} == {uuid.RFC_4122}


@pytest.mark.parametrize("template", ["#", "##", "A#", "fixed", "x-x", ""])
def test_a_template_that_is_used_up_grows(template: str) -> None:
    found = keys({"template": template}, 0, 40_000)
    assert len(set(found)) == 40_000
    beyond = keys({"template": template}, 40_000, 41_000)
    assert not set(beyond) & set(found)


def test_number_keys_do_not_begin_with_zero() -> None:
    found = keys({"template": "#####"}, 0, 100_000, storage="int64")
    assert len({int(k) for k in found}) == 100_000 and not any(k.startswith("0") for k in found)
    floats = keys({"template": "######.0", "number": True}, 0, 100_000)
    assert len({float(k) for k in floats}) == 100_000 and not any(k.startswith("0") for k in floats)


@pytest.mark.parametrize(
    ("storage", "digits", "most"),
    [
        ("int8", 3, 127),
        ("uint8", 3, 255),
        ("int16", 5, 32_767),
        ("int32", 10, 2**31 - 1),
        ("uint32", 10, 2**32 - 1),
        ("int64", 19, 2**63 - 1),
        ("uint64", 20, 2**63 - 1),
        ("double", 16, 2**53),
        ("int32", 40, 2**31 - 1),
    ],
)
def test_number_keys_fit_their_type(storage: str, digits: int, most: int) -> None:
    found = keys({"template": "#" * digits}, 0, 50, storage)
    assert len({int(k) for k in found}) == 50 and all(0 < int(k) <= most for k in found)


@pytest.mark.parametrize("notation", [{"template": "##"}, {"kind": "sequence", "start": 1, "step": 1}, None])
def test_too_many_keys_for_their_type_are_one_clear_error(notation: object) -> None:
    assert max(int(k) for k in keys(notation, 0, 90, "int16")) < 2**15
    with pytest.raises(OutputError, match="too narrow"):
        keys(notation, 40_000, 40_010, "int16")


@given(st.text("#Aax-.é", max_size=9), st.integers(0, 2**40), st.integers(0, 2**31))
def test_a_template_is_a_permutation(text: str, start: int, shift: int) -> None:
    template = Template.of(text)
    size = min(template.capacity, 3000)
    start = min(start, template.capacity - size)
    rows = np.arange(start, start + size)
    assert len(set(template.write(rows, shift).to_pylist())) == size
    if template.capacity <= 3000:
        assert len(set(template.write(np.arange(template.capacity), shift).to_pylist())) == template.capacity


def test_keys_do_not_follow_one_another() -> None:
    found = np.array([int(k[4:]) for k in keys({"template": "INV-######"}, 0, 2000)])
    assert abs(np.corrcoef(found, np.arange(2000))[0, 1]) < 0.1


def test_missing_keys_are_a_column_of_their_own() -> None:
    column = Column("k", "key", missing=("?",))
    absent = np.array([0, 1, 0, 2, 0] * 100, np.uint8)
    cells = Cells(pa.array([None if a else f"K{i}" for i, a in enumerate(absent)]), absent)
    codec = Key()
    found = codec.learn((column,), codec.survey((column,), (cells,), Run(0)), Run(0))
    (coded,) = found.encode((cells,), Run(0))
    assert (coded.size, coded.absent) == (3, 2)
    (back,) = found.decode((coded,), range(500), Run(0))
    assert (back.absent == absent).all() and back.values.null_count == (absent > 0).sum()


@pytest.mark.parametrize(
    "wrong",
    [7, {"kind": "riddle"}, {"template": 3}, {"kind": "sequence", "start": "x"}, {}, {"kind": "sequence", "step": 0}],
)
def test_a_notation_that_makes_no_sense(wrong: object) -> None:
    with pytest.raises(SchemaError, match="notation of a key"):
        coder(wrong)
    with pytest.raises(ModelFileError):
        KeyCoder.from_state(State({"name": "k", "look": wrong, "markers": [], "missing": 0.0}))

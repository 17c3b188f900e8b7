"""Text: common words stay, rare ones lose their letters, lengths are learned."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrica.checks.codecs import bare, learned
from fabrica.codecs.text import LONGEST, Text, TextCoder
from fabrica.codecs.text.tally import shape
from fabrica.contract import Cells
from fabrica.run import Run
from fabrica.schema import Column

COLUMN = (Column("t", "text"),)


def back(texts: list[str | None], seed: int = 1) -> list[str | None]:
    cells = (Cells(pa.array(texts, pa.string())),)
    coder = learned(Text(), COLUMN, cells)
    return coder.decode(bare(coder.encode(cells, Run(seed))), range(len(texts)), Run(seed))[0].values.to_pylist()


def test_common_words_stay_and_rare_ones_keep_their_shape() -> None:
    names = [
        f"{'BCDFG'[i % 5]}{'aeiou'[i % 5]}{'klmnp'[i // 5 % 5]}{chr(97 + i // 25 % 26)}{chr(97 + i // 650)}"
        for i in range(1500)
    ]
    texts = [f"Dear {n}, your order {10_000 + i} was sent." for i, n in enumerate(names)]
    found = back(texts)
    for text in found:
        assert re.fullmatch(r"Dear [A-Z][a-z]{4}, your order \d{5} was sent\.", str(text)), text
    numbers = {t.split()[4] for t in texts}
    told = [t.split()[1] for t in found if t]
    assert len(set(told)) > 500, "letters are drawn afresh"
    assert np.mean([t.split()[4] in numbers for t in found if t]) < 0.2, "numbers are drawn, not copied"


def test_lengths_come_back() -> None:
    random = np.random.Generator(np.random.Philox(1))
    lengths = random.integers(1, 20, 3000)
    texts = [" ".join(random.choice(["on", "and", "off"], n)) for n in lengths]
    found = back(texts)  # type: ignore[arg-type]
    assert [len(str(t).split(" ")) for t in found] == lengths.tolist()


def test_pairs_of_words_follow_each_other_as_they_did() -> None:
    texts = ["red apple", "yellow banana"] * 500
    found = Counter(back(texts))  # type: ignore[arg-type]
    assert set(found) == set(texts) and min(found.values()) > 400


def test_shapes() -> None:
    words = pa.array(["Anna", "B-12", "naïve", "ÉCOLE", "東京", "", "x" * 100, "a\u0301", "٣٤", "\x02\n"])
    assert shape(words).to_pylist() == ["Aaaa", "A-N0", "aaaaa", "AAAAA", "aa", "", "a" * 24, "aa", "00", "aa"]


@given(st.lists(st.one_of(st.none(), st.text(max_size=12)), min_size=10, max_size=40))
def test_texts_of_any_kind(texts: list[str | None]) -> None:
    texts = [None if t is None else t.encode("utf-8", "ignore").decode() for t in texts]
    found = back(texts)
    enough = sum(t is not None for t in texts) >= 5
    told = sum(t is None for t in texts) >= 5
    assert [t is None for t in found] == [(t is None and told) or not enough for t in texts]
    held = Counter(w for t in texts if t is not None for w in set(t.split(" ")))
    rare = {w for w, n in held.items() if n < 5 and len(w) > 6}
    assert not rare & {w for t in found if t is not None for w in t.split(" ")}


def test_very_long_texts_are_cut() -> None:
    found = back(["word " * 5000] * 20)
    assert {len(str(t).split(" ")) for t in found} == {LONGEST}


def test_the_airports_have_names() -> None:
    path = Path(__file__).resolve().parents[3] / "shared/data/nycflights13/airports.parquet"
    if not path.exists():
        pytest.skip("the real tables of nycflights13 are not beside this checkout")
    import pyarrow.parquet as pq

    names = pq.read_table(path)["name"].combine_chunks().cast(pa.string())
    coder = learned(Text(), COLUMN, (Cells(names),))
    assert isinstance(coder, TextCoder) and coder.chain is not None
    words = coder.chain.words.to_pylist()
    assert {"Airport", "County", "Regional"} & set(words)
    assert not any(sum(w in str(n).split(" ") for n in names.to_pylist()) < 5 for w in words)


def test_leading_zeros_stay_and_no_others_come() -> None:
    r = np.random.default_rng(3)
    codes = [f"{r.integers(10**4):05}" for _ in range(600)] + [f"{r.integers(10**4, 10**5)}" for _ in range(300)]
    found = [str(t) for t in back(codes)]  # type: ignore[arg-type]
    assert abs(np.mean([t.startswith("0") for t in found]) - 2 / 3) < 0.06 and {len(t) for t in found} == {5}
    assert shape(pa.array(["07-05-9", "2007", "0", "x012"])).to_pylist() == ["Z0-Z0-0", "N000", "0", "aZ00"]

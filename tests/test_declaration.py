"""What a person writes down: names that stand twice, aliases and numbers, each told with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fabrica import declaration
from fabrica.errors import InputError

BOMB = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{m}, *{m}, *{m}, *{m}]\n"
                                  for m, n in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(("text", "words"), [
    ("a: 1\nb: 2\na: 3\n", "line 3.*stands twice"), (BOMB, "line 2.*aliases"), ("a: [\n", "neither YAML nor JSON"),
    ("when: 2024-02-31\n", "neither")])
def test_what_is_no_plain_text_is_said_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        declaration.read(tmp_path / "a.yaml")


def test_numbers_are_numbers_however_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1e30\nb: 1_000\nc: 1E-3\nd: -2.5e+4\n"
                                     "e: e3\nf: '1e3'\ng: 1e3 <= wage\nh: 3e8f12ab\ni: .5e3\n")
    assert declaration.read(tmp_path / "a.yaml") == {
        "a": 1e30, "b": 1000, "c": 1e-3, "d": -2.5e4, "e": "e3", "f": "1e3", "g": "1e3 <= wage",
        "h": "3e8f12ab", "i": 500.0}


def test_a_sign_that_json_writes_in_two_halves_is_one(tmp_path: Path) -> None:
    path = tmp_path / "thing.json"
    path.write_text(json.dumps({"\U0001f642 smile": ["\U0001f642"], "plain": "\\ud83d"}))
    assert declaration.read(path) == {"\U0001f642 smile": ["\U0001f642"], "plain": "\\ud83d"}

"""People are counted on both sides, and too few of them are refused with one sentence."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pytest

from fabrica.crowd import LEAST, demand_people, few, people
from fabrica.errors import FabricaError
from fabrica.gatehouse.policy import TIERS


def side(*who):
    return SimpleNamespace(rows=len(who), batches=lambda: [pa.record_batch({"who": pa.array(who)})])


def test_so_few_that_no_tier_can_be_passed_though_nobody_is_copied():
    assert max(tier.copies for tier in TIERS.values()) == 3 / LEAST


def test_a_person_on_both_sides_or_with_several_rows_is_one():
    assert people("who", side(1, 1, 2), side(2, 3, None)) == 4  # a row without an owner is somebody else's
    assert people(None, side(1, 1, 2), side(2, 3, None)) == 6
    assert people("who", side("1", "2", "3"), SimpleNamespace(rows=1, batches=lambda: [pa.record_batch(
        {"who": pa.array(["1"]).dictionary_encode()})])) == 3


def test_rows_do_not_stand_for_people():
    many = side(*(number // 2 for number in range(2 * LEAST - 2)))
    assert few(None, many) == [] and demand_people("visits", None, many) == 2 * LEAST - 2
    assert "so few people: no test" in few("who", many)[0] and "fewer than 600" in few("who", many)[0]
    with pytest.raises(FabricaError, match=r"visits: has 599 people, .* fewer than 600.*; bring more people"):
        demand_people("visits", "who", many)
    assert few("who", many, side(-1)) == []


def test_a_column_of_two_values_says_of_nobody_whose_rows_they_are(tmp_path, capsys):
    from fabrica.cli.commands import _outcome as cli
    whole = pd.DataFrame({"age": range(1_000), "sex": ["f", "m"] * 500, "who": [f"P{n}" for n in range(1_000)]})
    whole[:600].to_csv(tmp_path / "real.csv", index=False)
    whole[600:].to_csv(tmp_path / "rest.csv", index=False)
    (tmp_path / "out").mkdir()
    whole.assign(age=whole["age"] + 7)[:600].to_csv(tmp_path / "out" / "data.csv", index=False)
    real, rest, out = (str(tmp_path / name) for name in ("real.csv", "rest.csv", "out"))
    for words in (["gate", out, "--real", real, "--holdout", rest], ["plan", real], ["fit", real, "-o", f"{out}/m.fab"],
                  ["evaluate", "--real", real, "--synthetic", f"{out}/data.csv", "--holdout", rest],
                  ["synth", real, "-o", f"{out}/twin"]):
        assert cli([*words, "--unit", "sex", "-q"]) == 2
        said = capsys.readouterr().err
        assert "column 'sex', unit: has no more than two different values, so it cannot say whose rows" in said, words
        assert "holdout" not in said

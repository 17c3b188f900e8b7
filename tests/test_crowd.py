"""People are counted on both sides, and too few of them are refused with one sentence."""

from __future__ import annotations

from types import SimpleNamespace

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
    assert people("who", side(1, 1, 2), side(2, 3, None)) == 3
    assert people(None, side(1, 1, 2), side(2, 3, None)) == 6
    assert people("who", side("1.0"), SimpleNamespace(rows=1, batches=lambda: [pa.record_batch(
        {"who": pa.array(["1.0"]).dictionary_encode()})])) == 1


def test_rows_do_not_stand_for_people():
    many = side(*(number // 2 for number in range(2 * LEAST - 2)))
    assert few(None, many) == [] and demand_people("visits", None, many) == 2 * LEAST - 2
    assert "so few people: no test" in few("who", many)[0] and "fewer than 600" in few("who", many)[0]
    with pytest.raises(FabricaError, match=r"visits: has 599 people, .* fewer than 600.*; bring more people"):
        demand_people("visits", "who", many)
    assert few("who", many, side(-1)) == []

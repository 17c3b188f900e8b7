"""The promises of every kind, and the careless twins that they catch; a kind of one's own."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from known import joint, played

from fabrica.checks import Broken, Joint, check_scenario
from fabrica.contract import Cells
from fabrica.generator import Drawn, Injection, Law
from fabrica.scenario import Scenario
from fabrica.scenarios.combine import Combine
from fabrica.scenarios.missing import Missing
from fabrica.scenarios.rare import Rare
from fabrica.scenarios.tail import Tail


def test_the_kinds_keep_their_promises():
    world = joint()
    for kind, told in ((Rare, {"where": "c == 'rare'", "share": 0.1}), (Rare, {"where": "s == 'a'", "share": 1,
                       "intensity": 0.1}), (Combine, {"of": ["s == 'a'", "c == 'rare'"], "share": 0.5}),
                       (Missing, {"age": 0.5}), (Missing, {"y": {"rate": 1, "when": "age > 30"}})):
        check_scenario(kind.read(told, world.table, "here"), world)
    numbers = Joint.of({"x": list(range(1000))}, {"x": "integer"}, np.exp(-np.arange(1000) / 100).tolist())
    check_scenario(Tail.read({"column": "x", "share": 0.1, "beyond": "q95"}, numbers.table, "here"), numbers)


def test_a_careless_law_is_caught():
    """A density that forgets how rare its region is."""
    world = joint()

    class Careless(Rare):
        def law(self, generator, look, run):
            inner = super().law(generator, look, run)

            class Unscaled(Law):
                def draw(self, size, run):
                    return inner.draw(size, run)

                def ratio(self, cells):
                    return inner.where.weights(cells)

            return Unscaled()

    with pytest.raises(Broken, match="integrates to one"):
        check_scenario(Careless.read({"where": "s == 'a'", "share": 0.1}, world.table, "here"), world)


def test_a_law_that_draws_other_rows_than_it_says_is_caught():
    """One row again and again, and rows of the region by another law than that of the density."""
    world = joint()

    def careless(drawn):
        class Careless(Rare):
            def law(self, generator, look, run):
                inner = super().law(generator, look, run)

                class Other(Law):
                    def draw(self, size, run):
                        return drawn(generator, inner, size, run)

                    def ratio(self, cells):
                        return inner.ratio(cells)

                return Other()

        return Careless.read({"where": "s == 'a'", "share": 0.1}, world.table, "here")

    def one(generator, inner, size, run):
        return generator.joined([inner.draw(1, run)], np.zeros(size, int))

    def some(generator, inner, size, run):
        return generator.under([Rare.read({"where": "s == 'a' and y == 'x'", "share": 1}, world.table, "").where],
                               run.child("some")).rows(size, run)

    for drawn in (one, some):
        with pytest.raises(Broken, match="is distributed as"):
            check_scenario(careless(drawn), world)


def test_a_careless_edit_is_caught():
    class Loud(Missing):
        def edited(self, cells, run):
            return {self.column: Cells(pa.nulls(3))}

    with pytest.raises(Broken, match="as many cells"):
        check_scenario(Loud("s", 1.0), joint())


def test_an_injection_of_ones_own_is_one_class():
    """A burst: one payment a hundred times, a little changed. It lies beyond the model."""

    class Burst(Injection):
        title, source = "one row again and again, with other amounts", "a test"
        share = 0.1

        @classmethod
        def read(cls, plain, table, where):
            return cls()

        def law(self, generator, look, run):
            class Repeated(Law):
                beyond = True

                def draw(self, size, run):
                    rows = generator.rows(1, run.child("one"))
                    again = generator.joined([rows], np.zeros(size, int))
                    amounts = run.child("amounts").random().integers(1, 9, size)
                    return Drawn({**again.cells, "age": Cells(pa.array(amounts, pa.int64()))}, source=again.source)

                def ratio(self, cells):
                    return np.zeros(len(cells["age"]))

            return Repeated()

    check_scenario(Burst(), joint())
    plain = {"inject": [Burst(), {"kind": "rare", "where": "s == 'a'", "share": 0.1}]}
    columns, injection, weight = played(joint(), plain, 1_000)
    mine = injection == 1
    assert mine.sum() == 100 and len(set(columns["y"][mine])) == 1 and max(columns["age"][mine]) < 9
    assert (weight[mine] == 0).all() and (weight[~mine] > 0).all()
    json.dumps(Scenario.from_json(plain).to_json())

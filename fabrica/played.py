"""A scenario played on a learned table: rows as the table writes them, their origin beside or among them, the manifest.

The manifest is the ground truth of what was done: scenario, seed, what was injected with which parameters, what the
weights mean, and whether the rows stand for a population.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fabrica import encoder as encoding
from fabrica import lawful
from fabrica.errors import InputError, SettingError
from fabrica.generator import CellsOf
from fabrica.rules import Rulebook
from fabrica.run import Run
from fabrica.scenario import Bound, Scenario
from fabrica.schema import Table
from fabrica.staging import Origin, Stage, Window
from fabrica.version import VERSION

if TYPE_CHECKING:
    from fabrica.model import TableModel

__all__ = ["ORIGIN", "Play", "Played"]

#: the columns that tell the origin of a row
ORIGIN = pa.schema([pa.field("injection_id", pa.int32()), pa.field("injection_kind", pa.string()),
                    pa.field("weight", pa.float64())])
NOT_REPRESENTATIVE = "not representative of the population"


@dataclass(frozen=True)
class Played:
    """What came of a scenario.

    Parameters
    ----------
    data : the rows, as the kind of frame that was fitted.
    origin : Arrow table of the same length: ``injection_id`` (null for rows of the model), ``injection_kind``,
        ``weight``.
    manifest : what was done, as plain values.
    """

    data: Any
    origin: pa.Table
    manifest: dict[str, Any]


def _demand_lawful(book: Rulebook, bound: Bound) -> None:
    """Refuse what a model's rules would undo."""
    follows = {name: kept.law.text for kept in book.kept if kept.built and kept.law.follows for name in kept.law.gives}
    for i, (_, injection) in enumerate(bound.injections):
        for name in injection.sets:
            if name in follows:
                raise InputError(f"the column {name!r} is computed, as the rule {follows[name]!r} says",
                                 where=bound.scenario.place("inject", i), hint="inject into one that it comes from")


class Play:
    """A scenario on its way: ``batches`` once, then ``origin`` and ``manifest``.

    Raises ``FabricaError`` at once where the scenario does not fit the table or cannot be.
    """

    def __init__(self, model: TableModel, scenario: Scenario, rows: int | None, run: Run):
        self.model, self.scenario = model, scenario
        bound = scenario.bound(model.table)
        taken = sorted({*ORIGIN.names} & {*model.table.names})
        if scenario.origin == "columns" and taken:
            raise InputError(f"the table has a column {taken[0]!r} of its own", where=scenario.place("origin"),
                             hint="say origin: file")
        _demand_lawful(model.book, bound)
        wanted = scenario.rows if rows is None else rows
        if wanted is None:
            raise SettingError("how many are wanted is not said", where="rows", hint="say it in the scenario")
        if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 0:
            raise SettingError("must be a whole number that is not negative", where="rows")
        self.rows, self.run = wanted, run.fresh().child("scenario")
        self.stage = Stage.of(bound, model.generator(), self.run.child("stage"))
        self.stage.counts(self.rows)
        self._origins: list[Origin] = []
        self._again = self._differ = 0

    def schema(self, as_text: bool = False) -> pa.Schema:
        """The Arrow schema of the rows."""
        own = self.model.arrow_schema(as_text)
        return pa.schema([*own, *ORIGIN]) if self.scenario.origin == "columns" else own

    def batches(self, as_text: bool = False) -> Iterator[pa.RecordBatch]:
        """The rows, in parts."""
        table = self.model.written(as_text)
        apart = lawful.Apart(self.model.book, self.run.child("apart"))
        for window in self.stage.windows(self.rows, self.run.child("rows")):
            cells, origin = self._differing(window, apart) if self.model.book.unique else (window.cells, window.origin)
            self._origins.append(origin)
            self._differ += window.differ
            yield self._written(table, cells, origin)
        if self._differ < self.rows:
            self.run.remark(f"{self._differ:,} of the rows differ, the others stand several times")

    def _differing(self, window: Window, apart: lawful.Apart) -> tuple[CellsOf, Origin]:
        """The rows of a window with those that come a second time drawn again, each from the law that it was of."""
        again, kinds, weight = list[Window](), window.origin.injection, window.origin.weight.copy()
        unkeyed = [column.name for column in self.model.table.columns if column.kind != "key"]

        def make(places: np.ndarray, run: Run) -> tuple[CellsOf, np.ndarray]:
            again.append(self.stage.window(range(len(places)), kinds[places], self.stage.shares(self.rows), run))
            return {name: again[-1].cells[name] for name in unkeyed}, np.zeros(len(places), bool)

        cells, moves = apart(window.cells, make)
        for (places, rows), made in zip(moves, again, strict=True):
            weight[places] = made.origin.weight[rows]
            self._again += len(places)
        return cells, Origin(kinds, weight)

    def _written(self, table: Table, cells: CellsOf, origin: Origin) -> pa.RecordBatch:
        batch = encoding.write(table, {i: cells[name] for i, name in enumerate(table.names)})
        if self.scenario.origin == "file":
            return batch
        told = self._told(origin)
        return pa.RecordBatch.from_arrays([*batch.columns, *told.columns], schema=pa.schema([*batch.schema, *ORIGIN]))

    def _told(self, origin: Origin) -> pa.RecordBatch:
        kinds = pa.array([None, *(kind for kind, _ in self.stage.bound.injections)], pa.string())
        ids = pa.array(origin.injection, mask=origin.injection == 0)
        return pa.RecordBatch.from_arrays([ids, kinds.take(pa.array(origin.injection)), pa.array(origin.weight)],
                                          schema=ORIGIN)

    def origin(self) -> pa.Table:
        """The origin of each row that was made."""
        return pa.Table.from_batches(map(self._told, self._origins), schema=ORIGIN)

    def manifest(self) -> dict[str, Any]:
        """What was done."""
        weight = np.concatenate([np.zeros(0), *(one.weight for one in self._origins)])
        worth = float(weight.sum() ** 2 / max((weight**2).sum(), 1e-300)) * self._differ / max(len(weight), 1)
        told = self.stage.told(self.rows)
        moved = [what for what, there in (("tilted", bool(told["tilts"])), ("injected", bool(told["injections"])),
                                          ("conditioned", bool(self.stage.bound.laws)),
                                          ("edited", bool(told["edits"]))) if there]
        return {
            "fabrica_manifest": 1, "fabrica": VERSION, "engine": self.model.engine, "table": self.model.table.name,
            "rows": self.rows, "seed": self.run.seed, "scenario": self.scenario.to_json(),
            "rows_of_the_model": self.rows - sum(one["rows"] for one in told["injections"]), **told,
            "drawn_again": self._again,
            "different_rows": self._differ,
            "weights": {"mean": self._meaning(), "without_rows": round(self.stage.bare, 6),
                        "worth_rows": round(worth, 1)},
            "representative": not moved,
            "remark": f"{NOT_REPRESENTATIVE}: {', '.join(moved)} on purpose" if moved else "",
        }

    def _meaning(self) -> str:
        """What weighted estimates are."""
        model = "those of the model" + (" under the conditions" if self.stage.bound.laws else "")
        if self.stage.bare <= 0:
            return f"weighted estimates are {model}"
        return (f"weighted estimates are not {model} but of a part: of {self.stage.bare:.3g} of it the scenario has no "
                "rows")

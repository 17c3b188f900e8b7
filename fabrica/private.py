"""A table learned under differential privacy: everything that looks at its rows looks through noise, and pays.

What may be known before is settled (``vouched``). Count the rows, find what the columns mean and how their values lie,
let the engine measure how they hang together; whatever is left of the budget is the engine's. What comes out is a model
like any other, with its ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import encoder as encoding
from fabrica.block import Block
from fabrica.contract import Allowance, Chooser, Engine
from fabrica.errors import SettingError
from fabrica.inference.blind import blind, needs_a_look
from fabrica.model import TableModel
from fabrica.notation.storage import is_text
from fabrica.privacy.ledger import Ledger, Purse
from fabrica.privacy.terms import Privacy
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.version import VERSION
from fabrica.vouched import Ready

__all__ = ["learned"]

ROWS = Fraction(1, 100)  #: of the budget, for how many rows there are
KINDS = Fraction(4, 100)  #: for what columns mean, where nobody has said it
SURE = 4.0  #: standard deviations of noise, for what is told of a column
TRIED, BLANK = 1_000, 0.9  #: rows of a twin that are looked at, and the share of a column that may be missing in them
COLUMNS = Fraction(25, 100)  #: for how the values of each column lie
UNCOVERED = (
    "the names of the columns, their order, the types in which they are stored, how the file is written",
    "whether and with which error a job ended, what was told on the way, and how long it took",
    "reports that compare with real rows, such as report.html and report.json beside this ledger",
)


def learned(ready: Ready, engine: Engine, name: str, terms: Privacy, run: Run, beside: Ledger | None = None,
            **codec_settings: Any) -> TableModel:
    """The model of a table under ``terms``.

    Parameters
    ----------
    ready : the table (``vouched.ready``). engine : one that can learn so; ``name`` is what the user calls it.
    beside : what was spent before on the same account.

    Raises
    ------
    SettingError : delta is no small probability beside the number of rows.
    BudgetSpent : the budget does not reach.
    """
    whole, said = ready.rows, ready.said
    known: dict[str, Mapping[str, Any]] = {**said, **({terms.unit: {"kind": "key"}} if terms.unit else {})}
    looks = [f.name for f in whole.schema if needs_a_look(f.type, known.get(f.name, {}))]
    purse = Purse.of(terms, names=any(_may_need_names(f, known.get(f.name, {})) for f in whole.schema), beside=beside)
    paid, budget = run.paying(purse), purse.budget
    counted, variance = paid.noisy(np.array([whole.num_rows]), budget * ROWS, "rows")
    rows = max(1.0, float(counted[0]))
    _demand_delta(terms, rows, variance)
    known |= _unit(whole, terms, said, budget * ROWS, paid)
    table = blind(whole, ready.name, known, budget * (KINDS if looks else 0), paid.child("kinds"))
    table = replace(table, columns=tuple(replace(c, partner=None) for c in table.columns))
    whole = _whole(whole, table)
    encoder, block = encoding.measured(table, whole, Allowance(budget * COLUMNS, purse.risk, rows),
                                       paid.child("codecs"), **codec_settings)
    chosen: tuple[str, ...] = ()
    if isinstance(engine, Chooser):
        choice = engine.choose(block, paid.child("choose"))
        name, engine, chosen = choice.name, choice.engine, choice.lines
    model = engine.fit(block, None, paid.child("engine"))
    ledger = purse.ledger(ready.public(), UNCOVERED)
    facts = {"fabrica": VERSION, "rows": round(rows), "seed": run.seed, "textual": ready.textual, "notes": [],
             "ledger": ledger.to_json(), **({"chosen": list(chosen)} if chosen else {})}
    found = TableModel(table, encoder, name, model, facts, ready.frame.emptied(encoder.levels))
    return replace(found, facts=facts | {"notes": _notes(found, terms, _unlike(block, rows))})


def _may_need_names(field: pa.Field, said: Mapping[str, Any]) -> bool:
    """Whether a column may turn out to have levels that nobody has declared."""
    if "kind" in said:
        return said["kind"] in encoding.NAMED and not said.get("levels")
    return is_text(field.type)


def _demand_delta(terms: Privacy, rows: float, variance: float) -> None:
    """Delta is the probability that the promise fails: with one as large as one over the rows, giving a row away whole
    would keep it."""
    if 6 * terms.delta * variance**0.5 >= 1:
        raise SettingError("is so small that not even the rows can be counted through the noise", where="epsilon",
                           hint="1 is a common start")
    if terms.delta * (rows + 3 * variance**0.5) >= 1:
        raise SettingError("is not far below one over the number of rows", where="delta",
                           hint="it is the probability that the promise fails: take 1e-6 or less")


def _whole(whole: pa.Table, table: Table) -> pa.Table:
    """The cells with whole numbers as such where a point and zeros stand behind them (3.0: they passed through a
    float)."""
    for i, column in enumerate(table.columns):
        if column.kind == "integer" and column.notation is None and is_text(whole.schema.field(i).type):
            cells = pc.replace_substring_regex(whole.column(i), r"\.0+$", "")
            whole = whole.set_column(i, column.name, cells)
    return whole


def _unit(whole: pa.Table, terms: Privacy, said: Mapping[str, Mapping[str, Any]], rho: Fraction, run: Run
          ) -> dict[str, Mapping[str, Any]]:
    """What is known of the unit's column: it is a key, and where several rows of one unit count, about how many units
    there are."""
    if terms.unit is None:
        return {}
    fields = {"kind": "key", **said.get(terms.unit, {})}
    if terms.rows > 1 and "notation" not in fields and fields["kind"] == "key":
        units, _ = run.noisy(np.array([pc.count_distinct(whole[terms.unit]).as_py()]), rho, f"{terms.unit}, how many")
        fields["notation"] = {"kind": "reference", "distinct": max(1, int(units[0]))}
    return {terms.unit: fields}


def _unlike(block: Block, rows: float) -> list[str]:
    """Columns in which less than half of the rows are anything that is known of them, as far as noise can tell."""
    told = {c.name: c.told for c in block if c.told is not None}
    return [name for name, one in told.items() if one.counts.sum() + SURE * one.variance.sum() ** 0.5 < rows / 2]


def _notes(model: TableModel, terms: Privacy, unlike: Sequence[str]) -> list[str]:
    """What a person should know of rows and columns of which little could be learned; a twin tells."""
    lines = []
    if terms.unit is None:
        lines.append("each row is taken for another person's: where people have several, name the column that says "
                     "whose they are with --unit")
    if terms.unit is not None:
        many = "one row" if terms.rows == 1 else f"{terms.rows} rows at most"
        lines.append(f"of each {terms.unit} {many} counted, so that there are about {model.facts['rows']:,} rows; "
                     "--unit-rows lets more of them count")
    lost = [c.name for c in model.table.columns if c.kind == "text"]
    if lost:
        lines.append(f"free text is not learned under an epsilon and comes back empty: {', '.join(lost)}")
    twin = model.sample(TRIED, seed=0)
    blank = [n for n in twin.column_names if twin[n].null_count >= BLANK * TRIED and n not in lost]
    if len(blank) == len(twin.column_names):
        lines.append("nothing could be told through the noise, and the twin is empty: it needs more people, a larger "
                     "epsilon, fewer columns or a schema")
    elif blank:
        lines.append(f"comes back (nearly) empty, for nothing in it is held by enough rows or is written as expected: "
                     f"{', '.join(blank)}. In a schema say what everybody may know: `personal: email` (phone, person, "
                     "…) where it names people, `levels`, `bounds`, the `notation` of its dates")
    if unlike:
        lines.append(f"most cells are none of the levels that were declared or found: {', '.join(unlike)}. Are they "
                     "written so, capitals and spaces too?")
    return lines

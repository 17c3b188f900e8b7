"""What must be known before a table is looked at through noise: what is public on somebody's word, whose rows count.

Everything that is refused is refused here, before anything is paid. What is declared is taken for public; what was read
off a table, by whomever, is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fabrica.contract import Engine
from fabrica.counted import Counted
from fabrica.dataset import Dataset
from fabrica.errors import SchemaError, SettingError
from fabrica.inference.blind import as_declared
from fabrica.inference.overrides import declared_rules, settled
from fabrica.notation.storage import as_text
from fabrica.privacy.terms import Privacy
from fabrica.recipe import demand_together
from fabrica.run import Run
from fabrica.units import bounded

__all__ = ["Ready", "ready"]

TYPED = (".parquet", ".pq", ".feather", ".arrow", ".ipc")  #: formats whose types are written down and not guessed
NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"


@dataclass(frozen=True, eq=False)
class Ready:
    """Parameters
    ----------
    name : of the table. rows : those that count, in types that nobody's cell has decided.
    said : what is declared of each column. textual : whether plain text stands for numbers and days.
    frame : what came.
    """

    name: str
    rows: pa.Table
    said: Mapping[str, Mapping[str, Any]]
    textual: bool
    frame: Dataset

    def public(self) -> tuple[str, ...]:
        """What was declared, in words."""
        fields = dict.fromkeys(what for told in self.said.values() for what in told)
        found = []
        for what in fields:
            names = [n for n, told in self.said.items() if what in told and (told[what] or what == "missing")]
            if names and what not in ("public", "why"):
                found.append(f"{what} of {len(names)} of {self.rows.num_columns} columns, by the schema: "
                             f"{', '.join(names)}")
        return tuple(found)


def ready(dataset: Counted, schema: Any, engine: Engine, name: str, terms: Privacy, run: Run) -> Ready:
    """Make a table ready for noisy looks.

    Parameters
    ----------
    schema : what is declared of the columns, and with that public.
    engine : one that can learn so (``Engine.private``); ``name`` is what the user calls it.

    Raises
    ------
    SettingError : the engine cannot, or the unit is none.
    SchemaError : the schema holds something that was read off a table, or the first line of a file is no header.
    InputError : a row does not say whose it is.
    """
    if engine.private == "never":
        raise SettingError("looks at rows as they are and cannot learn under an epsilon", where=f"engine {name}",
                           hint="take one that can: aim, mst, autoregressive or bayesnet, or auto to choose")
    demand_together(terms, declared_rules(schema, dataset.name) or None, None, None)
    said = {n: as_declared(told) for n, told in settled(schema, dataset.schema.names, dataset.name).items()}
    _demand_declared(said)
    whole = pa.Table.from_batches(list(dataset.batches()), dataset.schema)
    if dataset.textual and not set(whole.column_names) <= set(said):
        _demand_header(whole)
    guessed = dataset.format not in (None, *TYPED)
    plain = _plain(whole, as_texts=guessed and not dataset.textual)
    return Ready(dataset.name, bounded(plain, terms, run.child("unit")), said, guessed, dataset)


def _demand_declared(said: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse what was read off a table: under an epsilon it would tell of its people."""
    for name, fields in said.items():
        if fields.get("why") not in (None, "", "declared"):
            raise SchemaError("was guessed from a table, as its `why` says", where=f"column {name!r}",
                              hint="keep what everybody may know and take `why` away: that is your word that it is "
                                   "public; the rest is found with noise")
        for what in ("levels", "bounds"):
            if fields.get(what) and fields.get("public") is False:
                raise SchemaError(f"`{what}` were read off a table and not declared", where=f"column {name!r}",
                                  hint="say `public: true` if everybody may know them, or leave them out: they are "
                                       "then found with noise")


def _demand_header(whole: pa.Table) -> None:
    """Refuse a first line that looks like a row: as names of columns it would be given away."""
    odd = [name for name in whole.column_names
           if pc.match_substring_regex(name, NUMBER).as_py() or pc.any(pc.equal(whole[name], name)).as_py()]
    if odd:
        raise SchemaError(f"the first line looks like a row and not like names: {len(odd)} of "
                          f"{whole.num_columns} of its cells are numbers or stand in their columns too",
                          where="the header",
                          hint="give the file a line of names, or declare every column in a schema: names are public")


def _plain(whole: pa.Table, as_texts: bool) -> pa.Table:
    """The table in types that no cell has decided: texts where types were guessed from cells, and no decimals, whose
    precision tells of the largest."""
    columns = []
    for column in whole.columns:
        if as_texts:
            column = pa.chunked_array([_texts(chunk) for chunk in column.chunks], pa.string())
        elif pa.types.is_decimal(column.type):
            column = column.cast(pa.float64())
        columns.append(column)
    return pa.table(columns, whole.column_names)


def _texts(cells: pa.Array) -> pa.Array:
    """Cells as text; seconds without a fraction that is nothing."""
    text = as_text(cells)
    return pc.replace_substring_regex(text, r"\.0+$", "") if pa.types.is_temporal(cells.type) else text

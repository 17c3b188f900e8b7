"""Named profiles: what a rule demands of a table before anything is learned from it.

``hipaa`` is the Safe Harbor of 45 CFR 164.514(b)(2): the eighteen classes of identifiers leave the table. Names,
numbers and addresses are made afresh as everywhere; here the rest is made coarse: dates to their year, ages above 89 to
90, ZIP codes to three digits (000 where few people live), cities, degrees, web pages and free text to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from fabrica.counted import Counted
from fabrica.errors import UnknownName
from fabrica.notation import read
from fabrica.notation.storage import is_text
from fabrica.schema import Column, Table

__all__ = ["PROFILES", "coarse", "plan", "profiled"]

PROFILES = {"hipaa": "Safe Harbor of HIPAA: dates to the year, ages above 89 to 90, ZIP codes to three digits, cities "
                     "to nothing"}
OLDEST = 90  #: stands for every age above 89
#: the first three digits of ZIP codes where 20,000 people or fewer live (census of 2000; guidance of HHS, 2012)
SPARSE = ("036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878", "879", "884",
          "890", "893")
_GONE = {"city", "latitude", "longitude", "coordinates", "url"}
Step = tuple[str, Callable[[pa.Array], pa.Array]]


def plan(table: Table, profile: str) -> dict[str, str]:
    """What a profile does with the columns of a table, in words; columns that it leaves alone are not there.

    >>> plan(Table("t", (Column("born", "date"), Column("fee", "decimal"))), "hipaa")
    {'born': 'to the year'}
    """
    if profile not in PROFILES:
        raise UnknownName("profile", profile, list(PROFILES))
    found = {c.name: _wanted(c) for c in table.columns}
    return {name: said for name, said in found.items() if said}


def _wanted(column: Column) -> str:
    if column.personal in _GONE or column.kind in ("text", "latitude", "longitude"):
        return "to nothing"
    if column.personal == "postcode":
        return "to three digits"
    if column.personal == "birth_date" and column.kind in ("integer", "date", "datetime"):
        return "to the year, none of above 89 years"
    if column.kind in ("date", "datetime"):
        return "to the year"
    return "above 89 to 90" if column.personal == "age" and column.kind in ("integer", "decimal") else ""


def coarse(dataset: Counted, table: Table, profile: str) -> Counted:
    """The rows as a profile wants them, in memory; whatever is learned, is learned from these."""
    wanted = plan(table, profile)
    whole = pa.Table.from_batches(list(dataset.batches()), dataset.schema)
    latest = datetime.now(UTC).year  # nothing that the table says of its time: years to come stand in many
    fields = []
    for i, name in enumerate(whole.column_names):
        said = wanted.get(name, "")
        if said:
            cells = _coarse(table[name], whole[name].combine_chunks(), said, latest)
            whole = whole.set_column(i, name, cells)
        fields.append(whole.schema.field(name) if said else dataset.kept.field(name))
    template = None if dataset.template is not None and wanted else dataset.template
    return replace(dataset, table=whole, schema=whole.schema, kept=pa.schema(fields), template=template)


def profiled(dataset: Counted, profile: str | None, look: Callable[[Counted], Table]) -> Counted:
    """The dataset as a profile wants it; as it is where there is none. ``look`` guesses its schema."""
    return coarse(dataset, look(dataset), profile) if profile else dataset


def _years(column: Column, cells: pa.Array) -> pa.Array:
    values = read(replace(column, lenient=True), cells).values
    return values.cast(pa.int64()) if pa.types.is_integer(values.type) else pc.year(values)


def _coarse(column: Column, cells: pa.Array, said: str, latest: int) -> pa.Array:
    text = is_text(cells.type) or pa.types.is_dictionary(cells.type)
    if said == "to nothing":
        return pa.nulls(len(cells), pa.string() if text else cells.type)
    if said == "to three digits":
        return _three(cells)
    if said == "above 89 to 90":
        ages = read(replace(column, lenient=True), cells).values
        found = pc.if_else(pc.greater(ages, OLDEST - 1), pa.scalar(OLDEST, ages.type), ages)
    else:
        found = _years(column, cells)
        if "89" in said:
            found = pc.max_element_wise(found, pa.scalar(latest - OLDEST, pa.int64()), skip_nulls=False)
    return found.cast(pa.string()) if text else found


def _three(cells: pa.Array) -> pa.Array:
    """The first three digits of ZIP codes of five or nine; what is written otherwise goes."""
    texts = cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
    texts = texts if is_text(texts.type) else pc.utf8_lpad(texts.cast(pa.int64(), safe=False).cast(pa.string()), 5, "0")
    texts = pc.utf8_trim_whitespace(texts.cast(pa.string()))
    fits = pc.match_substring_regex(texts, r"^\d{5}(?:-?\d{4})?$")
    three = pc.utf8_slice_codeunits(texts, 0, 3)
    three = pc.if_else(pc.is_in(three, pa.array(SPARSE)), "000", three)
    return pc.if_else(pc.fill_null(fits, False), three, pa.scalar(None, pa.string()))



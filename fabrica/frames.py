"""Frames of all makes to Arrow and back: pandas, polars, dictionaries of columns, anything with ``__arrow_c_stream__``.

The house works on *plain* Arrow columns: numbers, booleans, decimals, text (``string``), moments, nothing.
``plain_schema`` says what a column becomes (a categorical becomes its values, ``large_string`` becomes ``string``)
and refuses what has no cells: lists, structs, bytes. ``restored`` turns a sampled table into the make, the dtypes and
the names of the frame that came in. Neither pandas nor polars is imported here: who has such a frame has the module.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import InputError, SchemaError

__all__ = ["column_of", "common_type", "emptied", "plain_schema", "plain_column", "to_arrow", "restored"]

_CANNOT = (pa.ArrowException, TypeError, ValueError, ArithmeticError, NotImplementedError)  #: how a cell refuses


# ---------------------------------------------------------------- columns


def column_of(values: Iterable[Any]) -> pa.Array:
    """An Arrow column of any Python cells; where they have no type in common they become their texts.

    >>> column_of([1, None, "a"]).to_pylist()
    ['1', None, 'a']
    """
    cells = list(values)
    try:
        return pa.array(cells, from_pandas=True)
    except _CANNOT:
        missing = pa.array([_is_missing(v) for v in cells])
        return pc.if_else(missing, None, pa.array([str(v) for v in cells], pa.string()))


def _is_missing(value: Any) -> bool:
    """None, NaN, NaT and pandas.NA; the last answers neither yes nor no when asked whether it is itself."""
    nothing = value is None or type(value).__name__ in ("NAType", "NaTType")
    return nothing or (isinstance(value, float) and value != value)


def common_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type that holds the cells of both: itself, a wider number, or text."""
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    try:
        pair = pa.unify_schemas([pa.schema([("x", one)]), pa.schema([("x", other)])], promote_options="permissive")
    except pa.ArrowException:
        return pa.string()
    return pair.field(0).type


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type in which the house works on a column of type ``kind``."""
    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return plain_type(kind.value_type)
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def plain_column(column: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> Any:
    """The column in type ``kind``; dictionaries and extensions are unwrapped. Raises what Arrow raises."""
    if isinstance(column, pa.ChunkedArray):
        return pa.chunked_array([plain_column(c, kind) for c in column.chunks], kind)
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    if pa.types.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    if pa.types.is_dictionary(column.type) and not pa.types.is_dictionary(kind):
        if column.dictionary.type != kind:
            return pc.take(plain_column(column.dictionary, kind), column.indices)
        column = column.dictionary_decode()
    return column if column.type == kind else column.cast(kind)


def plain_schema(schema: pa.Schema, where: str) -> pa.Schema:
    """The schema in which the house works on a table; ``where`` is its name for the errors.

    Raises ``SchemaError`` where a name stands twice or a column is nested, binary or of another kind without plain
    cells.
    """
    twice = [name for name, times in Counter(schema.names).items() if times > 1]
    if twice:
        raise SchemaError(f"{len(twice)} column name(s) stand more than once, the first: {twice[0]!r}", where=where,
                          hint="rename the columns")
    return pa.schema([(f.name, _plain_or_refuse(f, where)) for f in schema])


def _plain_or_refuse(field: pa.Field, where: str) -> pa.DataType:
    kind, place = plain_type(field.type), f"{where}, column {field.name!r}"
    if pa.types.is_nested(kind):
        raise SchemaError(f"holds nested values ({str(kind).partition('<')[0]})", where=place,
                          hint="spread it over columns of its own, or leave it out")
    if (pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
            or pa.types.is_binary_view(kind)):
        raise SchemaError("holds bytes, not text or numbers", where=place, hint="write it as text, or leave it out")
    if pa.types.is_interval(kind):
        raise SchemaError("holds calendar intervals", where=place, hint="turn it into a duration or a number")
    return kind


# ---------------------------------------------------------------- in


def to_arrow(thing: Any, where: str) -> pa.Table | None:
    """An object in memory as an Arrow table with its own types; None where it is no table.

    Raises ``InputError`` where columns differ in length or a pandas index has a name (it would be lost in silence).
    """
    if isinstance(thing, pa.Table):
        return thing
    if isinstance(thing, pa.RecordBatch):
        return pa.Table.from_batches([thing])
    if isinstance(thing, pa.RecordBatchReader):
        return thing.read_all()
    if make_of(thing) == "pandas":
        return _from_pandas(thing, where)
    if make_of(thing) == "polars":
        return _from_polars(thing, where)
    if isinstance(thing, Mapping):
        return _from_mapping(thing, where)
    if hasattr(thing, "__arrow_c_stream__"):
        try:
            reader = pa.RecordBatchReader.from_stream(thing)
        except pa.ArrowInvalid:  # a single column
            return None
        return reader.read_all()
    return None


def make_of(thing: Any) -> str | None:
    """``"pandas"`` or ``"polars"`` for their frames, else None."""
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
    if pandas is not None and isinstance(thing, getattr(pandas, "DataFrame", ())):
        return "pandas"
    if polars is not None and isinstance(thing, (getattr(polars, "DataFrame", ()), getattr(polars, "LazyFrame", ()))):
        return "polars"
    return None


def _from_mapping(columns: Mapping[Any, Any], where: str) -> pa.Table:
    made = {str(name): _cells(values, f"{where}, column {str(name)!r}") for name, values in columns.items()}
    lengths = {name: len(column) for name, column in made.items()}
    odd = next((name for name, length in lengths.items() if length != next(iter(lengths.values()))), None)
    if odd is not None:
        first = next(iter(lengths))
        raise InputError(f"{lengths[odd]} cells where column {first!r} has {lengths[first]}",
                         where=f"{where}, column {odd!r}", hint="give columns of one length")
    return pa.table(made)


def _cells(values: Any, where: str) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if isinstance(values, (str, bytes)) or not isinstance(values, (Sequence, Iterable)):
        raise InputError(f"a column must be a list or an array, not {type(values).__name__}", where=where)
    try:
        return pa.array(values, from_pandas=True)
    except _CANNOT:
        return column_of(values)


def _from_pandas(frame: Any, where: str) -> pa.Table:
    named = [str(name) for name in frame.index.names if name is not None]
    if named:
        raise InputError(f"the index {', '.join(map(repr, named))} is not a column", where=where,
                         hint="make it one with .reset_index(), or leave it out with .reset_index(drop=True)")
    columns = [_from_series(frame.iloc[:, i]) for i in range(frame.shape[1])]
    return pa.table(columns, names=[str(name) for name in frame.columns])


def _from_series(series: Any) -> pa.Array | pa.ChunkedArray:
    kind = type(series.dtype).__name__
    if kind in ("PeriodDtype", "IntervalDtype"):
        return pa.array(series.astype(str).where(series.notna(), None), pa.string(), from_pandas=True)
    if kind == "SparseDtype":
        series = series.sparse.to_dense()
    try:
        return pa.array(series, from_pandas=True)
    except _CANNOT:
        return column_of(series)


def _from_polars(frame: Any, where: str) -> pa.Table:
    import polars  # the caller has it: the frame came from there

    frame = frame.collect() if hasattr(frame, "collect") else frame
    try:
        return frame.to_arrow()
    except (*_CANNOT, polars.exceptions.PolarsError):  # some dtype has no Arrow type: find it
        return pa.table({name: _from_column(frame[name], f"{where}, column {name!r}") for name in frame.columns})


def _from_column(column: Any, where: str) -> pa.Array:
    """A polars column; 128-bit numbers, which Arrow has not, go through text."""
    import polars  # the caller has it: the frame came from there

    cannot = (*_CANNOT, polars.exceptions.PolarsError)
    try:
        return column.to_arrow()
    except cannot:
        try:
            return column_of([None if v is None else int(v) for v in column.cast(str).to_list()])
        except cannot:
            raise SchemaError(f"holds {column.dtype}, which is no column of plain cells", where=where,
                              hint="cast it to text or numbers") from None


def emptied(template: Any, levels: Mapping[str, Collection[str]]) -> Any:
    """A frame of the same columns and dtypes that holds nothing of this one: no cell that a view would keep, and of a
    categorical only those ``levels`` (column -> texts) that may be told, in their order."""
    if make_of(template) == "polars":
        return _emptied_polars(template, levels)
    if make_of(template) != "pandas":
        return template
    import pandas  # the caller has it: the frame came from there

    made = {}
    for i, (name, kind) in enumerate(zip(template.columns, template.dtypes, strict=True)):
        if type(kind).__name__ == "CategoricalDtype":
            told = set(levels.get(str(name), ()))
            kind = pandas.CategoricalDtype([c for c in kind.categories if str(c) in told], kind.ordered)
        made[i] = pandas.Series([], dtype=kind)
    frame = pandas.DataFrame(made)
    frame.columns = template.columns
    return frame


def _emptied_polars(template: Any, levels: Mapping[str, Collection[str]]) -> Any:
    import polars  # the caller has it: the frame came from there

    kinds = dict(template.collect_schema())
    for name, kind in kinds.items():
        if isinstance(kind, polars.Enum):
            kinds[name] = polars.Enum([level for level in kind.categories if level in set(levels.get(name, ()))])
    return polars.DataFrame(schema=kinds)


# ---------------------------------------------------------------- and back


def restored(table: pa.Table, kept: pa.Schema, template: Any) -> Any:
    """``table`` in the types of ``kept`` where its cells allow it, of the make of ``template`` (None: Arrow).

    A categorical that comes back lists the levels that its cells hold, in the order of the template, and no others: the
    template's list is the real people's, with the levels that only one of them holds.
    """
    if make_of(template) == "pandas":
        return _to_pandas(_plain_table(table), template)
    if make_of(template) == "polars":
        return _to_polars(_plain_table(table), template)
    columns = [_as_kept(column, kept, name) for name, column in zip(table.column_names, table.columns, strict=True)]
    return pa.table(columns, names=table.column_names)


def _plain_table(table: pa.Table) -> pa.Table:
    return pa.table([plain_column(c, plain_type(c.type)) for c in table.columns], names=table.column_names)


def _as_kept(column: pa.ChunkedArray, kept: pa.Schema, name: str) -> pa.ChunkedArray:
    plain = plain_column(column, plain_type(column.type))
    if name not in kept.names:
        return plain
    kind = kept.field(name).type
    try:
        if isinstance(kind, pa.BaseExtensionType):
            return pa.chunked_array([kind.wrap_array(plain_column(c, kind.storage_type)) for c in plain.chunks], kind)
        return plain.cast(kind)
    except _CANNOT:
        return plain


def _to_pandas(table: pa.Table, template: Any) -> Any:
    frame = table.to_pandas(ignore_metadata=True)
    names = {str(name): name for name in template.columns}
    for name in table.column_names:
        if name in names:
            frame[name] = _like_series(frame[name], template[names[name]].dtype)
    if list(names) == list(frame.columns):
        frame.columns = template.columns
        return frame
    return frame.rename(columns=names)


def _like_series(series: Any, dtype: Any) -> Any:
    """The series in ``dtype`` unless that would lose or invent a cell."""
    if series.dtype == dtype or (getattr(dtype, "kind", "O") in "biu" and type(dtype).__module__.startswith("numpy")
                                 and series.isna().any()):
        return series
    if type(dtype).__name__ == "CategoricalDtype":
        import pandas  # the caller has it: the frame came from there

        strange = [v for v in series.dropna().unique() if v not in set(dtype.categories)]
        dtype = pandas.CategoricalDtype([*dtype.categories, *strange], dtype.ordered) if strange else dtype
    try:
        made = series.astype(dtype)
    except _CANNOT:  # the cells matter more than the dtype
        return series
    if type(dtype).__name__ == "CategoricalDtype":
        return made.cat.remove_unused_categories()
    return made.where(made.notna(), None) if str(dtype) == "object" else made


def _to_polars(table: pa.Table, template: Any) -> Any:
    import polars  # the caller has it: the frame came from there

    frame = polars.DataFrame(polars.from_arrow(table))
    for name, kind in template.collect_schema().items():
        if name in frame.columns and frame.schema[name] != kind:
            if isinstance(kind, polars.Enum):
                held = set(frame[name].unique().drop_nulls().to_list())
                known = [level for level in kind.categories if level in held]
                kind = polars.Enum([*known, *sorted(held - set(known))])
            try:
                frame = frame.with_columns(frame[name].cast(kind))
            except polars.exceptions.PolarsError:
                continue  # a level that an Enum does not know: the cells matter more than the dtype
    return frame

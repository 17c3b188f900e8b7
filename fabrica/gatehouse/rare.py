"""What fewer than k people hold and stands in the twin all the same: counted exactly, over all rows.

*Levels*: those of the twin that some real people hold, but fewer than k. *Ends*: numbers and moments of the twin beyond
the k-th largest (and below the k-th smallest) real one that are equal to a real one, where chance does not give so
many. *Texts*: keys and free texts of the twin that are those of fewer than k real people, but for running numbers and
short ones, which chance gives. People are counted, not their rows, where a ``unit`` column says whose they are; and all
real people, those of the holdout too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import poisson

from fabrica.notation import read
from fabrica.schema import Column, Table
from fabrica.sheets import Batches

__all__ = ["Rare", "rare"]

CHANCE = 1e-3  #: below which a coincidence is none
LONG = 8  #: characters from which a text is nobody else's by chance
TOLD = 2_000  #: rare levels that are looked for in files, at most


@dataclass(frozen=True)
class Rare:
    """Parameters
    ----------
    levels, ends, texts : column -> how many different values of the twin only few real people hold; none where 0.
    looked : how many values of few people there are. words : some of those, long enough to be looked for in files;
        they never leave the room of their owner.
    """

    levels: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, int] = field(default_factory=dict)
    looked: int = 0
    words: tuple[str, ...] = field(default=(), repr=False)

    @property
    def found(self) -> int:
        return sum(sum(one.values()) for one in (self.levels, self.ends, self.texts))

    def places(self) -> list[str]:
        """Columns and how many values of few people stand there, in words."""
        told = (("levels", self.levels), ("ends", self.ends), ("texts", self.texts))
        return [f"{count:,} {what} in {name!r}" for what, some in told for name, count in some.items()]


def rare(table: Table, real: Iterable[Batches], twin: Batches, k: int, unit: str | None = None) -> Rare:
    """What of few people stands in a twin; each table is read once.

    Parameters
    ----------
    table : what the columns mean. real : all real rows, in several parts. twin : the synthetic rows.
    k : people who must hold what stands in it. unit : the column that says whose rows they are; None: each another's.

    >>> from types import SimpleNamespace
    >>> def rows(*towns):
    ...     return SimpleNamespace(batches=lambda: [pa.record_batch({"town": list(towns)})])
    >>> table = Table("people", (Column("town", "category"),))
    >>> rare(table, [rows("Rome", "Rome", "Oslo")], rows("Rome", "Oslo", "Oslo"), k=2).levels
    {'town': 1}
    """
    columns = [c for c in table.columns if c.kind != "empty" and c.name != unit and (c.kind != "key" or _telling(c))]
    held: dict[str, _Ends | _Values] = {c.name: _Ends(k) if c.numeric else _Values(unit is not None) for c in columns}
    for rows in real:
        for batch in rows.batches():
            for column in columns:
                held[column.name].add(*_cells(column, batch, unit))
    few = {column.name: _looked(column, held[column.name].few(k)) for column in columns}
    seen: dict[str, list[pa.Array]] = {name: [] for name, values in few.items() if len(values)}
    for batch in twin.batches():
        for column in columns:
            if column.name in seen:
                made, kept = _cells(column, batch)[0], held[column.name]
                mine = kept.beyond(made) if isinstance(kept, _Ends) else pc.is_in(made, value_set=few[column.name])
                seen[column.name].append(made.filter(mine).unique())
    hits = dict[str, int]()
    for column in columns:
        if column.name in seen:
            made, kept = pa.chunked_array(seen[column.name], few[column.name].type).unique(), held[column.name]
            hits[column.name] = kept.repeated(made.to_numpy(), _step(column)) if isinstance(kept, _Ends) else len(made)
    return _sorted(columns, few, {name: count for name, count in hits.items() if count})


def _step(column: Column) -> float:
    """How far two values of a column are apart at least; 0 where they may be as near as they like."""
    if column.kind == "decimal":
        return 0.0 if column.decimals is None else float(10.0 ** -column.decimals)
    return 0.0 if column.kind in ("latitude", "longitude") else 1.0


def _sorted(columns: list[Column], few: Mapping[str, pa.Array], hits: Mapping[str, int]) -> Rare:
    kinds = {c.name: "ends" if c.numeric else "texts" if c.kind in ("key", "text") else "levels" for c in columns}
    found = {kind: {name: count for name, count in hits.items() if kinds[name] == kind}
             for kind in ("levels", "ends", "texts")}
    words = (word for name, values in few.items() if kinds[name] == "levels" for word in values.to_pylist()
             if len(word) >= LONG)
    return Rare(**found, looked=sum(map(len, few.values())), words=tuple(islice(words, TOLD)))


def _telling(column: Column) -> bool:
    """Whether a key tells whose it is: it is no running number."""
    notation = column.notation if isinstance(column.notation, Mapping) else {}
    return bool(column.personal) or notation.get("kind") not in (None, "sequence", "reference")


def _looked(column: Column, few: pa.Array) -> pa.Array:
    """Of keys and texts those that nobody else has by chance."""
    if column.kind not in ("key", "text"):
        return few
    return few.filter(pc.greater_equal(pc.utf8_length(few), LONG))


def _cells(column: Column, batch: pa.RecordBatch, unit: str | None = None) -> tuple[pa.Array, pa.Array | None]:
    """The present cells of a column, numbers as float64 and others as text, each with whose it is."""
    values = read(replace(column, lenient=True), batch.column(column.name)).values
    plain = _number(values) if column.numeric else _text(values)
    here = pc.is_valid(plain)
    return plain.filter(here), None if unit is None else _text(batch.column(unit)).filter(here)


def _number(values: pa.Array) -> pa.Array:
    if pa.types.is_temporal(values.type):
        values = values.cast(pa.int32() if values.type.bit_width == 32 else pa.int64())
    return values.cast(pa.float64(), safe=False)


def _text(values: pa.Array) -> pa.Array:
    return (values.dictionary_decode() if pa.types.is_dictionary(values.type) else values).cast(pa.string())


@dataclass
class _Values:
    """Different values and the people who hold them: by rows, or ``owned`` by whoever is said."""

    owned: bool
    parts: list[pa.Table] = field(default_factory=list)

    def add(self, cells: pa.Array, who: pa.Array | None) -> None:
        if who is None:
            counted = cells.value_counts()
            self.parts.append(pa.table({"value": counted.field(0), "people": counted.field(1)}))
        else:
            self.parts.append(pa.table({"value": cells, "who": who}).group_by(["value", "who"]).aggregate([]))

    def few(self, k: int) -> pa.Array:
        """The values that fewer than ``k`` people hold."""
        if not self.parts:
            return pa.array([], pa.string())
        whole = pa.concat_tables(self.parts)
        if self.owned:
            whole = _ones(whole)
        people = whole.group_by("value").aggregate([("people", "sum")])
        return people.filter(pc.less(people["people_sum"], k))["value"].combine_chunks()


def _ones(pairs: pa.Table) -> pa.Table:
    """Each person once with each value."""
    single = pairs.group_by(["value", "who"]).aggregate([])
    return single.append_column("people", pa.repeat(1, single.num_rows))


@dataclass
class _Ends:
    """Who reaches farthest to either side, and how far; ``k`` people of each side are remembered."""

    k: int
    high: dict[object, float] = field(default_factory=dict)
    low: dict[object, float] = field(default_factory=dict)
    rows: int = 0

    def add(self, cells: pa.Array, who: pa.Array | None) -> None:
        values = cells.to_numpy(zero_copy_only=False)
        owners: Sequence[object] = range(self.rows, self.rows + len(values)) if who is None else who.to_pylist()
        self.rows += len(values)
        self._reach(self.high, values, owners)
        self._reach(self.low, -values, owners)

    def _reach(self, end: dict[object, float], values: np.ndarray, owners: Sequence[object]) -> None:
        for place in np.argsort(-values, kind="stable"):
            value, owner = float(values[place]), owners[place]
            if len(end) >= self.k and value <= min(end.values()):
                return
            end[owner] = max(value, end.get(owner, -np.inf))
            if len(end) > self.k:
                del end[min(end, key=end.__getitem__)]

    def few(self, k: int) -> pa.Array:
        """How far those reach who go farther than the ``k``-th to one side."""
        found = [sign * value for end, sign in ((self.high, 1.0), (self.low, -1.0)) for value in _beyond(end, k)]
        return pa.array(np.unique(np.array(found, float)))


    def beyond(self, made: pa.Array) -> pa.Array:
        """(n,) bool: the values that go farther than the ``k``-th person to one side."""
        high, low = _line(self.high, self.k), _line(self.low, self.k)
        return pc.or_(pc.greater(made, high), pc.less(made, -low))

    def repeated(self, made: np.ndarray, step: float) -> int:
        """How many of the different values ``made`` beyond the ``k``-th are those of real people, where chance does not
        give so many: both might lie at any place of the stretch that they share."""
        found = 0
        for end, sign in ((self.high, 1.0), (self.low, -1.0)):
            line, real = _line(end, self.k), np.unique(_beyond(end, self.k))
            mine = np.unique(sign * made[sign * made > line])
            hits = len(np.intersect1d(real, mine))
            luck = len(real) * len(mine) / _places(np.concatenate([real, mine]), line, step) if hits else 0.0
            found += hits if hits and poisson.sf(hits - 1, luck) < CHANCE else 0
        return found


def _line(end: Mapping[object, float], k: int) -> float:
    return min(end.values()) if len(end) >= k else -np.inf


def _beyond(end: Mapping[object, float], k: int) -> list[float]:
    return [value for value in end.values() if value > _line(end, k)]


def _places(values: np.ndarray, line: float, step: float) -> float:
    """How many places there are beyond a line for values that are ``step`` apart, or a multiple of it that all are."""
    if not step:
        return np.inf
    steps = np.unique(np.round(values / step).astype(np.int64))
    stride = int(np.gcd.reduce(np.diff(steps))) if len(steps) > 1 else 1
    low = line / step if np.isfinite(line) else float(steps[0]) - stride
    return max(1.0, (float(steps[-1]) - low) / max(1, stride))

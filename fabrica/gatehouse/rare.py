"""What fewer than k people hold and stands in the twin all the same: counted exactly, over all rows.

*Levels*: those of the twin that some real people hold, but fewer than k. *Ends*: numbers and moments of the twin beyond
the k-th largest (and below the k-th smallest) real one that are equal to a real one, and how likely luck gives so many
over all columns (``fabrica/gatehouse/ends.py``). *Texts*: keys and free texts of the twin that are those of fewer than
k real people, but for short ones, and for running numbers of which no more are met than luck gives
(``fabrica/gatehouse/running.py``). People are counted, not their rows, where a
``unit`` column says whose they are; and all real people, those of the holdout too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from fabrica.gatehouse import running
from fabrica.gatehouse.cells import plain, texts
from fabrica.gatehouse.ends import Ends, Met, chance
from fabrica.schema import Column, Table
from fabrica.sheets import Batches

__all__ = ["Rare", "rare"]

LONG = 8  #: characters from which a text is nobody else's by chance
NUMBERS = ("integer", "decimal", "latitude", "longitude")


@dataclass(frozen=True)
class Rare:
    """Parameters
    ----------
    levels, ends, texts : column -> how many different values of the twin only few real people hold; none where 0.
    met : column -> how many running numbers of real people are met, no more than luck gives.
    luck : the chance that luck alone gives as many ``ends``, over all columns. last : columns of which the outermost
        real value itself stands in the twin.
    short : keys and texts of which some are too short to tell anything. looked : how many values of few people remain.
    words, numbers : those, but for moments, and the ``column`` of each. common : what enough people hold. They never
        leave the room of their owner.
    """

    levels: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, int] = field(default_factory=dict)
    met: Mapping[str, int] = field(default_factory=dict)
    luck: float = 1.0
    last: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    looked: int = 0
    words: tuple[str, ...] = field(default=(), repr=False)
    numbers: tuple[float, ...] = field(default=(), repr=False)
    common: tuple[str, ...] = field(default=(), repr=False)
    column: Mapping[str | float, str] = field(default_factory=dict, repr=False)


def rare(table: Table, real: Iterable[Batches], twin: Batches, k: int, unit: str | None = None) -> Rare:
    """What of few people stands in a twin; each table is read once.

    Parameters
    ----------
    table : what the columns mean. real : all real rows: those that were learned from, and those held back. twin : the
    synthetic rows.
    k : people who must hold what stands in it. unit : the column that says whose rows they are; None: each another's.

    >>> from types import SimpleNamespace
    >>> def rows(*towns):
    ...     return SimpleNamespace(batches=lambda: [pa.record_batch({"town": list(towns)})])
    >>> table = Table("people", (Column("town", "category"),))
    >>> rare(table, [rows("Rome", "Rome", "Oslo")], rows("Rome", "Oslo", "Oslo"), k=2).levels
    {'town': 1}
    """
    columns = [c for c in table.columns if c.kind != "empty" and c.name != unit and (c.kind != "key" or _telling(c))]
    held: dict[str, Ends | _Values] = {c.name: Ends(k) if c.numeric else _Values(unit is not None) for c in columns}
    keys = [column.name for column in columns if column.kind == "key"]
    sides = list[dict[str, pa.Array]]()
    for rows in real:
        for batch in rows.batches():
            for column in columns:
                held[column.name].add(*_cells(column, batch, unit))
        sides.append(_different([table[name] for name in keys], rows))
    few = {column.name: _unknown(column, held[column.name].few(k)) for column in columns}
    long = {column.name: _long(few[column.name]) if _written(column) else few[column.name] for column in columns}
    short = tuple(name for name, values in few.items() if len(values) > len(long[name]))
    few = long
    seen: dict[str, list[pa.Array]] = {name: [] for name, values in few.items() if len(values)}
    for batch in twin.batches():
        for column in columns:
            if column.name in seen:
                made, kept = _cells(column, batch)[0], held[column.name]
                mine = kept.beyond(made) if isinstance(kept, Ends) else pc.is_in(made, value_set=few[column.name])
                seen[column.name].append(made.filter(mine).unique())
    hits, met = dict[str, int](), dict[str, list[Met]]()
    for column in columns:
        if column.name in seen:
            made, kept = pa.chunked_array(seen[column.name], few[column.name].type).unique(), held[column.name]
            if isinstance(kept, Ends):
                met[column.name] = kept.met(made.to_numpy(), _step(column), _known(column))
            hits[column.name] = sum(one.hit for one in met[column.name]) if column.name in met else len(made)
    luck = chance(one for several in met.values() for one in several)
    last = tuple(name for name, several in met.items() if any(one.hit and one.last for one in several))
    common = (one for kept in held.values() if isinstance(kept, _Values) for one in kept.common(k).to_pylist())
    found = _sorted(columns, few, {name: count for name, count in hits.items() if count})
    made = _different([table[name] for name in keys if name in found.texts], twin)
    by_luck = {name for name in made if _lucky([side[name] for side in sides], few[name], made[name])}
    found = replace(found, texts={name: count for name, count in found.texts.items() if name not in by_luck},
                    met={name: count for name, count in found.texts.items() if name in by_luck})
    return replace(found, luck=luck, last=last, short=short, common=tuple(common))


def _different(columns: list[Column], rows: Batches) -> dict[str, pa.Array]:
    """The different values of some columns."""
    if not columns:
        return {}
    found: dict[str, list[pa.Array]] = {column.name: [] for column in columns}
    for batch in rows.batches():
        for column in columns:
            found[column.name].append(_cells(column, batch)[0].unique())
    return {name: pa.chunked_array(parts, pa.string()).unique() for name, parts in found.items()}


def _lucky(sides: list[pa.Array], few: pa.Array, made: pa.Array) -> bool:
    """Whether keys are running numbers: of few people who were learned from none is met, and no more than luck gives of
    those held back."""
    real = [side.filter(pc.is_in(side, value_set=few)) for side in sides]
    found = running.numbers(*real, made)
    if found is None:
        return False
    own, *others, mine = found
    return running.luck(own, others[0] if others else own[:0], mine) >= running.COPIED


def _known(column: Column) -> tuple[float, ...]:
    """The bounds of a column of numbers that its user has declared public."""
    return column.bounds if column.bounds and column.kind in NUMBERS else ()


def _unknown(column: Column, few: pa.Array) -> pa.Array:
    """Of what few people hold, what is none of the levels that the user has declared public."""
    if column.numeric or not (column.public and column.levels):
        return few
    return few.filter(pc.invert(pc.is_in(few, value_set=pa.array(column.levels, few.type))))


def _step(column: Column) -> float:
    """How far two values of a column are apart at least; 0 where they may be as near as they like."""
    if column.kind == "decimal":
        return 0.0 if column.decimals is None else float(10.0 ** -column.decimals)
    return 0.0 if column.kind in ("latitude", "longitude") else 1.0


def _sorted(columns: list[Column], few: Mapping[str, pa.Array], hits: Mapping[str, int]) -> Rare:
    kinds = {c.name: "ends" if c.numeric else "texts" if _written(c) else "levels" for c in columns}
    levels, ends, written = ({name: count for name, count in hits.items() if kinds[name] == kind}
                           for kind in ("levels", "ends", "texts"))
    named = sorted((column for column in columns if not column.numeric), key=_written)  # levels first
    words = [(word, column.name) for column in named for word in few[column.name].to_pylist()]
    numbers = [(number, column.name) for column in columns if column.kind in NUMBERS
               for number in few[column.name].to_pylist()]
    return Rare(levels, ends, written, looked=sum(map(len, few.values())), words=tuple(word for word, _ in words),
                numbers=tuple(number for number, _ in numbers), column=dict([*words, *numbers]))


def _telling(column: Column) -> bool:
    """Whether a key tells whose it is: it is no running number."""
    notation = column.notation if isinstance(column.notation, Mapping) else {}
    return bool(column.personal) or notation.get("kind") not in (None, "sequence", "reference")


def _written(column: Column) -> bool:
    """Whether its values are as many as people: a key or a free text."""
    return column.kind in ("key", "text")


def _long(few: pa.Array) -> pa.Array:
    """Of keys and texts those that nobody else has by chance."""
    return few.filter(pc.greater_equal(pc.utf8_length(few), LONG))


def _cells(column: Column, batch: pa.RecordBatch, unit: str | None = None) -> tuple[pa.Array, pa.Array | None]:
    """The present cells of a column, each with whose it is."""
    cells = plain(column, batch.column(column.name))
    here = pc.is_valid(cells)
    return cells.filter(here), None if unit is None else texts(batch.column(unit)).filter(here)


NOBODY = pa.table({"value": pa.array([], pa.string()), "who": pa.array([], pa.string()),
                   "people": pa.array([], pa.int64())})


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
        people = self._people()
        return people.filter(pc.less(people["people_sum"], k))["value"].combine_chunks()

    def common(self, k: int) -> pa.Array:
        """The values that at least ``k`` people hold."""
        people = self._people()
        return people.filter(pc.greater_equal(people["people_sum"], k))["value"].combine_chunks()

    def _people(self) -> pa.Table:
        whole = pa.concat_tables(self.parts) if self.parts else NOBODY
        return (_ones(whole) if self.owned else whole).group_by("value").aggregate([("people", "sum")])


def _ones(pairs: pa.Table) -> pa.Table:
    """Each person once with each value."""
    single = pairs.group_by(["value", "who"]).aggregate([])
    return single.append_column("people", pa.repeat(1, single.num_rows))

"""What each family must do: the waist of the hourglass.

Below it stand plain values; above it everything that composes. A plugin is one file in its family's folder that
fulfils one of these contracts; ``fabrica/checks`` holds the promises that every plugin must keep.

Engine -> Model      a way to learn how columns hang together -> what was learned; some models can do more:
                     Likelihood, Conditional, Masked; a Chooser chooses among engines
Codec -> Coder       a way to map a column to codes -> the learned map
Metric               measured numbers about a synthetic table
Maker                who can learn again as the twin was learned, for the attacks that need more than rows
Source               a file format, read in parts and written atomically

What a scenario may wish for, and generators of which it wishes, have their contract in ``generator.py``.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
import pyarrow as pa

from fabrica.block import Block, Coded, Told
from fabrica.errors import OutputError, SettingError, UnknownName
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.state import State

__all__ = [
    "Setting", "Settings", "Cells", "Engine", "Model", "Likelihood", "Conditional", "Masked", "Choice", "Chooser",
    "Owned", "Allowance", "Codec", "Coder", "Known", "Summary", "Sheet", "Maker", "Evidence", "Metric", "Source",
]


@dataclass(frozen=True)
class Setting:
    """The one annotation of a setting, from which the CLI flag, its range, the docs and the error grow.

    >>> from typing import Annotated
    >>> leaf: Annotated[int, Setting("people in a leaf at least", low=1, high=10_000)] = 30
    """

    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    search: tuple[Any, ...] = ()  #: the lowest and the highest value that ``fabrica tune`` tries, or the texts; none


NAMES: dict[type, str] = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


class Settings:
    """Mixin for frozen dataclasses whose fields are annotated with ``Setting``; refuses what is out of range."""

    @classmethod
    def settings(cls) -> dict[str, tuple[type, Setting, Any]]:
        """name -> (type, Setting, default) of every annotated field."""
        hints = typing.get_type_hints(cls, include_extras=True)
        found = {}
        for f in dataclasses.fields(cls):  # type: ignore[arg-type]
            meta = [m for m in getattr(hints[f.name], "__metadata__", ()) if isinstance(m, Setting)]
            if meta:
                found[f.name] = (typing.get_args(hints[f.name])[0], meta[0], f.default)
        return found

    @classmethod
    def with_settings(cls, values: Mapping[str, Any]) -> Any:
        """Build from plain values; an unknown name or a wrong type is one clear error."""
        known = cls.settings()
        for name in values:
            if name not in known:
                raise UnknownName("setting", name, list(known), where=cls.__module__.rsplit(".", 1)[-1])
        return cls(**values)

    def changed(self) -> dict[str, Any]:
        """name -> value of the settings that are not at their default."""
        return {name: getattr(self, name) for name, (_, _, default) in self.settings().items()
                if getattr(self, name) != default}

    def __post_init__(self) -> None:
        for name, (kind, setting, _) in self.settings().items():
            value, where = getattr(self, name), f"setting {name!r}"
            wanted: Any = (int, float) if kind is float else kind
            if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
                raise SettingError(f"must be {NAMES.get(kind, kind.__name__)}", where=where)
            if isinstance(value, float) and not math.isfinite(value):
                raise SettingError("must be a finite number", where=where)
            if setting.choices and value not in setting.choices:
                raise SettingError(f"must be one of {', '.join(setting.choices)}", where=where)
            if (setting.low is not None and value < setting.low) or (setting.high is not None and value > setting.high):
                raise SettingError(f"must be between {setting.low} and {setting.high}, not {value}", where=where)


# ---------------------------------------------------------------- engines


class Model(ABC):
    """How columns hang together, learned. Immutable; arrays and plain values only."""

    @abstractmethod
    def sample(self, size: int, given: Block | None, run: Run) -> Block:
        """``size`` fresh rows with the alphabet of the block that was fitted (``given``: the parents of each row)."""

    @abstractmethod
    def state(self) -> State: ...

    @classmethod
    @abstractmethod
    def from_state(cls, state: State) -> Model: ...

    def words(self) -> Sequence[str]:
        """What this holds, a line each, for ``fabrica inspect``."""
        return ()


class Likelihood(ABC):
    """What a model can do that knows how likely a row is."""

    @abstractmethod
    def log_prob(self, rows: Block, run: Run) -> np.ndarray:
        """(n,) natural logarithm of the probability of each row's codes; over all rows of codes the probabilities sum
        to one. Low values are outliers."""


class Conditional(ABC):
    """What a model can do that draws some cells of a row given the others."""

    @abstractmethod
    def complete(self, rows: Block, known: np.ndarray, run: Run) -> Block:
        """The rows with the cells where ``known`` (n, C) bool is false drawn from their distribution given the cells
        where it is true, which stay as they are. Codes of cells that are not known are not looked at."""


class Masked(ABC):
    """What a model can do that draws rows of which some codes are ruled out."""

    @abstractmethod
    def masked(self, size: int, allowed: Mapping[int, np.ndarray], run: Run) -> tuple[Block, np.ndarray]:
        """``size`` rows, drawn column by column: column j in proportion to the probability of each code given the
        columns before it, times ``allowed[j]`` (its size,) in [0, 1]; and (n,) the logarithm of what that has left of
        the probability, up to a constant, -inf where nothing. Rows that are kept in proportion to it are distributed as
        the model's rows are that a fair chance ``allowed`` has kept (sequential importance sampling; Kong, Liu, Wong,
        JASA 89, 1994)."""


class Engine(Settings, ABC):
    """A way to learn; its fields are its settings. One file in ``engines/``, one class named ``Engine``-something."""

    title: ClassVar[str]  #: one honest line for ``fabrica list engines``: when to use, what it costs
    source: ClassVar[str]  #: the paper
    cost: ClassVar[float] = 10.0  #: seconds to learn a million cells, about, on one core
    start: ClassVar[float] = 0.0  #: seconds that even a small table takes, about
    needs: ClassVar[tuple[str, ...]] = ()  #: packages of extras without which it cannot learn
    extra: ClassVar[str] = ""  #: which brings them
    baseline: ClassVar[bool] = False  #: whether it is there to be compared with, and nobody's choice
    #: under an epsilon: never (it looks at rows), always (it looks through noise alone), or can (both)
    private: ClassVar[str] = "never"

    @abstractmethod
    def fit(self, rows: Block, given: Block | None, run: Run) -> Model: ...

    def safer(self) -> Engine | None:
        """The same way to learn with settings that keep farther from people and see less; None where there is none."""
        return None

    def sharper(self) -> Engine | None:
        """The same way to learn with settings that see more and take longer; None where there is none."""
        return None


@dataclass(frozen=True)
class Choice:
    """Which engine a chooser took, why, a line each, and the seconds that are left for learning with it."""

    name: str
    engine: Engine
    lines: tuple[str, ...] = ()
    seconds: float = float("inf")


class Chooser(ABC):
    """An engine that finds the best of its ``rivals`` (name -> engine), which whoever knows the catalog gives it."""

    rivals: Mapping[str, Engine]

    @abstractmethod
    def choose(self, rows: Block, run: Run) -> Choice: ...


# ---------------------------------------------------------------- codecs


@dataclass(frozen=True)
class Cells:
    """Typed cells of one column: ``values`` (Arrow, null where missing) and, where the column has several missing
    markers, ``absent`` (n,) uint8: 0 present, i > 0 the i-th of ``Column.missing`` with the true null last."""

    values: pa.Array
    absent: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> Cells:
        """The cells of some rows, by their numbers."""
        return Cells(self.values.take(pa.array(rows)), None if self.absent is None else self.absent[rows])

    @staticmethod
    def concat(parts: Sequence[Cells]) -> Cells:
        """The cells of one column, one part after the other."""
        if len(parts) == 1:
            return parts[0]
        values = pa.chunked_array([part.values for part in parts])
        values = values.unify_dictionaries() if pa.types.is_dictionary(values.type) else values
        absent = [part.absent for part in parts if part.absent is not None]
        return Cells(values.combine_chunks(), np.concatenate(absent) if absent else None)


@dataclass(frozen=True)
class Owned(Cells):
    """Cells of which a survey is told whose they are: ``who`` (n,) uint64, the mark of a person (``crowd.marks``), of
    whom so many ``people`` must hold what a codec tells that counts them; others count rows."""

    who: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))
    people: int = 1


class Summary(ABC):
    """What a survey of one part of a column found. Merging is associative, so parts may be surveyed anywhere."""

    @abstractmethod
    def merge(self, other: Summary) -> Summary: ...


class Coder(ABC):
    """The learned map between the cells of one column (two for a place) and codes, both ways."""

    @abstractmethod
    def encode(self, cells: tuple[Cells, ...], run: Run) -> tuple[Coded, ...]: ...

    @abstractmethod
    def decode(self, coded: tuple[Coded, ...], rows: range, run: Run) -> tuple[Cells, ...]:
        """Cells for the codes; ``rows`` are the numbers of the rows in the whole sample (keys need them)."""

    @abstractmethod
    def state(self) -> State: ...

    @classmethod
    @abstractmethod
    def from_state(cls, state: State) -> Coder: ...

    def words(self) -> str:
        """What this holds, in words without a rare value."""
        return ""

    def lost(self) -> float:
        """Share of the cells with a value of which nothing may be told, and another value is given."""
        return 0.0


@dataclass(frozen=True)
class Allowance:
    """What a look at a column may cost: ``rho`` in zCDP and ``delta`` for names; ``rows`` are about how many there
    are, as noisy counts have told."""

    rho: Fraction
    delta: Fraction
    rows: float


@dataclass(frozen=True)
class Known:
    """What was learned of a column through noise: its coder, and how many rows have each code of the columns that it
    gives (None: not measured)."""

    coder: Coder
    told: tuple[Told | None, ...] = ()


class Codec(Settings, ABC):
    """A way to map columns to codes: survey parts, merge the summaries, learn the coder. Under privacy the coder is
    learned from noisy counts instead (``measured``)."""

    title: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]  #: the column kinds it serves
    weight: ClassVar[float] = 1.0  #: of what all columns may cost, its share against others'
    @abstractmethod
    def survey(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], run: Run) -> Summary: ...

    @abstractmethod
    def learn(self, columns: tuple[Column, ...], summary: Summary, run: Run) -> Coder: ...

    def measured(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], allowance: Allowance, run: Run) -> Known:
        """The coder out of noisy counts of ``cells`` (all rows), through the doors of ``run`` alone.

        Raises
        ------
        SettingError : this codec cannot.
        """
        names = ", ".join(repr(column.name) for column in columns)
        raise SettingError(f"cannot be learned under an epsilon (column {names})", where=f"kind {columns[0].kind}",
                           hint="declare another kind, or leave the column out")


# ---------------------------------------------------------------- metrics


@dataclass(frozen=True)
class Sheet:
    """A table as metrics see it: each column as numbers.

    ``values[name]`` is (n,) float64 with NaN where missing for numeric columns, (n,) int32 level numbers with -1
    where missing for the others; level numbers mean the same in all sheets of one evidence. ``levels[name]`` are the
    level texts.
    """

    rows: int
    values: Mapping[str, np.ndarray]
    levels: Mapping[str, Sequence[str]]

    @property
    def numeric(self) -> list[str]:
        return [n for n in self.values if n not in self.levels]

    @property
    def categorical(self) -> list[str]:
        return [n for n in self.values if n in self.levels]

    def select(self, names: Sequence[str]) -> Sheet:
        levels = {n: self.levels[n] for n in names if n in self.levels}
        return Sheet(self.rows, {n: self.values[n] for n in names}, levels)

    def take(self, rows: np.ndarray) -> Sheet:
        return Sheet(len(rows), {n: v[rows] for n, v in self.values.items()}, self.levels)


class Maker(ABC):
    """Who can learn again as the twin was learned, and look into what was learned: what some attacks need beside rows.

    Rows go by their numbers: those of ``Evidence.real`` from 0 on, after them those of its holdout.
    """

    @abstractmethod
    def twin(self, rows: np.ndarray, size: int, run: Run) -> Sheet:
        """``size`` rows of a twin that was learned from these rows alone, with the levels of the evidence."""

    @abstractmethod
    def log_prob(self, rows: np.ndarray, run: Run, learned: np.ndarray | None = None) -> np.ndarray:
        """(n,) natural logarithm of how likely the model holds each of the rows; or, with ``learned``, of a model that
        learned those rows instead, over the same codes.

        Raises
        ------
        NotComputable : the engine knows no likelihoods.
        """

    @abstractmethod
    def artefacts(self, planted: Sequence[Mapping[str, str | int | float]], folder: Path, run: Run) -> None:
        """Do the whole job again and write all its files into ``folder``, with some people among the rows who differ
        from real ones, drawn by chance, in the cells that ``planted`` gives them: column -> value, each a person.

        Raises
        ------
        NotComputable : the job cannot be done with them.
        """


@dataclass(frozen=True)
class Evidence:
    """What a metric may look at: the real rows that were learned from, the synthetic ones, and real rows nobody
    learned from. ``k`` rows must hold whatever is told by name; ``unit`` is the column that says whose rows they are,
    where people have several; ``protected`` are columns whose levels must not be treated worse than others. ``whole``
    is the synthetic table with more rows than fidelity is measured on, which an attacker holds, ``seen`` the share of
    its rows that are at hand, ``judged`` that of the rows learned from; ``maker`` can learn again, where it is known
    how the twin was made."""

    table: Table
    real: Sheet
    synthetic: Sheet
    holdout: Sheet | None = None
    target: str | None = None
    k: int = 5
    unit: str | None = None
    maker: Maker | None = None
    protected: tuple[str, ...] = ()
    whole: Sheet | None = None
    seen: float = 1.0
    judged: float = 1.0

    @property
    def held(self) -> Sheet:
        """The synthetic rows that an attacker holds."""
        return self.synthetic if self.whole is None else self.whole


class Metric(Settings, ABC):
    """Measured numbers about a synthetic table. One file in ``metrics/<group>/``."""

    title: ClassVar[str]  #: one line: what it answers
    source: ClassVar[str]  #: the definition's paper
    #: its findings about the whole table: name -> against what each is measured (``train``, ``holdout``)
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    needs: ClassVar[tuple[str, ...]] = ()  #: of ``target``, ``protected``: what it cannot measure without
    heavy: ClassVar[bool] = False  #: whether it is measured only where it is asked for

    @abstractmethod
    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]: ...


# ---------------------------------------------------------------- sources


class Source(ABC):
    """A file format. ``read`` yields Arrow record batches and never needs the whole file in memory; ``write`` takes
    batches.

    A source is a frozen value. ``sniff`` looks at one file and returns the source that knows it (its delimiter, its
    encoding, its column types), so that reading starts without a second look and what is written can look like what
    was read.
    """

    title: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]  #: with the dot, longest first
    textual: ClassVar[bool] = False  #: whether every cell is text as it stands

    def sniff(self, path: Path) -> Source:
        """The source that knows this file; most formats say all about themselves and return ``self``."""
        return self

    def note(self) -> str:
        """A guess of ``sniff`` that a person should know of, in one line; "" where there is none."""
        return ""

    def schema(self, path: Path) -> pa.Schema:
        """Names and Arrow types of the columns of one file."""
        return next(iter(self.read(path))).schema

    def rows(self, path: Path) -> int | None:
        """How many rows a file has, where the format says so without a pass; else None."""
        return None

    @abstractmethod
    def read(self, path: Path, *, batch_rows: int = 1 << 16) -> Iterator[pa.RecordBatch]:
        """Batches of one schema and about ``batch_rows`` rows; at least one, which is empty where there are no rows."""

    @abstractmethod
    def write(self, path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        """Write ``path`` itself; who calls has made ``path`` a temporary name and renames it when all is well."""

    def pour(self, stream: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        """Write to an open stream, batch by batch. Formats that are read from their end cannot."""
        raise OutputError("this format cannot be written to a stream", hint="name a file")

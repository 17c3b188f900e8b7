"""A learned table: what the user holds, samples from, saves and loads.

It is the schema, the encoder (every column's marginal) and the engine's model (how columns hang together).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from fabrica import catalog, imputation, lawful, modelfile, sound
from fabrica import encoder as encoding
from fabrica.block import Block
from fabrica.conditional import Learned
from fabrica.contract import Cells, Chooser, Engine, Likelihood, Model
from fabrica.counted import filled
from fabrica.dataset import Dataset, atomic
from fabrica.encoder import Encoder
from fabrica.errors import FabricaError, InputError, ModelFileError, SettingError
from fabrica.expression import Expression
from fabrica.generator import CellsOf, Generator
from fabrica.inference.facts import K
from fabrica.notation import arrow_type
from fabrica.notation.natural import natural
from fabrica.played import Play, Played
from fabrica.privacy.ledger import Ledger
from fabrica.rejection import ENOUGH
from fabrica.rules import Rulebook
from fabrica.rules import learned as learned_rules
from fabrica.run import Progress, Run
from fabrica.scenario import Scenario
from fabrica.schema import Table
from fabrica.state import State
from fabrica.version import VERSION

__all__ = ["TableModel", "encoded", "learn"]

T = TypeVar("T")
Given = str | Sequence[str] | None  #: an expression, or short words

CHUNK = 1 << 16  #: rows that share a random stream; the same for any number of workers
REHEARSED = 8  #: rows that a model must be able to write before it counts as read
ENGINE_ROWS = 200_000  #: an engine learns from a uniform sample of at most so many rows; the codecs always see all


@dataclass(frozen=True)
class TableModel:
    """A learned table. Immutable; sampling it twice with one seed gives the same rows.

    >>> import fabrica                                                              # doctest: +SKIP
    >>> model = fabrica.fit(df, seed=7); model.sample(1_000); model.save("people.fab")   # doctest: +SKIP
    """

    table: Table
    encoder: Encoder
    engine: str
    model: Model
    facts: dict[str, Any] = field(default_factory=dict)
    frame: Dataset | None = field(default=None, repr=False, compare=False)  # emptied: no real row stays here
    rules: Rulebook | None = field(default=None, repr=False, compare=False)  # how the table's rules are kept

    @property
    def book(self) -> Rulebook:
        """How the rules of ``table`` are kept; ``encoder.table`` is the table that is learned instead."""
        return self.rules or Rulebook(self.table)

    def written(self, as_text: bool = False) -> Table:
        """The table as it is written: a model of a delimited file gives plain numbers as numbers, unless it writes
        text again."""
        return natural(self.table) if self.facts.get("textual") and not as_text else self.table

    def arrow_schema(self, as_text: bool = False) -> pa.Schema:
        """The Arrow schema of sampled tables."""
        return pa.schema([pa.field(c.name, arrow_type(c.storage)) for c in self.written(as_text).columns])

    def sample(
        self,
        rows: int,
        *,
        seed: int = 0,
        workers: int | None = None,
        listener: Callable[[Progress], object] | None = None,
        given: Given = None,
    ) -> Any:
        """``rows`` fresh rows as the kind of frame that was fitted (an Arrow table for a loaded model).

        ``given`` is a condition that all of them satisfy: an expression such as ``"age > 60 and income == '>50K'"``, or
        a list of short words such as ``["age=60..80", "income=>50K"]``.
        """
        return self.draw(rows, Run(seed, workers=workers, listener=listener), given)

    def draw(self, rows: int, run: Run, given: Given = None) -> Any:
        """``sample`` within a job that is under way."""
        return self._framed(list(self.sample_batches(rows, run, given=given)), self.arrow_schema())

    def _framed(self, batches: list[pa.RecordBatch], schema: pa.Schema) -> Any:
        """Batches as the kind of frame that was fitted."""
        table = pa.Table.from_batches(batches) if batches else schema.empty_table()
        if self.frame is not None and not self.facts.get("textual"):
            return self.frame.restore(table)
        return table.cast(schema)

    def play(self, scenario: Any, rows: int | None = None, *, seed: int = 0, workers: int | None = None,
             listener: Callable[[Progress], object] | None = None) -> Played:
        """Play a scenario: a file (YAML, JSON), plain values, or a ``Scenario``.

        Raises
        ------
        FabricaError : something in it does not fit the table or cannot be; tells where.

        >>> made = model.play({"shift": {"income": {">50K": 0.4}}}, 10_000)           # doctest: +SKIP
        >>> made.data, made.origin, made.manifest                                    # doctest: +SKIP
        """
        play = Play(self, Scenario.of(scenario), rows, Run(seed, workers=workers, listener=listener))
        data = self._framed(list(play.batches()), play.schema())
        return Played(data, play.origin(), play.manifest())

    def condition(self, given: Given) -> Expression | None:
        """What ``given`` means over this table; None where nothing is asked."""
        if given is None or (not isinstance(given, str) and not given):
            return None
        if isinstance(given, str):
            return Expression.of(given, self.table)
        if not isinstance(given, Sequence) or not all(isinstance(word, str) for word in given):
            raise SettingError("must be a condition, or a list of words such as \"age=60..\"", where="given")
        return Expression.given(given, self.table)

    def sample_batches(self, rows: int, run: Run, *, as_text: bool = False, given: Given | Expression = None
                       ) -> Iterator[pa.RecordBatch]:
        """The rows in chunks, made on the run's workers, in order; memory stays bounded unless something is ``given``.

        ``as_text`` writes the cells of a model that was learned from a delimited file as that file did.
        """
        if not isinstance(rows, int) or isinstance(rows, bool) or rows < 0:
            raise SettingError("must be a whole number that is not negative", where="rows")
        run, table = run.fresh().child("sample"), self.written(as_text)
        condition = given if isinstance(given, Expression) else self.condition(given)
        if condition is not None:
            yield from self._given(condition, rows, run.child("given"), table)
            return
        if not self.book.unique:
            yield from self._chunks(rows, run, lambda cells: encoding.write(table, cells))
            return
        apart, names = lawful.Apart(self.book, run.child("apart")), self.table.names
        for cells in self._chunks(rows, run, lambda cells: cells):
            found, _ = apart({names[i]: cell for i, cell in cells.items()}, self._fresh)
            yield encoding.write(table, lawful.numbered(self.book, found))

    def _fresh(self, places: np.ndarray, run: Run) -> tuple[Mapping[str, Cells], np.ndarray]:
        """A row for each of the places, and which of them break a rule."""
        return lawful.fresh(self.encoder, self.book, self.model, len(places), run)

    def _chunks(self, rows: int, run: Run, finish: Callable[[dict[int, Cells]], T]) -> Iterator[T]:
        """Chunk after chunk of fresh rows, finished on the run's workers, in order."""
        chunks = (range(start, min(start + CHUNK, rows)) for start in range(0, rows, CHUNK))
        if run.workers == 1 or rows <= CHUNK:
            for chunk in chunks:
                yield self._chunk(chunk, run, finish)
                run.tell(chunk.stop, rows, "sampling")
            return
        waiting: deque[tuple[int, Future[T]]] = deque()
        with ThreadPoolExecutor(run.workers) as pool:
            try:
                for chunk in chunks:
                    waiting.append((chunk.stop, pool.submit(self._chunk, chunk, run, finish)))
                    if len(waiting) > run.workers + 1:
                        yield _done(waiting, rows, run)
                while waiting:
                    yield _done(waiting, rows, run)
            finally:
                for _, future in waiting:
                    future.cancel()

    @property
    def ledger(self) -> Ledger | None:
        """Under differential privacy, every measurement and its price; else None.

        >>> model.ledger.epsilon()                                                   # doctest: +SKIP
        """
        plain = self.facts.get("ledger")
        return None if plain is None else Ledger.from_json(plain, "model")

    def generator(self) -> Learned:
        """The table as scenarios know it."""
        return Learned(self.encoder, self.model, self.book)

    def _given(self, condition: Expression, rows: int, run: Run, table: Table) -> Iterator[pa.RecordBatch]:
        """Rows that satisfy a condition, in chunks. Keys are made last, when it is known which rows there are."""
        learned = self.generator().under([condition], run.child("asked"))
        drawn = learned.rows(rows, run)
        if drawn.differ < rows and not self.book.unique:
            run.remark(f"{drawn.differ:,} different rows satisfy the condition; they stand several times")
        apart = lawful.Apart(self.book, run.child("apart"))
        for start in range(0, rows, CHUNK):
            here = range(start, min(start + CHUNK, rows))
            some = learned.joined([drawn], np.arange(here.start, here.stop))
            made = learned.finished(some, here, run.child("finish").child(start))
            if self.book.unique:
                made, _ = apart(made, partial(_drawn_again, learned))
            yield encoding.write(table, lawful.numbered(self.book, made))

    def _chunk(self, rows: range, run: Run, finish: Callable[[dict[int, Cells]], T]) -> T:
        run.check()
        return finish(lawful.drawn(self.encoder, self.book, self.model, rows, run.child(rows.start // CHUNK)))

    def log_prob(self, data: Any, *, seed: int = 0) -> np.ndarray:
        """How likely each row is, as a logarithm (nats of its codes); the least likely are outliers.

        A value beyond what was learned counts as the nearest code: look for those by their range. ``keep`` is not
        reckoned with by ``boosted`` and ``bayesnet``.

        Parameters
        ----------
        data : n rows with the columns that were learned: a path or a frame.

        Raises
        ------
        SettingError : the engine knows no likelihoods (``autoregressive``, ``bayesnet`` and ``boosted`` do).
        InputError : a column is not there.

        >>> model.log_prob(people)                                                  # doctest: +SKIP
        """
        if not isinstance(self.model, Likelihood):
            raise SettingError("knows no likelihoods", where=f"engine {self.engine}",
                               hint="autoregressive, bayesnet and boosted do")
        run, found, table = Run(seed).child("log_prob"), [], filled(data)
        lacking = [name for name in self.table.names if name not in table.schema.names]
        if lacking:
            raise InputError(f"the table lacks {', '.join(map(repr, lacking[:5]))}", where="log_prob")
        for i, batch in enumerate(table.batches()):
            here = batch.select(self.table.names)
            rows = self.encoder.encode(self.book.reduce(here), run.child(i).child("encode"))
            likely = self.model.log_prob(rows, run.child(i))
            found.append(np.where(self.book.broken(here), -np.inf, likely) if self.book else likely)
        return np.concatenate(found)

    def impute(self, data: Any, *, draws: int = 1, seed: int = 0,
               listener: Callable[[Progress], object] | None = None) -> Any:
        """The rows of ``data`` with their missing cells filled in, as the kind of frame that it is.

        Each draw is one from what the model knows of all that a row lacks, given the cells that it has; those stay as
        they are. Of several ``draws`` all rows come once each, with a first column ``draw`` (1, 2, …): estimate on
        each and pool (Rubin's rules).

        Raises
        ------
        SettingError : the engine cannot fill in cells (``autoregressive``, ``trees`` and ``copula`` can).
        InputError : a column is not there.

        >>> model.impute("holes.csv", draws=5)                                       # doctest: +SKIP
        """
        dataset = filled(data)
        run = Run(seed, listener=listener)
        return dataset.restore(pa.Table.from_batches(list(self.filled_batches(dataset, draws, run))))

    def filled_batches(self, dataset: Dataset, draws: int, run: Run, *, typed: bool = False
                       ) -> Iterator[pa.RecordBatch]:
        """``impute`` in batches, draw after draw; ``typed`` gives plain numbers of a text file as numbers."""
        if not isinstance(draws, int) or isinstance(draws, bool) or draws < 1:
            raise SettingError("must be a whole number from 1 on", where="draws")
        imputation.able(self.model, self.engine)
        run, done, left = run.fresh().child("impute"), 0, 0
        whole = draws * (dataset.rows or 1)
        for draw in range(1, draws + 1):
            for i, batch in enumerate(dataset.batches()):
                here = run.child(draw).child(i)
                made = imputation.filled_in(self.encoder, self.model, self.engine, batch, here, self.rules)
                left += sum(int(lack.sum()) for lack in imputation.gaps(self.encoder, made, self.rules).values())
                made = imputation.typed(made, self.table, natural(self.table)) if typed else made
                done += made.num_rows
                run.tell(done, max(whole, done), "filling in")
                yield imputation.numbered(made, draw) if draws > 1 else made
        if left:
            run.remark(f"{left:,} cells stay missing: in rows like theirs the column hardly ever has a value, or what "
                       "was drawn would break a rule")

    def words(self) -> list[str]:
        """What this holds, a line each, for ``fabrica inspect``."""
        facts = self.facts
        rows, version = facts.get("rows", "?"), facts.get("fabrica", "?")
        about = "about " if self.ledger is not None else ""
        lines = [f"declared in a specification, read by fabrica {version}" if facts.get("declared") else
                 f"engine {self.engine}, learned from {about}{rows} rows by fabrica {version}"]
        lines += self.ledger.head() if self.ledger is not None else []
        lines += [f"{columns}: {codec}: {words}" for columns, codec, words in self.encoder.words()]
        lines += self.book.words()
        return lines + list(self.model.words()) + list(facts.get("chosen", ()))

    def save(self, path: str | Path) -> Path:
        """Write the model file (``.fab``): JSON and arrays, no code."""
        with atomic(Path(path)) as part:
            modelfile.write(part, self.state())
        return Path(path)

    def state(self) -> State:
        plain = {"table": self.table.to_json(), "engine": self.engine, "facts": self.facts}
        rules = {"rules": self.book.state()} if self.book else {}
        return State.nest({"encoder": self.encoder.state(), "model": self.model.state(), **rules}, plain)

    def __repr__(self) -> str:
        return f"<TableModel of {self.table.name!r}: {len(self.table.columns)} columns, engine {self.engine}>"

    @classmethod
    def load(cls, path: str | Path) -> TableModel:
        """Read a model file; a damaged, hostile or future one is one clear ``ModelFileError``."""
        return cls.from_state(modelfile.read(path), where=str(path))

    @classmethod
    def from_state(cls, state: State, where: str = "model") -> TableModel:
        try:
            table = Table.from_json(state.plain["table"], where)
            engine = str(state.plain["engine"])
            book = Rulebook.from_state(table, state.part("rules") if "rules" in state.plain["parts"] else None)
            encoder = Encoder.from_state(book.inner, state.part("encoder"))
            model = model_class(engine).from_state(state.part("model"))
            learned = cls(table, encoder, engine, model, _facts(state), rules=book or None)
            learned._rehearse()
            return learned
        except FabricaError as error:
            raise ModelFileError(error.what, where=where, hint=error.hint) from None
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError, pa.ArrowException):
            raise ModelFileError("the model lacks something or holds it in the wrong form", where=where,
                                 hint="it was damaged, or written by another version of fabrica") from None

    def _rehearse(self) -> None:
        """What was read works as a whole: engine and encoder have the same alphabets, and a few rows can be written."""
        run, rows = Run(0, workers=1).child("rehearsal"), range(REHEARSED)
        block = self.model.sample(REHEARSED, None, run.child("engine"))
        ours, theirs = (Block(tuple(c.empty() for c in b), 0).state() for b in (self.encoder.blank(), block))
        sound.demand(ours.plain == theirs.plain, "an engine that does not fit the columns")
        for text in (False, True) if self.facts.get("textual") else (False,):
            cells = lawful.drawn(self.encoder, self.book, self.model, rows, run.child("cells").child(int(text)))
            batch = encoding.write(self.written(text), cells)
            pa.Table.from_batches([batch]).cast(self.arrow_schema(text))
        sound.demand(bool(self.words()), "nothing that can be said")

    def _repr_html_(self) -> str:
        from html import escape

        lines = "".join(f"<li>{escape(line)}</li>" for line in self.words())
        return f"<div class='fabrica-model'><b>fabrica model of {escape(self.table.name)}</b><ul>{lines}</ul></div>"


def _facts(state: State) -> dict[str, Any]:
    """The facts beside what was learned: the notes among them are texts."""
    facts = dict(sound.plain(state, "facts", dict))
    for lines in ("notes", "chosen"):
        sound.texts(State({lines: facts.get(lines, [])}), lines)
    return facts


def _done(waiting: deque[tuple[int, Future[T]]], rows: int, run: Run) -> T:
    """The oldest chunk, once it is there."""
    stop, future = waiting.popleft()
    made = future.result()
    run.tell(stop, rows, "sampling")
    return made


def model_class(engine: str) -> type[Model]:
    """The class of what an engine learns: the only ``Model`` in its module."""
    import importlib
    import inspect

    module = importlib.import_module(catalog.get("engines", engine).__module__)
    found = [c for _, c in inspect.getmembers(module, inspect.isclass)
             if issubclass(c, Model) and not inspect.isabstract(c)]
    if len(found) != 1:
        raise TypeError(f"{module.__name__} must define exactly one Model, found {len(found)}")
    return found[0]


def encoded(dataset: Dataset, table: Table, run: Run, *, unit: str | None = None, people: int = 0,
            **codec_settings: Any) -> tuple[Encoder, Block, Rulebook]:
    """The encoder of a table, of which all parts are surveyed, (a uniform sample of) its rows as codes, and how the
    table's rules are kept."""
    k = int(codec_settings.get("k", K))
    book = learned_rules(table, dataset.batches(), k, run.child("rules"))
    encoder = encoding.learn(table, dataset.batches(), run.child("codecs"), rows=dataset.rows, book=book,
                             unit=unit, people=people, **codec_settings)
    rows = dataset.sample(ENGINE_ROWS, run.child("rows"))
    run.tell(0, 1, "encoding")
    return encoder, encoder.encode(book.reduce(rows), run.child("encode")), book


def _drawn_again(learned: Generator, places: np.ndarray, run: Run) -> tuple[CellsOf, np.ndarray]:
    """A row without keys for each of the places, none of which breaks a rule."""
    return learned.rows(len(places), run.child("rows")).cells, np.zeros(len(places), bool)


def learn(
    dataset: Dataset, table: Table, engine: Engine, run: Run, *, name: str | None = None, unit: str | None = None,
    people: int = 0, **codec_settings: Any
) -> TableModel:
    """Survey all parts of a table, encode (a uniform sample of) its rows, fit the engine.

    Parameters
    ----------
    dataset : the real rows.
    table : their schema.
    engine : the way to learn; its name is its file's unless ``name`` says otherwise.
    unit : the column that says whose rows they are, of whom ``people`` must hold a level for it to be told.
    codec_settings : such as ``k``, for every codec that has them.
    """
    encoder, block, book = encoded(dataset, table, run, unit=unit, people=people, **codec_settings)
    name = name or type(engine).__module__.rsplit(".", 1)[-1]
    chosen: tuple[str, ...] = ()
    if isinstance(engine, Chooser):
        choice = engine.choose(block, run.child("choose"))
        name, engine, chosen, run = choice.name, choice.engine, choice.lines, run.within(choice.seconds)
    model = engine.fit(block, None, run.child("engine"))
    keep = engine.settings().get("keep")
    if keep and getattr(engine, "keep", 1) < keep[2] and len(block) < ENOUGH:
        chosen = (*chosen, f"keep was not used: it needs {ENOUGH:,} rows to learn from")
    if run.was_cut:
        chosen = (*chosen, f"learning was ended early by {run.cut_by}: with more time the twin may be better, and it "
                           "need not come out the same again")
    facts = {
        "fabrica": VERSION, "rows": len(block) if dataset.rows is None else dataset.rows,
        "engine_rows": len(block), "seed": run.seed, "textual": dataset.textual,
        **({"chosen": list(chosen)} if chosen else {}),
    }
    return TableModel(table, encoder, name, model, facts, dataset.emptied(encoder.levels), book or None)

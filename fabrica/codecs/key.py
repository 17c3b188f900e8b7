"""Keys: identifiers made afresh, unique over any number of rows and never learned from the real ones.

What is known of a key is its look, the column's notation. A row's key follows from its number and the seed alone, so
chunks and workers never meet: the number is written in the mixed radix of the template's slots and each group of slots
is stirred by an affine permutation (the linear congruential step of Lehmer, 1951) that the seed and the lower groups
shift, which is a permutation again. When a template is used up, it grows by one digit and goes on. Another seed gives
other keys, but a sequence always counts from its start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import absence, measured, sound
from fabrica.block import Coded, Told, code_type
from fabrica.contract import Allowance, Cells, Codec, Coder, Known, Setting, Summary
from fabrica.errors import OutputError, SchemaError
from fabrica.personal import fakes
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.state import State
from fabrica.template import MOST, ROOM, SLOTS, Template, strings, templates

__all__ = ["Key", "Template"]

CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
EMAIL = "@example.com"  #: a domain that is reserved and belongs to nobody (RFC 2606)


# ---------------------------------------------------------------- the kinds of keys


def sequence(look: dict[str, Any], rows: np.ndarray) -> pa.Array:
    """``start + row * step``, padded with zeros to ``width``, between ``prefix`` and ``suffix``."""
    last = abs(look.get("start", 1) + int(rows.max(initial=0)) * look.get("step", 1))
    if last > look.get("most", 2**63 - 1):
        raise OverflowError
    text = pa.array(look.get("start", 1) + rows * look.get("step", 1)).cast(pa.string())
    if look.get("width"):
        text = pc.utf8_lpad(text, look["width"], "0")
    if look.get("prefix") or look.get("suffix"):
        text = pc.binary_join_element_wise(look.get("prefix", ""), text, look.get("suffix", ""), "")
    return text


def uuids(rows: np.ndarray, run: Run) -> pa.Array:
    """Version-4 UUIDs (RFC 9562): 122 random bits each."""
    raw = run.child("uuid").random().integers(0, 256, (len(rows), 16), np.uint8)
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    digits = np.empty((len(rows), 32), np.uint8)
    digits[:, 0::2], digits[:, 1::2] = raw >> 4, raw & 15
    text = np.full((len(rows), 36), ord("-"), np.uint8)
    text[:, [i for i in range(36) if i not in (8, 13, 18, 23)]] = np.frombuffer(SLOTS["x"].encode(), np.uint8)[digits]
    return strings(text)


def _email() -> Template:
    """Names that can be spoken, with a number: more than 10^12 of them."""
    return Template((*(CONSONANTS, VOWELS) * 3, ".", *(CONSONANTS, VOWELS) * 3, *EMAIL))


def _look(column: Column) -> dict[str, Any]:
    """The notation of a key in full; without one, a number for whole numbers, else eight hexadecimal digits."""
    most = MOST.get(column.storage)
    look = column.notation
    if look is None:
        look = {"kind": "sequence", "start": 1, "step": 1} if most else {"template": "xxxxxxxx"}
    if isinstance(look, str):
        look = {"template": look}
    if not _known(look):
        raise SchemaError("the notation of a key is a template such as 'INV-#####', or "
                          "{kind: sequence, uuid, email, fake or reference}", where=f"column {column.name!r}")
    if look.get("kind") == "fake":
        return dict(look)
    if look.get("number") and not most:
        most = MOST["int64"]  # whole numbers written as text do not begin with a zero
    if look.get("kind") == "reference":
        look = {**look, "look": _look(replace(column, notation=look.get("look")))}
    return {**look, **({"most": most} if most else {})}


def _known(look: Any) -> bool:
    """Whether a notation makes sense: nothing else is taken from a schema or a model file."""
    if not isinstance(look, dict) or look.get("kind") == "fake":
        return fakes.known(look)
    whole = all(type(look.get(n, 0)) is int and abs(look.get(n, 0)) < 2**53 for n in ("start", "step", "width"))
    whole = whole and look.get("most") in (None, *MOST.values())
    said = all(isinstance(look.get(n, ""), str) for n in ("prefix", "suffix"))
    if not (whole and said and look.get("step", 1) != 0 and 0 <= look.get("width", 0) <= 1000):
        return False
    if look.get("kind") == "reference":
        inner = look.get("look") or {"kind": "sequence"}
        counts = (look.get("distinct"), look.get("every", 1), look.get("people", 1))
        sizes = all(type(n) is int and 0 < n < 2**53 for n in counts) and isinstance(look.get("role", ""), str)
        plain = isinstance(inner, dict) and inner.get("kind") not in ("reference", "uuid")
        return sizes and isinstance(look.get("to"), str | None) and plain and _known(inner)
    template = look.get("template")
    return (isinstance(template, str) and len(template) <= 1000) if "template" in look else (
        look.get("kind") in ("sequence", "uuid", "email"))


# ---------------------------------------------------------------- the codec


@dataclass(frozen=True)
class Seen(Summary):
    """How often each missing marker occurs: all that is looked at."""

    absent: np.ndarray

    def merge(self, other: Summary) -> Seen:
        assert isinstance(other, Seen)
        return Seen(self.absent + other.absent)


@dataclass(frozen=True)
class Key(Codec):
    """Settings of the key codec."""

    title = "identifiers: made afresh with the look of the real ones, unique over any number of rows"
    kinds = ("key",)
    weight = 0.1

    k: Annotated[int, Setting("rows in which a key must be missing for it to be told", low=1, high=10_000)] = 5

    def survey(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], run: Run) -> Seen:
        return Seen(absence.counted(cells[0]))

    def learn(self, columns: tuple[Column, ...], summary: Summary, run: Run) -> KeyCoder:
        assert isinstance(summary, Seen)
        held = absence.protected(summary.absent, self.k)
        look = _look(columns[0])
        if look.get("to") is not None:
            look["every"] = max(1, round(float(summary.absent.sum()) / look["distinct"]))
        return KeyCoder(columns[0].name, look, absence.numbered(held),
                        float(held[1:].sum() / max(1, held.sum())))

    def measured(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], allowance: Allowance, run: Run) -> Known:
        column, look = columns[0], _look(columns[0])
        there = measured.presence(absence.kinds(cells[0]), 1 + len(column.missing), allowance.rho, run, column.name)
        if look.get("to") is not None:
            look["every"] = max(1, round(allowance.rows / look["distinct"]))
        coder = KeyCoder(column.name, look, there.markers, float(there.share[1:].sum()))
        counts = np.append(there.counts[list(there.markers)], there.counts[0])
        return Known(coder, (Told(counts, np.full(len(counts), there.variance)),) if there.markers else ())


@dataclass(frozen=True)
class KeyCoder(Coder):
    """No coded column, or one that says where a key is missing."""

    name: str
    look: dict[str, Any]
    markers: tuple[int, ...]
    missing: float

    def encode(self, cells: tuple[Cells, ...], run: Run) -> tuple[Coded, ...]:
        if not self.markers:
            return ()
        kind, absent = absence.kinds(cells[0]), len(self.markers)
        codes = np.where(kind > 0, absence.coded(kind, self.markers), absent)
        return (Coded(self.name, absent + 1, codes.astype(code_type(absent + 1)), False, absent),)

    def decode(self, coded: tuple[Coded, ...], rows: range, run: Run) -> tuple[Cells, ...]:
        text = self._keys(np.arange(rows.start, rows.stop, dtype=np.int64), run)
        kind = absence.told(coded[0].codes, self.markers) if coded else None
        if kind is not None:
            text = pc.if_else(pa.array(kind == 0), text, pa.scalar(None, pa.string()))
        return (Cells(text, kind),)

    def _refer(self, rows: np.ndarray, run: Run) -> pa.Array:
        """Draws from the fresh identifiers of the rows made so far, one in ``every``; or from ``distinct`` others."""
        if self.look.get("people"):  # the number of the person whose name and address the row has
            which, back = np.unique(fakes.whose(self.look, rows, run.seed), return_inverse=True)
            return replace(self, look=self.look["look"])._keys(which, run).take(pa.array(back))
        every = self.look.get("every")
        among = (int(rows[-1]) // every + 1 if every else self.look["distinct"]) if len(rows) else 1
        drawn = run.child("reference").random().integers(0, among, len(rows)) * (every or 1)
        which, back = np.unique(drawn, return_inverse=True)
        name = self.look.get("to") or self.name  # the same rows have the same keys there
        return replace(self, name=name, look=self.look["look"])._keys(which, run).take(pa.array(back))

    def _keys(self, rows: np.ndarray, run: Run) -> pa.Array:
        if self.look.get("kind") == "fake":
            return fakes.write(self.look, rows, run.seed)
        if self.look.get("kind") == "reference":
            return self._refer(rows, run)
        most, shift = self.look.get("most"), Run(run.seed).child("key").child(self.name).key() % ROOM
        try:
            if "template" in self.look:
                return templates(Template.of(self.look["template"], most=most), rows, shift, most)
            if self.look["kind"] == "sequence":
                return sequence(self.look, rows)
        except OverflowError:
            raise OutputError("the type of this key is too narrow for so many different keys",
                              where=f"column {self.name!r}", hint="sample fewer rows, or store it as int64") from None
        return uuids(rows, run) if self.look["kind"] == "uuid" else templates(_email(), rows, shift)

    def words(self) -> str:
        look = self.look.get("template") or self.look.get("what") or self.look["kind"]
        return f"made afresh: {look}" + (f", missing in {100 * self.missing:.1f} %" if self.markers else "")

    def state(self) -> State:
        return State({"name": self.name, "look": dict(self.look), "markers": list(self.markers),
                      "missing": self.missing})

    @classmethod
    def from_state(cls, state: State) -> KeyCoder:
        look = sound.plain(state, "look", dict)
        inner = look.get("look") if look.get("kind") == "reference" else look
        sound.demand(_known(look) and _known(inner), "a look of keys that makes no sense")
        return cls(sound.plain(state, "name", str), look, absence.stored(state), sound.share(state, "missing"))

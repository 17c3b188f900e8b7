"""A trial of an engine: learn one half of the rows, and see how near the twin comes to the other half and to its own.

Two questions, always asked together. Can boosted trees tell the twin from the half that nobody learned from (the
classifier two-sample test; Lopez-Paz and Oquab, ICLR 2017)? And can the twin tell who was learned from: are members
nearer to it than others are, each measured by how near real rows come that were not learned from (the distance attack
with a reference; Chen et al., "GAN-Leaks", CCS 2020)? On half of the rows an engine with room for everybody gives
itself away sooner than on all.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from fabrica.block import Block
from fabrica.boosting import Detection, detect
from fabrica.contract import Engine, Likelihood, Sheet
from fabrica.errors import NotComputable
from fabrica.neighbours import nearest_few
from fabrica.run import Run
from fabrica.statistics import auc
from fabrica.version import VERSION

__all__ = ["JUDGING", "Cap", "Court", "Trial", "fingerprint", "halves", "sheet", "tried"]

MOST = 40_000  #: rows of a trial, both halves together
ASKED = 8_000  #: members, and as many others, that are attacked; real rows, half as many, tell how near strangers come
SCORED = 4_000  #: rows whose likelihood is looked at
CELLS = 2_500_000_000  #: cells of a wide table that are compared with one another; then fewer people are asked about
WIDER = 1.12  #: times the error of the attack where scores hang together, by simulation (``tests/test_trial.py``)
FAR = 0.95  #: who lies farther from the reference than this share of people stands out
MAYBE = ("outliers", "outliers_error", "likelihood")  #: what a trial may not know
DONORS = 4_000  #: people among whom the nearest is looked for who stands in for a protected one
JUDGING = 3.0  #: seconds that judging a twin takes, about
LEAST = 200  #: rows from which a trial says anything
SURE = 1.645  #: standard errors above which a figure lies by luck once in twenty times


@dataclass(frozen=True)
class Trial:
    """How an engine did.

    Parameters
    ----------
    name : of the engine.
    c2st, c2st_error : against rows that nobody learned from, and its standard error; 1 = cannot be told apart.
    attack, attack_error : AUC of the attack on all, and its standard error; 0.5 = no better than chance.
    outliers, outliers_error : the same on those who stand out; None where nobody does.
    likelihood : mean log-probability of rows that nobody learned from, in nats; None where the model knows none.
    seconds : that learning one half and drawing a twin took.
    cut : whether its budget, or somebody by hand, ended learning early; with more time it may do better.
    """

    name: str
    c2st: float
    c2st_error: float
    attack: float
    attack_error: float
    outliers: float | None
    outliers_error: float | None
    likelihood: float | None
    seconds: float
    cut: bool = False

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, plain: Mapping[str, object]) -> Trial:
        """Read and check; anything but finite numbers, where there must be one, is a ``ValueError``."""
        values = dict(plain)
        name, cut = str(values.pop("name")), values.pop("cut")
        found = {key: None if value is None else float(value) for key, value in values.items()}  # type: ignore[arg-type]
        if not all(key in MAYBE if value is None else np.isfinite(value) for key, value in found.items()):
            raise ValueError(name)
        if not isinstance(cut, bool):
            raise ValueError(name)
        return cls(name, **found, cut=cut)  # type: ignore[arg-type]

    def short(self) -> str:
        """What a person should know of a trial that was cut."""
        return " and cut short" if self.cut else ""

    def words(self) -> str:
        nats = "" if self.likelihood is None else f", {self.likelihood:.2f} nats a row"
        apart = "" if self.outliers is None else (
            f" ({self.outliers:.3f} ± {self.outliers_error:.3f} on those who stand out)")
        return (f"{self.name}: C2ST {self.c2st:.3f} ± {self.c2st_error:.3f} against unseen rows, attack "
                f"{self.attack:.3f} ± {self.attack_error:.3f}{apart}{nats}, {self.seconds:.1f} s on one half"
                + self.short())


@dataclass(frozen=True)
class Cap:
    """AUC that the attack may not surely exceed, on all and on those who stand out: with all but one chance in twenty
    each."""

    attack: float = 0.515
    outliers: float = 0.54

    def exceeded(self, trial: Trial) -> bool:
        apart = None if trial.outliers is None or trial.outliers_error is None else (
            trial.outliers - SURE * trial.outliers_error)
        return trial.attack - SURE * trial.attack_error > self.attack or (apart is not None and apart > self.outliers)


def fingerprint(rows: Block, run: Run, *said: object) -> str:
    """What remembered trials must be of: the same rows, seed and settings."""
    mark = hashlib.sha256(repr((VERSION, run.key(), MOST, ASKED, FAR, *said)).encode())
    for column in rows:
        mark.update(column.codes.tobytes())
    return mark.hexdigest()


def halves(rows: Block, run: Run) -> tuple[Block, Block]:
    """Two random halves of at most ``MOST`` rows."""
    order = run.random().permutation(len(rows))[:MOST]
    middle = len(order) // 2
    return rows.take(order[:middle]), rows.take(order[middle : 2 * middle])


@dataclass(frozen=True)
class Court:
    """Before whom all rivals stand: the same members, the same people who are asked about, the same references.

    Parameters
    ----------
    members, others : who is learned, and who is not.
    asked : members, then as many of the others.
    near : (n,) how near a reference of real rows, of which nobody was learned from, comes to each who is asked about.
    shared : whether people who are asked about are references of others too, whose scores then hang together.
    seen : the others as the detector sees them.
    """

    members: Block
    others: Block
    asked: Block
    near: np.ndarray
    seen: Sheet
    shared: bool

    @classmethod
    def of(cls, members: Block, others: Block, run: Run) -> Court:
        """The others are cut in two: each part is the reference of the other part's people, and of half of the members,
        so nobody is in the own reference.

        Raises
        ------
        NotComputable : fewer than ``LEAST`` rows of either.
        """
        if min(len(members), len(others)) < LEAST:
            raise NotComputable(f"a trial needs at least {LEAST} members and as many others")
        most = max(LEAST // 2, min(ASKED, CELLS // max(1, len(members.columns) * len(members)))) // 2
        order, half = run.child("order").random().permutation(len(others)), len(others) // 2
        parts = [others.take(order[:half]), others.take(order[half : 2 * half])]
        count = min(most, half, len(members) // 2)
        asked = [members.take(slice(0, count)), members.take(slice(count, 2 * count)),
                 *(part.take(slice(0, count)) for part in parts)]
        known = [part.take(slice(max(0, half - ASKED // 2), half)) for part in parts]
        references = [known[0], known[1], known[1], known[0]]
        near = [nearest(people, reference)[0] for people, reference in zip(asked, references, strict=True)]
        return cls(members, others, Block.concat(asked), np.concatenate(near), sheet(others, run.child("others")),
                   count + len(known[0]) > half)

    def attack(self, twin: Block) -> tuple[tuple[float, float], tuple[float, float] | None]:
        """(AUC, standard error) of telling members from others by how much nearer the twin comes than the reference
        does; and the same on those who stand out, None where nobody does."""
        score = self.near - nearest(self.asked, twin)[0]
        truth = (np.arange(len(score)) < len(score) // 2).astype(np.int64)
        apart = self.near > np.quantile(self.near, FAR)
        some = 0 < truth[apart].sum() < apart.sum()
        return self._area(truth, score), self._area(truth[apart], score[apart]) if some else None

    def _area(self, truth: np.ndarray, score: np.ndarray) -> tuple[float, float]:
        area, variance = auc(truth, score)
        return area, float(np.sqrt(variance)) * (WIDER if self.shared else 1.0)


def tried(name: str, engine: Engine, court: Court, run: Run) -> Trial:
    """Learn the members, draw as many rows, and ask both questions."""
    began = time.monotonic()
    model = engine.fit(court.members, None, run.child("fit"))
    twin = model.sample(len(court.members), None, run.child("sample"))
    seconds = time.monotonic() - began
    found = detect(court.seen, sheet(twin, run.child("twin")), run.child("detect"))
    everybody, outliers = court.attack(twin)
    likelihood = None
    if isinstance(model, Likelihood):
        likelihood = float(model.log_prob(court.others.take(slice(0, SCORED)), run.child("likelihood")).mean())
    apart, apart_error = outliers or (None, None)
    return Trial(name, Detection.closeness(found.auc), 2 * found.error, *everybody, apart, apart_error, likelihood,
                 round(seconds, 2), run.was_cut)


def sheet(rows: Block, run: Run) -> Sheet:
    """Codes as a judge sees them: those that stand in an order as numbers, the others as levels. A protected level is
    replaced by that of the nearest person who has a common one: a twin shows a common level in its place, and a judge
    who saw the protected one would punish all engines for what they must do."""
    values: dict[str, np.ndarray] = {}
    levels: dict[str, list[str]] = {}
    for j, column in enumerate(rows):
        codes = _shown(rows, j, run.child(j)).astype(np.int64)
        name = f"{j}"
        if column.ordered:
            values[name] = np.where(codes < column.absent, np.nan, codes)
        else:
            values[name] = codes.astype(np.int32)
            levels[name] = [str(code) for code in range(column.size)]
    return Sheet(len(rows), values, levels)


def _shown(rows: Block, j: int, run: Run) -> np.ndarray:
    """(n,) the codes of column j with the rest replaced by the code of the nearest other row that has a value (hot
    deck; Andridge and Little, Int. Stat. Rev. 78, 2010)."""
    column = rows.columns[j]
    hidden = column.codes == column.rest if column.rest is not None else np.zeros(len(column), bool)
    if not hidden.any() or hidden.all():
        return column.codes
    valued = np.flatnonzero(~hidden & (column.codes >= column.absent))
    donors = run.random().permutation(valued if len(valued) else np.flatnonzero(~hidden))[:DONORS]
    others = Block(tuple(c for i, c in enumerate(rows) if i != j), len(rows))
    codes = column.codes.copy()
    codes[hidden] = column.codes[donors[nearest(others.take(np.flatnonzero(hidden)), others.take(donors))[1]]]
    return codes


def nearest(asked: Block, rows: Block) -> tuple[np.ndarray, np.ndarray]:
    """(n,) distance of each row that is asked about to the nearest of ``rows``, and (n,) which it is.

    Places in the marginal apart, and 1 for each level that differs and for a value where the other has none.
    """
    numbers, levels = _places(asked)
    other_numbers, other_levels = _places(rows)
    distance, which = nearest_few(numbers, levels, other_numbers, other_levels, 1)
    return distance[:, 0], which[:, 0]


def _places(rows: Block) -> tuple[np.ndarray, np.ndarray]:
    """(n, A) places in the marginal, and (n, B) whatever must be equal: levels, and which kind of missing."""
    numbers, levels = [], []
    for column in rows:
        if column.grid is None:
            levels.append(column.codes.astype(np.int32))
            continue
        numbers.append(np.nan_to_num(column.grid, nan=0.0)[column.codes].astype(np.float32))
        if column.absent:
            levels.append(np.minimum(column.codes, column.absent).astype(np.int32))
    shape = (len(rows), 0)
    return (np.stack(numbers, 1) if numbers else np.zeros(shape, np.float32),
            np.stack(levels, 1) if levels else np.zeros(shape, np.int32))

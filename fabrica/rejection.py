"""Rejection sampling with a learned discriminator: of the rows that a model makes, those are kept that could be real.

Boosted trees learn to tell real rows from made ones. Their log-odds are the log of the ratio of the two densities
(Sugiyama, Suzuki, Kanamori, "Density ratio estimation in machine learning", 2012), and rows kept with a probability
in proportion to it are distributed like the real ones (von Neumann 1951; Azadi et al., "Discriminator rejection
sampling", ICLR 2019). Where the ratio is above a bound a row is surely kept, which is less often than it should be:
the bound is put where the wished share of the rows is kept. A lift for each token sets the margins right (raking;
Deming and Stephan 1940).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from fabrica import sound
from fabrica.boosters.boost import Boosting, boost
from fabrica.boosters.forest import Forest
from fabrica.boosters.grow import PLACES, Guard
from fabrica.contract import Setting
from fabrica.errors import ModelFileError
from fabrica.neighbours import nearest_few
from fabrica.run import Run
from fabrica.state import State
from fabrica.tokens import Token, Tokens
from fabrica.uniforms import even_in_order

__all__ = ["ENOUGH", "PAYS", "Keep", "Make", "People", "Rejection"]

Keep = Annotated[float, Setting(
    "share of the made rows that is kept at least, the most lifelike; 1: all, faster, less sharp", low=0.01, high=1,
    search=(0.15, 1))]

People = Annotated[int, Setting("people that a leaf of the trees of `keep` stands for at least", low=1, high=10_000)]

Make = Callable[[int, Run], np.ndarray]  #: makes (n, C) token rows

HOW = Boosting(rounds=500, rate=0.1, patience=20, guard=Guard(leaves=31, least=100, hessian=1.0, ridge=10.0))
REAL, TIMES = 50_000, 3  #: real rows that are looked at, at most; made rows for each of them
LOOK = 15_000  #: real rows, and twice as many made, by which it is seen whether that may pay, at most
JUDGED, LOOKED = 10, 5  #: one row of so many is kept aside to stop by; at the first look, to know what trees gain
ENOUGH = 1000  #: real rows from which there is a discriminator
PAYS = 0.0005  #: nats a row that a discriminator must gain on rows kept aside, where a model is sharp by itself
SURE = 1.645  #: standard errors above which a gain is luck once in twenty times
FRESH = 1 << 16  #: made rows that the margins are set right by, at most
RAKED, AGAIN = 5, 2  #: rounds of raking: while learning; once more on a large sample, so that its luck does not show
MANY, EACH = 2048, 8  #: rows to be kept that make a sample large: at least, and for each token
SURELY = 2.0  #: standard errors of its share that a token's lift must exceed while learning
STEP = 1.0  #: nats that a lift moves in a round, at most
RARE = 1e-5  #: share that is added to each token's, so that no lift is endless
LEAST = 0.01  #: share of the rows that is kept, at least
TRIAL = 2048  #: rows by which it is seen how long making takes, where there is a budget
TIME = 0.2  #: of what is left of a budget, for making rows to learn from
DONORS = 4_000  #: made rows among which the nearest to one with a protected level is looked for
CELLS = 1 << 24  #: of rows that are made at a time
FUTILE = 20  #: times as many rows as should be needed are made, until it is said that hardly any are kept


@dataclass(frozen=True)
class Rejection:
    """Which made rows are kept.

    Parameters
    ----------
    forest : its score is the log of the ratio of real to made.
    lifts : (S,) float32, added to the score for each token of a row.
    bound : score from which a row is surely kept.
    share : of the made rows that is kept, about.
    """

    forest: Forest
    lifts: np.ndarray
    bound: float
    share: float

    @classmethod
    def learned(cls, tokens: Tokens, real: np.ndarray, make: Make, share: float, run: Run, pays: float = 0.0,
                k: int = 5) -> Rejection | None:
        """From ``real`` token rows (n, C) and rows as ``make`` makes them.

        None where there are too few of either, where ``share`` says that all are to be kept, or where at a first look
        the trees surely gain less than ``pays`` nats a row on rows that were kept aside. Real rows that are fewer than
        ``k`` in a leaf do not count in what it is worth.
        """
        real = real[run.child("real").random().permutation(len(real))[:REAL]]
        if share >= 1 or len(real) < ENOUGH or not tokens.columns:
            return None
        run.tell(0, 3, "making rows to be told from real ones")
        count = _affordable(TIMES * len(real), make, run)
        if count < ENOUGH:
            return None
        some = min(2 * len(real[:LOOK]), count) if pays else 0
        made = make(some, run.child("look"))
        if pays:
            look = _discriminator(tokens, real[:LOOK], made, k, run.child("may"), LOOKED)
            if look.gain + SURE * look.error < pays:
                return None
        made = np.concatenate([made, make(count - some, run.child("made"))])
        run.tell(1, 3, "learning to tell them apart")
        forest = _discriminator(tokens, real, made, k, run.child("discriminator")).forest
        if pays and not len(forest):
            return None
        run.tell(2, 3, "setting the margins of what is kept right")
        fresh = make(min(count, FRESH), run.child("fresh"))
        score, lifts = _score(forest, tokens, fresh), np.zeros(sum(tokens.sizes))
        for _ in range(RAKED):
            lifts += _rake(tokens, fresh, score, _bound(score, share), SURELY)
        bound = _bound(score, share)
        return cls(forest, lifts.astype(np.float32), bound, max(float(_chance(score, bound).mean()), LEAST))

    def drawn(self, tokens: Tokens, size: int, make: Make, run: Run) -> np.ndarray:
        """(size, C) token rows that were made and kept."""
        made = [np.empty((0, len(tokens.columns)), np.int32)]

        def remembered(count: int, here: Run) -> np.ndarray:
            made[:] = [make(count, here)]
            return made[0]

        kept = [made[0][where] for where in self.turns(tokens, size, remembered, run)]
        return np.concatenate(kept or made)

    def turns(self, tokens: Tokens, size: int, make: Make, run: Run) -> Iterator[np.ndarray]:
        """Turn after turn, until there are ``size``: which of the rows that ``make`` has just made are kept."""
        most, lacking, turn = max(1024, CELLS // max(1, len(tokens.columns))), size, 0
        patience = FUTILE * (size / self.share + 1000)
        while lacking:
            here, count = run.child(turn), min(most, int(1.1 * lacking / self.share) + 64)
            patience -= count
            if patience < 0:
                raise ModelFileError("the model keeps hardly any of the rows that it makes",
                                     hint="it is damaged or was changed by hand; fit it again")
            made = make(count, here.child("make"))
            where = np.flatnonzero(self.keeps(tokens, made, here.child("keep").random()))[:lacking]
            lacking, turn = lacking - len(where), turn + 1
            yield where

    def keeps(self, tokens: Tokens, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(n,) bool: which of made token rows (n, C) are kept."""
        score = self._lifted(tokens, rows)
        if len(rows) * self.share >= max(MANY, EACH * sum(tokens.sizes)):
            for _ in range(AGAIN):
                _rake(tokens, rows, score, self.bound)
        return even_in_order(score, random) < _chance(score, self.bound)

    def log_kept(self, tokens: Tokens, rows: np.ndarray) -> np.ndarray:
        """(n,) by how many nats token rows are likelier among those that are kept than among all that are made; 0 for
        rows with a protected level, which are never made."""
        shown = np.ones(len(rows), bool)
        for j, token in enumerate(tokens.columns):
            shown &= token.share[rows[:, j]] > 0
        found = np.minimum(self._lifted(tokens, rows) - self.bound, 0.0) - np.log(self.share)
        return np.where(shown, found, 0.0)

    def _lifted(self, tokens: Tokens, rows: np.ndarray) -> np.ndarray:
        """(n,) the score of token rows with the lifts of their tokens."""
        score = _score(self.forest, tokens, rows)
        for j, (token, start) in enumerate(zip(tokens.columns, _starts(tokens), strict=True)):
            score += self.lifts[start : start + token.size][rows[:, j]]
        return score

    def words(self) -> str:
        return f"keeps one in {1 / self.share:.1f} rows that it makes, by {len(self.forest)} trees that know real ones"

    def state(self) -> State:
        return State.nest({"forest": self.forest.state(), "rest": State({}, {"lifts": self.lifts})},
                          {"bound": self.bound, "share": self.share})

    @classmethod
    def from_state(cls, state: State, tokens: Tokens) -> Rejection:
        forest = Forest.from_state(state.part("forest"), len(tokens.columns))
        lifts = sound.array(state.part("rest"), "lifts", size=sum(tokens.sizes), low=-1e3, high=1e3, kind=np.float32)
        bound = float(sound.plain(state, "bound", (int, float)))
        sound.demand(abs(bound) < 1e6, "a bound that is out of range")
        share = sound.share(state, "share")
        sound.demand(share >= LEAST, "a share of kept rows that is too small")
        return cls(forest, lifts, bound, share)


def _affordable(count: int, make: Make, run: Run) -> int:
    """How many of ``count`` rows can be made in the time that is left for it."""
    if np.isinf(run.left()):
        return count
    began = time.monotonic()
    make(TRIAL, run.child("trial"))
    fits = TRIAL * TIME * run.left() / max(time.monotonic() - began, 1e-6)
    wanted = count + min(count, FRESH)
    if fits < wanted:
        run.cut()
    return int(count * min(1.0, fits / wanted))


@dataclass(frozen=True)
class _Discriminator:
    """Trees whose score is the log of the ratio of real to made rows, and what they gain on the rows by which
    they were stopped: nats a row, with its standard error."""

    forest: Forest
    gain: float
    error: float


def _discriminator(tokens: Tokens, real: np.ndarray, made: np.ndarray, k: int, run: Run, aside: int = JUDGED
                   ) -> _Discriminator:
    """Learned from token rows of either kind; one row of ``aside`` is kept aside."""
    real = _as_shown(tokens, real, made, run.child("shown"))
    placed = _places(tokens, np.concatenate([real, made]))
    truth = (np.arange(len(placed)) < len(real)).astype(np.float64)
    first = np.full(len(placed), np.log(len(real) / len(made)))
    order = run.child("order").random().permutation(len(placed)).astype(np.int32)
    judge, learn = (np.sort(part) for part in np.split(order, [len(order) // aside]))
    nominal = np.array([not token.ordered for token in tokens.columns])
    reserve = run.left() / 2 if np.isfinite(run.left()) else 0.0

    def late() -> bool:
        run.check()
        return run.left() < reserve

    forest = boost(placed, nominal, truth, first, learn, judge, HOW, late, people=truth > 0, k=k)
    if late():
        run.cut()
    score = first[judge]
    forest.add(placed, judge, score)
    gain = _loss(first[judge], truth[judge]) - _loss(score, truth[judge])
    return _Discriminator(forest, float(gain.mean()), float(gain.std() / len(gain) ** 0.5))


def _as_shown(tokens: Tokens, real: np.ndarray, made: np.ndarray, run: Run) -> np.ndarray:
    """Real rows (n, C) with each protected level replaced by what the nearest of the made rows shows in its place (hot
    deck; Andridge and Little, Int. Stat. Rev. 78, 2010): made rows never have one, and trees that saw the difference
    would throw away all who are like those who do."""
    hidden = [np.flatnonzero(token.share[real[:, j]] <= 0) for j, token in enumerate(tokens.columns)]
    if not any(len(rows) for rows in hidden):
        return real
    shown, middles = real.copy(), [_middle(token) for token in tokens.columns]
    order = run.random().permutation(len(made))
    for j, rows in enumerate(hidden):
        if not len(rows):
            continue
        valued = order[made[order, j] >= tokens.columns[j].absent]  # a protected level is a value, and shown as one
        donors = made[(valued if len(valued) else order)[:DONORS]]
        others = [c for c in range(real.shape[1]) if c != j]
        asked, given = (_seen(part[:, others], [middles[c] for c in others]) for part in (real[rows], donors))
        shown[rows, j] = donors[nearest_few(*asked, *given, 1)[1][:, 0], j]
    return shown


def _middle(token: Token) -> np.ndarray | None:
    """(K,) places of ordered tokens, missing ones at the low end; None where there is no order."""
    return np.nan_to_num(token.middle, nan=-1.0) if token.ordered else None


def _seen(rows: np.ndarray, middles: Sequence[np.ndarray | None]) -> tuple[np.ndarray, np.ndarray]:
    """(n, A) places in the marginal of ordered columns and (n, B) tokens of the others."""
    numbers = [m[r] for m, r in zip(middles, rows.T, strict=True) if m is not None]
    levels = [r for m, r in zip(middles, rows.T, strict=True) if m is None]
    return (np.stack(numbers, 1).astype(np.float32) if numbers else np.zeros((len(rows), 0), np.float32),
            np.stack(levels, 1).astype(np.int32) if levels else np.zeros((len(rows), 0), np.int32))


def _loss(score: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(n,) nats that each answer costs."""
    return np.logaddexp(0.0, score) - truth * score


def _score(forest: Forest, tokens: Tokens, rows: np.ndarray) -> np.ndarray:
    """(n,) what the trees say of token rows (n, C)."""
    score = np.zeros(len(rows))
    forest.add(_places(tokens, rows), np.arange(len(rows), dtype=np.int32), score)
    return score


def _places(tokens: Tokens, rows: np.ndarray) -> np.ndarray:
    """(n, C) uint8 what trees see of token rows."""
    out = np.empty(rows.shape, np.uint8)
    for j, token in enumerate(tokens.columns):
        out[:, j] = _table(token)[rows[:, j]]
    return out


def _table(token: Token) -> np.ndarray:
    """(K,) uint8: the place of each token. Where there are too many, neighbours share one, or the rarest levels do."""
    at = np.arange(token.size)
    if token.size <= PLACES:
        return at.astype(np.uint8)
    if not token.ordered:
        return np.minimum(np.argsort(np.argsort(-token.seen, kind="stable")), PLACES - 1).astype(np.uint8)
    apart = min(token.absent, PLACES // 2)
    spread = apart + (at - apart) * (PLACES - apart) // max(1, token.size - apart)
    return np.where(at < apart, at, spread).astype(np.uint8)


def _rake(tokens: Tokens, rows: np.ndarray, score: np.ndarray, bound: float, errors: float = 0.0) -> np.ndarray:
    """(S,) by how much each token's lift is to change so that the margins of what is kept of ``rows`` (n, C) come near
    the data's, less so many standard ``errors``; ``score`` (n,) changes with it."""
    steps = []
    for j, token in enumerate(tokens.columns):
        found = np.bincount(rows[:, j], _chance(score, bound), token.size)
        step = np.log((token.share + RARE) / (found / max(found.sum(), 1e-300) + RARE))
        luck = errors / np.sqrt(np.maximum(np.maximum(found, token.share * found.sum()), 1.0))
        steps.append(np.clip(np.sign(step) * np.maximum(np.abs(step) - luck, 0.0), -STEP, STEP))
        score += steps[-1][rows[:, j]]
    return np.concatenate(steps)


def _starts(tokens: Tokens) -> np.ndarray:
    """(C,) where the tokens of each column begin among all."""
    return np.cumsum([0, *tokens.sizes[:-1]])


def _chance(score: np.ndarray, bound: float) -> np.ndarray:
    """(n,) with which probability each row is kept."""
    return np.exp(np.minimum(score - bound, 0.0))


def _bound(score: np.ndarray, share: float) -> float:
    """The largest score at which ``share`` of the rows are kept if all with that or more surely are."""
    low, high = float(score.min()), float(score.max())
    for _ in range(50):
        middle = (low + high) / 2
        if _chance(score, middle).mean() >= share:
            low = middle
        else:
            high = middle
    return low

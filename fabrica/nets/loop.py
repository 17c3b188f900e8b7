"""The only training loop: schedules, averaging, judging, early stopping, checkpoints, guards, budget, device.

A ``Task`` says what is learned: the network, the players (one for a likelihood, two for a game), each one's loss on
a batch, and how the whole is judged. The loop does the rest, the same for every network.

* Batches are a fresh permutation for each epoch; chance inside a loss comes from a generator that depends on the
  seed and the step alone. So a run that resumes from a checkpoint goes on bit by bit as if it had never stopped.
* Weights are averaged along the way (Polyak and Juditsky 1992, as an exponential moving average); the average is
  what is judged and kept.
* The rate rises over a few steps and falls along a cosine (Loshchilov and Hutter, ICLR 2017), by steps or by the
  budget, whichever is further.
* Who watches may say that it is enough (``Run.enough``): one more look, and the best so far is kept.
* A step whose gradients are not finite is left out. Too many of them in a row: back to the best weights with half
  the rate.
* One thread: a sum of floats depends on how it is divided, and the same seed must learn the same network anywhere.
"""

from __future__ import annotations

import hashlib
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fabrica import modelfile
from fabrica.errors import FabricaError, ModelFileError, SettingError
from fabrica.nets.rows import seeded
from fabrica.run import Run
from fabrica.state import State

__all__ = ["Look", "Plan", "Player", "Task", "Trained", "device_of", "digest", "kept", "train"]

LOST = 10  #: steps in a row without finite gradients after which training goes back
LITTLE = 0.1  #: of the time since it was last told, what telling more than must be may take
FALLS = 3  #: times that training may go back before it is given up


@dataclass(frozen=True)
class Player:
    """Who learns: parameters with an optimiser of their own (AdamW; Loshchilov and Hutter, ICLR 2019)."""

    name: str
    parameters: Sequence[torch.nn.Parameter]
    rate: float
    betas: tuple[float, float] = (0.9, 0.99)
    decay: float = 0.0


class Task(ABC):
    """What is learned."""

    net: torch.nn.Module  #: everything that is learned, in one module on one device
    measure: str = "held out"  #: what ``judge`` measures, in a word or two

    @abstractmethod
    def players(self) -> Sequence[Player]:
        """Who learns, in the order in which they move at each step."""

    @abstractmethod
    def loss(self, player: str, batch: torch.Tensor, progress: float, chance: torch.Generator) -> torch.Tensor:
        """One number to be made small by ``player`` on a batch of rows; ``progress`` in [0, 1] of the whole training;
        all chance comes from ``chance``."""

    def averaged(self) -> Sequence[torch.nn.Parameter]:
        """What is averaged along the way and kept."""
        return list(self.net.parameters())

    def judge(self) -> float | None:
        """How good the averaged network is on rows that nobody learned from; lower is better. None: not judged, and
        then the last average is kept."""
        return None

    def more(self, run: Run) -> Mapping[str, float]:
        """What else a person who watches wants to know of the averaged network: name -> value."""
        return {}


@dataclass(frozen=True)
class Plan:
    """How to train.

    Parameters
    ----------
    steps : batches at most.
    batch : rows of a batch.
    warm : steps over which the rate rises.
    floor : share of the rate at the end of the cosine.
    clip : largest norm of a player's gradient; 0 for no limit.
    average : decay of the moving average at each step, reached over the first steps.
    looks : how often the network is judged on the way.
    patience : looks without a better one after which training stops; 0 never stops early.
    precision : ``"float32"``, or ``"bfloat16"`` for products in half precision.
    share : of the time that is left to the run, what this training may take, where others come after it.
    """

    steps: int
    batch: int = 256
    warm: int = 50
    floor: float = 0.02
    clip: float = 5.0
    average: float = 0.998
    looks: int = 10
    patience: int = 2
    precision: str = "float32"
    share: float = 1.0


@dataclass(frozen=True)
class Look:
    """One look at the training: mean losses of the players since the last look, the judgement, and what else there is
    to be told."""

    step: int
    losses: Mapping[str, float]
    judged: float | None
    more: Mapping[str, float] = field(default_factory=dict)

    def words(self, measure: str = "held out") -> str:
        """For a person; ``measure`` is the name of what is judged by."""
        judged = {} if self.judged is None else {measure: self.judged}
        return ", ".join(f"{name} {value:.4g}" for name, value in {**self.losses, **judged, **self.more}.items())


@dataclass(frozen=True)
class Trained:
    """What came of it; the task's network holds the best averaged weights. ``enough``: somebody said that it is."""

    looks: tuple[Look, ...]
    best: Look
    steps: int
    skipped: int
    enough: bool = False


@dataclass
class _Stand:
    """Where the training stands: all that a checkpoint must hold besides the weights."""

    step: int = 0
    rate: float = 1.0
    falls: int = 0
    skipped: int = 0
    looks: list[Look] = field(default_factory=list)
    best: int = -1  # number of the best look


def device_of(name: str) -> torch.device:
    """``auto`` is an accelerator where there is one."""
    if name == "cuda" and not torch.cuda.is_available():
        raise FabricaError("there is no CUDA device that torch can use here", hint="leave out device, or say cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def digest(*parts: np.ndarray | str) -> str:
    """A name for what these arrays and words say, all of it."""
    mark = hashlib.sha256()
    for part in parts:
        mark.update(part.encode() if isinstance(part, str) else np.ascontiguousarray(part).tobytes())
    return mark.hexdigest()


def kept(engine: Any, name: str, rows: np.ndarray, run: Run) -> Path | None:
    """The checkpoint of one of the trainings of a fit, in the folder that the ``engine`` names: a file of its own for
    each branch of a run, settings and ``rows`` (held out ones included); None where no folder is named."""
    if not engine.checkpoint:
        return None
    try:
        Path(engine.checkpoint).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"no folder can be made there ({error.strerror})", where=engine.checkpoint) from None
    of = digest(repr(replace(engine, checkpoint="")), str(run.key()), rows)
    return Path(engine.checkpoint) / f"{name}-{of[:16]}.fab"


def train(task: Task, rows: torch.Tensor, plan: Plan, run: Run, checkpoint: Path | None = None) -> Trained:
    """Train the network of a task on ``rows`` (n, ...), which lie on the network's device.

    Parameters
    ----------
    checkpoint : a file that is written at every look; where it is there already, training goes on from it.

    Raises
    ------
    FabricaError : the losses are not finite however small the rate.
    """
    with _one_thread():
        return _Training(task, rows, plan, run, checkpoint).go()


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Training:
    """The loop with its working memory."""

    def __init__(self, task: Task, rows: torch.Tensor, plan: Plan, run: Run, checkpoint: Path | None):
        self.task, self.rows, self.run, self.checkpoint = task, rows, run, checkpoint
        self.plan = replace(plan, batch=max(1, min(plan.batch, len(rows))))
        self.players = list(task.players())
        self.optimisers = {p.name: torch.optim.AdamW(p.parameters, lr=p.rate, betas=p.betas, weight_decay=p.decay)
                           for p in self.players}
        self.weights: list[torch.Tensor] = list(task.averaged())
        self.average = [w.detach().clone() for w in self.weights]
        self.best = [a.clone() for a in self.average]
        self.every: list[torch.Tensor] = [w for p in self.players for w in p.parameters]
        self.safe = [w.detach().clone() for w in self.every]  # of all players, as they stood at the best look
        self.stand = _Stand()
        self.sums: dict[str, torch.Tensor] = {}
        self.count = 0
        self.lost = dict.fromkeys(self.optimisers, 0)
        self.epoch, self.order = -1, torch.empty(0)
        self.began, self.budget = time.monotonic(), plan.share * run.left()
        self.told, self.telling = self.began, 0.0  # when more was told than must be, and how long that took

    def go(self) -> Trained:
        self._resume()
        self.run.forget_enough()
        seen = self._stage()
        enough = False
        while not enough and not self._over():
            self._step()
            enough = self.run.is_enough
            if self._stage() > seen or self._progress() >= 1 or enough:
                seen = self._stage()
                self._look()
        with torch.no_grad():
            torch._foreach_copy_(self.weights, self.best)
        self.task.net.eval()
        looks = self.stand.looks
        if self.stand.step < self.plan.steps and (self._spent() >= 1 or enough):
            self.run.cut("you" if enough else "the budget")
        self.run.forget_enough()
        best = looks[self.stand.best] if looks else Look(0, {}, None)
        return Trained(tuple(looks), best, self.stand.step, self.stand.skipped, enough)

    def _over(self) -> bool:
        stand, patience = self.stand, self.plan.patience
        tired = bool(patience and stand.looks and len(stand.looks) - 1 - stand.best >= patience)
        return tired or stand.step >= self.plan.steps or self._progress() >= 1

    def _spent(self) -> float:
        """The share of the time that is over; 0 where there is no budget, which is then infinite."""
        return min(1.0, (time.monotonic() - self.began) / max(self.budget, 1e-3))

    def _progress(self) -> float:
        return min(1.0, max(self.stand.step / max(1, self.plan.steps), self._spent()))

    def _stage(self) -> int:
        """How many looks are due, by steps or by the budget, whichever is further."""
        looks = max(1, self.plan.looks)
        return max(self.stand.step * looks // max(1, self.plan.steps), int(self._spent() * looks))

    def _step(self) -> None:
        """One move of every player, then the average follows."""
        plan, stand = self.plan, self.stand
        progress = self._progress()
        factor = stand.rate * min(1.0, (stand.step + 1) / max(1, plan.warm)) * (
            plan.floor + (1 - plan.floor) * 0.5 * (1 + math.cos(math.pi * progress)))
        self.task.net.train()
        batch = self._batch()
        chance = seeded(self.run.child("step").child(stand.step), self.rows.device)
        for player in self.players:
            self._move(player, batch, progress, chance, factor)
        decay = min(plan.average, (stand.step + 1) / (stand.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.weights, 1 - decay)
        stand.step += 1
        self.count += 1

    def _batch(self) -> torch.Tensor:
        """The next rows: a permutation for each epoch, whose last incomplete batch is left out."""
        size = self.plan.batch
        epoch, place = divmod(self.stand.step, max(1, len(self.rows) // size))
        if epoch != self.epoch:
            run = self.run.fresh().child("epoch").child(epoch)
            self.epoch, self.order = epoch, torch.from_numpy(run.random().permutation(len(self.rows)))
        return self.rows[self.order[place * size : (place + 1) * size].to(self.rows.device)]

    def _move(self, player: Player, batch: torch.Tensor, progress: float, chance: torch.Generator,
              factor: float) -> None:
        optimiser = self.optimisers[player.name]
        optimiser.zero_grad(set_to_none=True)
        half = self.plan.precision == "bfloat16"
        with torch.autocast(self.rows.device.type, torch.bfloat16, enabled=half):
            loss = self.task.loss(player.name, batch, progress, chance)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(player.parameters, self.plan.clip or math.inf)
        if not bool(torch.isfinite(norm + loss.detach())):
            return self._skip(player)
        self.lost[player.name] = 0
        for group in optimiser.param_groups:
            group["lr"] = player.rate * factor
        optimiser.step()
        self.sums[player.name] = self.sums.get(player.name, torch.zeros((), device=loss.device)) + loss.detach()

    def _skip(self, player: Player) -> None:
        """Leave out a step without finite gradients; after too many in a row, fall back."""
        self.stand.skipped += 1
        self.lost[player.name] += 1
        if self.lost[player.name] < LOST:
            return
        if self.stand.falls >= FALLS:
            raise FabricaError(f"training does not converge: the loss of the {player.name} is not a number",
                               hint="set a smaller rate")
        self.lost = dict.fromkeys(self.optimisers, 0)
        self.stand.falls, self.stand.rate = self.stand.falls + 1, self.stand.rate / 2
        with torch.no_grad():
            torch._foreach_copy_(self.every, self.safe)
            torch._foreach_copy_(self.weights, self.best)
            torch._foreach_copy_(self.average, self.best)
        for optimiser in self.optimisers.values():
            optimiser.state.clear()

    def _look(self) -> None:
        """Judge the average, keep it if it is the best so far, tell, and write the checkpoint."""
        stand = self.stand
        with self._averaged(), torch.no_grad():
            judged, more = self.task.judge(), self._more()
        losses = {name: float(value) / max(1, self.count) for name, value in self.sums.items()}
        stand.looks.append(Look(stand.step, losses, None if judged is None else float(judged), more))
        self.sums, self.count = {}, 0
        known = None if stand.best < 0 else stand.looks[stand.best].judged
        if judged is None or known is None or judged < known:
            stand.best = len(stand.looks) - 1
            torch._foreach_copy_(self.best, self.average)
            torch._foreach_copy_(self.safe, [w.detach() for w in self.every])
        if self.checkpoint is not None:
            part = self.checkpoint.with_name(self.checkpoint.name + ".part")
            try:
                modelfile.write(part, self._state())
                part.replace(self.checkpoint)
            finally:
                part.unlink(missing_ok=True)
        self.run.tell(self._progress(), 1.0, stand.looks[-1].words(self.task.measure))

    def _more(self) -> Mapping[str, float]:
        """What a person who watches wants to know besides, as long as it takes little of the time."""
        now = time.monotonic()
        if not self.run.listened or self.telling > LITTLE * (now - self.told):
            return {}
        found = self.task.more(self.run.child("look").child(len(self.stand.looks)))
        self.told, self.telling = time.monotonic(), time.monotonic() - now
        return found

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The network with its averaged weights, for a while."""
        kept = [w.detach().clone() for w in self.weights]
        with torch.no_grad():
            torch._foreach_copy_(self.weights, self.average)
        self.task.net.eval()
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(self.weights, kept)

    # ---------------------------------------------------------------- checkpoints

    @property
    def _kept(self) -> dict[str, list[torch.Tensor]]:
        """What is kept besides the weights as they are."""
        return {"average": self.average, "best": self.best, "safe": self.safe}

    def _state(self) -> State:
        stand = self.stand
        arrays = {f"net.{n}": _array(v) for n, v in self.task.net.state_dict().items()}
        for name, tensors in self._kept.items():
            arrays |= {f"{name}.{i}": _array(t) for i, t in enumerate(tensors)}
        for name, optimiser in self.optimisers.items():
            for i, held in optimiser.state_dict()["state"].items():
                arrays |= {f"optimiser.{name}.{i}.{key}": _array(value) for key, value in held.items()}
        looks = [{"step": look.step, "losses": dict(look.losses), "judged": look.judged, "more": dict(look.more)}
                 for look in stand.looks]
        plain = {"step": stand.step, "rate": stand.rate, "falls": stand.falls, "skipped": stand.skipped,
                 "lost": self.lost, "looks": looks, "best": stand.best, "of": self._print()}
        return State(plain, arrays)

    def _print(self) -> list[Any]:
        """What a checkpoint must be of: the same rows, seed, plan, players and shapes."""
        players = [[p.name, p.rate, list(p.betas), p.decay] for p in self.players]
        shapes = [list(w.shape) for w in self.task.net.parameters()]
        return [str(self.run.key()), digest(_array(self.rows)), repr(self.plan), players, shapes]

    def _resume(self) -> None:
        if self.checkpoint is None or not self.checkpoint.exists():
            return
        try:
            state = modelfile.read(self.checkpoint)
        except ModelFileError as error:
            raise ModelFileError(error.what, where=str(self.checkpoint),
                                 hint="delete this checkpoint; training then begins anew") from None
        try:
            self._stand_as(state)
        except (LookupError, TypeError, ValueError, RuntimeError):
            raise ModelFileError("this checkpoint is damaged", where=str(self.checkpoint),
                                 hint="delete it; training then begins anew") from None

    def _stand_as(self, state: State) -> None:
        """Take up the training where a checkpoint left it."""
        plain, arrays = state.plain, state.arrays
        if plain.get("of") != self._print():
            raise ModelFileError("this checkpoint is of another training", where=str(self.checkpoint),
                                 hint="delete it, or train with the settings and the table that it is of")
        self.task.net.load_state_dict({n.removeprefix("net."): torch.from_numpy(a.copy())
                                       for n, a in arrays.items() if n.startswith("net.")})
        for name, tensors in self._kept.items():
            for i, tensor in enumerate(tensors):
                tensor.copy_(torch.from_numpy(arrays[f"{name}.{i}"].copy()))
        for name, optimiser in self.optimisers.items():
            self._resume_optimiser(optimiser, f"optimiser.{name}.", arrays)
        looks = [Look(w["step"], w["losses"], w["judged"], w["more"]) for w in plain["looks"]]
        self.lost = {name: int(plain["lost"][name]) for name in self.optimisers}
        self.stand = _Stand(plain["step"], plain["rate"], plain["falls"], plain["skipped"], looks, plain["best"])

    @staticmethod
    def _resume_optimiser(optimiser: torch.optim.Optimizer, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        held: dict[int, dict[str, torch.Tensor]] = {}
        for key, array in arrays.items():
            if key.startswith(name):
                number, what = key.removeprefix(name).split(".")
                held.setdefault(int(number), {})[what] = torch.from_numpy(array.copy())
        optimiser.load_state_dict({"state": held, "param_groups": optimiser.state_dict()["param_groups"]})


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().copy()

"""The training loop: finds a known optimum, resumes bit by bit, keeps the best, survives what is not a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need the extra `nets`")

from fabrica.errors import FabricaError, Interrupted, ModelFileError  # noqa: E402
from fabrica.nets import loop  # noqa: E402
from fabrica.nets.loop import Plan, Player, Task, Trained, device_of, train  # noqa: E402
from fabrica.run import Run  # noqa: E402

PLAN = Plan(steps=120, batch=32, warm=5, looks=12, patience=0, average=0.9)


class Line(Task):
    """y = 3 x - 1 by least squares, with noise in every loss."""

    def __init__(self, rate: float = 0.1, noise: float = 0.0, broken: Sequence[int] = ()):
        self.net = torch.nn.Linear(1, 1)
        with torch.no_grad():
            self.net.weight.zero_()
            self.net.bias.zero_()
        self.rate, self.noise, self.broken, self.calls = rate, noise, set(broken), 0

    def players(self):
        return [Player("error", list(self.net.parameters()), self.rate)]

    def loss(self, player, batch, progress, chance):
        self.calls += 1
        loss = ((self.net(batch[:, :1]) - batch[:, 1:]) ** 2).mean()
        loss = loss + self.noise * torch.randn((), generator=chance) * self.net.bias.sum()
        return loss * (float("nan") if self.calls in self.broken else 1.0)

    def judge(self):
        return float((self.net.weight - 3).abs() + (self.net.bias + 1).abs())


def rows(n: int = 500):
    x = torch.linspace(-1, 1, n)[:, None]
    return torch.cat([x, 3 * x - 1], 1)


def numbers(task: Task) -> list[float]:
    return [float(v) for p in task.net.parameters() for v in p.detach().flatten()]


def test_a_known_optimum_is_found():
    task = Line()
    done = train(task, rows(), PLAN, Run(1))
    assert numbers(task) == pytest.approx([3, -1], abs=0.1)
    assert done.steps == 120 and done.best.judged == min(look.judged for look in done.looks)
    assert done.looks[0].losses["error"] > done.looks[-1].losses["error"]


def test_the_same_seed_learns_the_same_and_another_does_not():
    tasks = [Line(noise=1.0) for _ in range(3)]
    for task, seed in zip(tasks, (1, 1, 2), strict=True):
        train(task, rows(), PLAN, Run(seed))
    assert numbers(tasks[0]) == numbers(tasks[1]) != numbers(tasks[2])


class Killed(Line):
    """Dies in the midst of the training."""

    def loss(self, player, batch, progress, chance):
        if self.calls == 77:
            raise Interrupted("killed")
        return super().loss(player, batch, progress, chance)


def resumed(folder: Path, forget: str = "") -> tuple[list[float], Trained]:
    """Killed in the midst, then gone on with from the checkpoint (without its arrays named ``forget``)."""
    file = folder / "training.fab"
    with pytest.raises(Interrupted):
        train(Killed(noise=1.0), rows(), PLAN, Run(5), file)
    if forget:
        from fabrica import modelfile
        from fabrica.state import State

        state = modelfile.read(file)
        kept = {n: np.zeros_like(a) if n.startswith(forget) else a for n, a in state.arrays.items()}
        modelfile.write(file, State(state.plain, kept))
    task = Line(noise=1.0)
    return (lambda done: (numbers(task), done))(train(task, rows(), PLAN, Run(5), file))


def test_a_killed_training_goes_on_bit_by_bit(tmp_path):
    whole = Line(noise=1.0)
    expected = train(whole, rows(), PLAN, Run(5))
    found, done = resumed(tmp_path)
    assert found == numbers(whole) and done.looks == expected.looks


@pytest.mark.parametrize("forget", ["optimiser", "net", "average"])
def test_a_checkpoint_that_forgets_anything_is_noticed(tmp_path, forget):
    whole = Line(noise=1.0)
    expected = train(whole, rows(), PLAN, Run(5))
    found, done = resumed(tmp_path, forget)
    assert found != numbers(whole) or done.looks != expected.looks


@pytest.mark.parametrize("other", [
    {"seed": 6}, {"plan": replace(PLAN, batch=16)}, {"plan": replace(PLAN, clip=1.0)}, {"table": rows(400)},
    {"table": torch.stack([rows()[:, 0], rows()[:, 1].flip(0)], 1)}, {"task": Line(rate=0.2)},
])
def test_a_checkpoint_of_another_training_is_refused(tmp_path, other):
    file = tmp_path / "training.fab"
    train(Line(), rows(), PLAN, Run(5), file)
    with pytest.raises(ModelFileError, match="another training"):
        train(other.get("task", Line()), other.get("table", rows()), other.get("plan", PLAN),
              Run(other.get("seed", 5)), file)


def test_steps_that_are_not_numbers_are_left_out():
    task = Line(broken=[10, 11, 50])
    assert train(task, rows(), PLAN, Run(1)).skipped == 3
    assert numbers(task) == pytest.approx([3, -1], abs=0.1)


def test_training_goes_back_with_a_smaller_rate_and_gives_up_in_the_end():
    task = Line(broken=range(30, 45))
    assert train(task, rows(), PLAN, Run(1)).skipped == 15 and np.isfinite(numbers(task)).all()
    with pytest.raises(FabricaError, match="does not converge"):
        train(Line(broken=range(1, 10_000)), rows(), PLAN, Run(1))


class Two(Line):
    """A second player whose losses are not numbers for a while."""

    def __init__(self, broken: Sequence[int]):
        super().__init__()
        self.other = torch.nn.Parameter(torch.zeros(1))
        self.spoilt, self.turns = set(broken), 0

    def players(self):
        return [*super().players(), Player("other", [self.other], 0.1)]

    def loss(self, player, batch, progress, chance):
        if player == "error":
            return super().loss(player, batch, progress, chance)
        self.turns += 1
        return ((self.other - 2) ** 2).sum() * (float("nan") if self.turns in self.spoilt else 1.0)


def test_each_player_is_guarded_by_itself():
    task = Two(range(30, 45))
    done = train(task, rows(), PLAN, Run(1))
    assert done.skipped == 15 and float(task.other.detach()) == pytest.approx(2, abs=0.2)
    with pytest.raises(FabricaError, match="loss of the other"):
        train(Two(range(1, 10_000)), rows(), PLAN, Run(1))


class Turning(Line):
    """Judged worse and worse after its third look."""

    looked = 0

    def judge(self):
        self.looked += 1
        self.at = [*getattr(self, "at", []), numbers(self)]
        return abs(self.looked - 3.0)


def test_the_best_look_is_kept_and_training_stops_early():
    task = Turning()
    done = train(task, rows(), replace(PLAN, patience=2), Run(1))
    assert done.best.step == 30 and done.steps == 50 and numbers(task) == task.at[2]


def test_who_watches_may_say_that_it_is_enough():
    looks: list[int] = []

    def listener(news) -> bool:
        looks.append(len(looks))
        return len(looks) == 3

    run = Run(1, listener=listener)
    run.enough()  # before it begins: does not count
    done = train(Line(), rows(), PLAN, run)
    whole = train(Line(), rows(), PLAN, Run(1))
    assert 0 < len(done.looks) < len(whole.looks) and done.steps < whole.steps and run.was_cut and not run.is_enough
    assert run.cut_by == "you"
    assert [look.judged for look in done.looks[:3]] == [look.judged for look in whole.looks[:3]]
    again = Run(1)
    assert train(Line(), rows(), PLAN, again).steps == whole.steps and not again.was_cut


def test_a_budget_ends_the_schedule_in_time(monkeypatch):
    """Each loss takes a second of a clock of our own; the rate falls by the clock, not by the steps."""
    now, factors = [0.0], []
    monkeypatch.setattr(loop.time, "monotonic", lambda: now[0])

    class Slow(Line):
        def loss(self, player, batch, progress, chance):
            now[0] += 1.0
            factors.append(progress)
            return super().loss(player, batch, progress, chance)

    done = train(Slow(), rows(), replace(PLAN, steps=100_000, looks=10), Run(1, budget=50))
    assert [look.step for look in done.looks] == list(range(5, 51, 5))
    assert done.steps == 50 and factors == pytest.approx(np.arange(50) / 50)


def test_threads_are_as_before_and_a_device_that_is_not_there_is_said():
    before = torch.get_num_threads()
    train(Line(), rows(), PLAN, Run(1))
    assert torch.get_num_threads() == before and device_of("cpu").type == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises(FabricaError, match="no CUDA"):
            device_of("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no accelerator here")
def test_an_accelerator_finds_the_same_optimum():
    task = Line()
    task.net.cuda()
    train(task, rows().cuda(), PLAN, Run(1))
    assert numbers(task) == pytest.approx([3, -1], abs=0.1)

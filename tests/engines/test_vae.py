"""The autoencoder: a joint comes back through latent numbers, a learned prior is what makes it, margins are exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from joints import chance

pytest.importorskip("torch", reason="networks need the extra `nets`")

from fabrica.block import Block
from fabrica.checks.engines import coded
from fabrica.checks.promise import stored
from fabrica.engines.vae import Vae
from fabrica.engines.vae.mixture import Mixture, fitted
from fabrica.engines.vae.model import VaeModel
from fabrica.errors import ModelFileError
from fabrica.nets import forward
from fabrica.run import Run
from fabrica.state import State


def ring(rows: int = 4_000) -> Block:
    """Two numbers on a ring and the quadrant they lie in: correlations say nothing of it."""
    random = chance(1)
    angle = random.random(rows) * 2 * np.pi
    radius = 22 + random.normal(0, 1.5, rows)
    x, y = (np.clip(32 + radius * f(angle), 0, 63).astype(int) for f in (np.cos, np.sin))
    return Block.of([coded("x", 64, x, ordered=True), coded("y", 64, y, ordered=True),
                     coded("quadrant", 4, (x > 31) * 2 + (y > 31))])


def on_the_ring(drawn: Block) -> float:
    """Share of rows near the ring and in the quadrant that they name."""
    x, y, quadrant = (c.codes.astype(int) for c in drawn)
    radius = np.hypot(x - 31.5, y - 31.5)
    return float(((np.abs(radius - 22) < 6) & (quadrant == (x > 31) * 2 + (y > 31))).mean())


@pytest.fixture(scope="module")
def learned() -> VaeModel:
    return Vae(prior="flow", epochs=30, hidden=64, width=64).fit(ring(), None, Run(2))


def test_what_hangs_together_comes_back(learned):
    assert on_the_ring(ring()) > 0.95
    assert on_the_ring(learned.sample(4_000, None, Run(3))) > 0.7  # independent columns reach .1


def test_the_normal_prior_is_worse_than_one_that_was_learned():
    """Six columns that tell the same eight things in other words. The careless twin draws its latent numbers from
    N(0, I), as a plain autoencoder does."""
    what = chance(11).integers(0, 8, 4_000)
    rows = Block.of([coded(f"c{i}", 8, (what * (2 * i + 1) + i) % 8) for i in range(6)])
    model = Vae(epochs=20, hidden=64, keep=1.0).fit(rows, None, Run(12))
    size = model.prior.latent
    normal = Mixture(np.ones(1), np.zeros((1, size), np.float32), np.eye(size, dtype=np.float32)[None])

    def agree(drawn: Block) -> float:
        codes = [c.codes.astype(int) for c in drawn]
        return float(np.mean([(c == (codes[0] * (2 * i + 1) + i) % 8).mean() for i, c in enumerate(codes[1:], 1)]))

    good, poor = (agree(m.sample(4_000, None, Run(13))) for m in (model, replace(model, prior=normal)))
    assert good > 0.8 and poor < good - 0.1


def test_a_mixture_is_a_prior_too():
    model = Vae(epochs=20, hidden=64).fit(ring(), None, Run(4))
    kept, all_made = (on_the_ring(m.sample(4_000, None, Run(5))) for m in (model, replace(model, rejection=None)))
    assert kept > 0.8 and all_made > 0.5


def test_margins_are_exact(learned):
    for model in (replace(learned, rejection=None), learned):
        drawn = model.sample(20_000, None, Run(6))
        for seen, found in zip(ring(), drawn, strict=True):
            p, q = (np.bincount(c.codes, minlength=c.size) / len(c) for c in (seen, found))
            assert np.abs(p - q).sum() / 2 < 0.014  # independent draws scatter by .022


def test_a_mixture_finds_known_normals():
    random = chance(7)
    middles = np.array([[-4.0, 0.0], [4.0, 1.0], [0.0, 6.0]])
    which = random.choice(3, 6_000, p=[0.5, 0.3, 0.2])
    points = middles[which] + random.normal(0, 1, (6_000, 2)) * [0.5, 1.0]
    found = fitted(points.astype(np.float32), 3, Run(8))
    order = np.argsort(-found.share)
    assert found.share[order] == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert found.middle[order] == pytest.approx(middles, abs=0.15)
    drawn = found.draw(20_000, Run(9))
    assert np.cov(drawn.T) == pytest.approx(np.cov(points.T), rel=0.1, abs=0.2)


def test_products_are_those_of_numpy():
    random = chance(10)
    for n, k, m in ((1, 1, 1), (7, 10, 5), (9, 3, 2)):
        left, right, bias = (random.normal(size=s).astype(np.float32) for s in ((n, k), (k, m), (m,)))
        assert forward.affine(left, right, bias) == pytest.approx(left.astype(float) @ right + bias, abs=1e-5)


def test_the_swish_is_exact():
    x = chance(14).normal(0, 20, (300, 3)).astype(np.float32)
    due = x.astype(float) / (1 + np.exp(-x.astype(float)))
    assert forward.swish(x) == pytest.approx(due, abs=1e-5, rel=1e-5)


def test_what_was_stored_draws_the_same(learned):
    again = VaeModel.from_state(stored(learned.state()))
    one, two = (m.sample(50, None, Run(1)) for m in (learned, again))
    assert all((a.codes == b.codes).all() for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("harm", ["shape", "nan", "gone"])
def test_a_damaged_model_is_refused(learned, harm):
    state = learned.state()
    for name in [n for n in state.arrays if n.startswith(("decoder/", "prior/"))]:
        arrays = dict(state.arrays)
        if harm == "gone":
            del arrays[name]
        else:
            arrays[name] = (np.zeros((*arrays[name].shape, 2), np.float32) if harm == "shape"
                            else np.full_like(arrays[name], np.nan))
        with pytest.raises(ModelFileError):
            VaeModel.from_state(State(state.plain, arrays))

"""What every kind of a scenario promises: factors stay within [0, 1], densities integrate to one, edits edit."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from fabrica import absence, wish
from fabrica.checks.promise import keep
from fabrica.contract import Cells
from fabrica.generator import Edit, Generator, Injection, Kind, Look, Tilt
from fabrica.run import Run

__all__ = ["check_scenario"]

ROWS = 20_000
GROUPS = 8  #: of a column's values that are compared


def check_scenario(kind: Kind, generator: Generator) -> None:
    """The promises of a tilt, an injection or an edit, as it was read for the generator's table.

    Raises
    ------
    Broken : which of them is not kept.
    """
    rows = generator.rows(ROWS, Run(1).child("look"))
    look = Look(rows.cells, np.full(ROWS, 1 / ROWS))
    if isinstance(kind, Tilt):
        _tilt(kind, look)
    elif isinstance(kind, Injection):
        _injection(kind, generator, look)
    else:
        keep(isinstance(kind, Edit), "a kind is a tilt, an injection or an edit")
        _edit(kind, look)  # type: ignore[arg-type]
    keep(json.loads(json.dumps(dict(kind.found()), allow_nan=False)) is not None, "what came of it is plain")


def _tilt(tilt: Tilt, look: Look) -> None:
    for factor in tilt.factors(look):
        weights = factor.weights({name: look.cells[name] for name in factor.columns})
        keep(weights.shape == (ROWS,) and bool(np.isfinite(weights).all()), "a factor gives a number for each row")
        keep(bool((weights >= 0).all() and (weights <= 1 + 1e-12).all()), "factors lie between 0 and 1")
        keep(bool(weights.any()), "a factor keeps some rows")


def _injection(injection: Injection, generator: Generator, look: Look) -> None:
    keep(0 <= injection.share <= 1, "a share lies between 0 and 1")
    law = injection.law(generator, look, Run(2))
    drawn, again = law.draw(ROWS, Run(3)), law.draw(ROWS, Run(3))
    keep(len(drawn) == ROWS, "there are as many rows as were asked for")
    keep(set(drawn.cells) == set(look.cells), "an injected row has the columns of all rows")
    keep(all(cells.values.equals(again.cells[name].values) for name, cells in drawn.cells.items()),
         "the same seed gives the same rows")
    own, theirs = law.ratio(look.cells), law.ratio(drawn.cells)
    keep(bool((own >= 0).all() and (theirs >= 0).all()), "densities are not negative")
    if law.beyond:
        return
    keep(bool((theirs > 0).all()), "what is drawn has a density")
    error = 5 * own.std() / ROWS**0.5 + 0.05
    keep(abs(own.mean() - 1) < error, f"the density over that of the generator integrates to one ({own.mean():.3f})")
    back = (1 / theirs).mean()
    reached = (own > 0).mean()
    keep(abs(back - reached) < 5 * (1 / theirs).std() / ROWS**0.5 + 0.05 * reached + 5 * (reached / ROWS) ** 0.5,
         "weighted back, what is drawn is what the generator has there")
    for name, cells in drawn.cells.items():
        _weighted_back(name, cells, 1 / theirs, look.cells[name], own > 0)


def _weighted_back(name: str, drawn: Cells, weights: np.ndarray, model: Cells, inside: np.ndarray) -> None:
    """Each column of what is drawn, weighted, has the shares that the generator's rows have which it reaches."""
    both = Cells.concat([drawn, model])
    ranked = np.unique(wish.levels(both)[0], return_inverse=True)[1]
    if ranked.max() >= GROUPS:  # of many values eight groups of neighbours
        kind = both.values.type
        numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        values = wish.numbers(both) if numeric else ranked.astype(float)
        ranked = np.searchsorted(np.nanquantile(values[len(drawn):][inside], np.arange(1, GROUPS) / GROUPS), values)
    own, theirs = ranked[: len(drawn)], ranked[len(drawn):][inside]
    worth = weights.sum() ** 2 / (weights**2).sum()
    for group in range(int(ranked.max()) + 1):
        p, q = weights[own == group].sum() / weights.sum(), float((theirs == group).mean())
        mean = (p * worth + q * len(theirs)) / (worth + len(theirs))
        error = 5 * (mean * (1 - mean) * (1 / worth + 1 / len(theirs))) ** 0.5
        keep(abs(p - q) <= error + 0.002, f"weighted back, {name!r} is distributed as the generator's rows are there")


def _edit(edit: Edit, look: Look) -> None:
    before = {name: (cells.values, absence.kinds(cells).copy()) for name, cells in look.cells.items()}
    changed = edit.edited(look.cells, Run(4))
    keep(set(changed) <= set(look.cells), "an edit changes columns of the table")
    keep(all(len(cells) == ROWS for cells in changed.values()), "an edit gives as many cells")
    keep(all(cells.values.type == look.cells[name].values.type for name, cells in changed.items()),
         "an edit keeps the type of a column")
    keep(all(look.cells[name].values.equals(values) and (absence.kinds(look.cells[name]) == absent).all()
             for name, (values, absent) in before.items()), "the rows that it was given stay as they were")

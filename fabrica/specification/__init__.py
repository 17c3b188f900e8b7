"""A specification: a table declared by hand, without any data -> a model like all others.

    table: people
    columns:
      age: {distribution: normal, mean: 44, std: 15, bounds: [18, 95], decimals: 0}
      income: {distribution: lognormal, mean: 40000, std: 25000, decimals: 2, missing: 0.05}
    correlations: [[age, income, 0.4]]

A column's law is exact (``laws.py``), how columns hang together is a Gaussian copula (Sklar 1959; ``engines/copula``)
whose correlations are found from the declared ones (``correlations.py``). The same two halves as of a learned table:
marginals in the coders, dependence in the model. Nothing that is read is ever run: YAML is data, parameters are
numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fabrica import catalog, declaration
from fabrica.declared import DeclaredCoder, Sequence
from fabrica.encoder import DECLARED, Encoder, Seat
from fabrica.errors import FabricaError, SchemaError, UnknownName
from fabrica.model import TableModel
from fabrica.schema import Column, Table
from fabrica.specification.column import declared
from fabrica.specification.correlations import latent
from fabrica.version import VERSION

__all__ = ["ENDINGS", "is_specification", "specify"]

ENDINGS = (".yaml", ".yml", ".json")
FIELDS = ["table", "columns", "correlations"]
ENGINE = "copula"
HINT = "write `columns:` and below it a line for each: `age: {distribution: normal, mean: 40, std: 12}`"


def is_specification(thing: Any) -> bool:
    """Whether it is one by its look: a mapping, or a file with an ending of YAML or JSON.

    >>> is_specification("people.yaml"), is_specification("people.fab")
    (True, False)
    """
    return isinstance(thing, Mapping) or str(thing).lower().endswith(ENDINGS)


def specify(said: Mapping[str, Any] | str | Path) -> TableModel:
    """The model of a specification, given as a mapping or as a YAML or JSON file.

    >>> model = specify({"columns": {"x": {"distribution": "uniform", "low": 0, "high": 1}}})
    >>> model.sample(3).num_rows
    3
    """
    if isinstance(said, Mapping):
        return _model(said)
    try:
        return _model(declaration.read(said, HINT))
    except FabricaError as error:
        raise error if error.where and error.where.startswith(str(said)) else error.at(str(said)) from None


def _model(said: Any) -> TableModel:
    if not isinstance(said, Mapping) or not isinstance(said.get("columns"), Mapping) or not said["columns"]:
        raise SchemaError("a specification needs `columns`, a mapping from names to distributions", hint=HINT)
    for key in said:
        if key not in FIELDS:
            raise UnknownName("field of a specification", str(key), FIELDS)
    made = [declared(str(name), column) for name, column in said["columns"].items()]
    columns, coders = [c for c, _ in made], [c for _, c in made]
    drawn = {c.name: c for c in coders if not isinstance(c.source, Sequence)}
    correlation, notes = latent(said.get("correlations"), drawn)
    whole = _placed(coders, list(drawn), correlation)
    return _together(str(said.get("table") or "table"), columns, coders, whole, notes)


def _placed(coders: list[DeclaredCoder], names: list[str], correlation: np.ndarray) -> np.ndarray:
    """(W, W) the correlations of all coded columns: those of missingness hang together with nothing."""
    owners = [coder.name if i == 0 and coder.name in names else None
              for coder in coders for i in range(len(coder.shares))]
    at = [place for place, owner in enumerate(owners) if owner is not None]
    found = np.eye(len(owners))
    found[np.ix_(at, at)] = correlation
    return found


def _together(name: str, columns: list[Column], coders: list[DeclaredCoder], correlation: np.ndarray,
              notes: list[str]) -> TableModel:
    keys = tuple(c.name for c, coder in zip(columns, coders, strict=True)
                 if isinstance(coder.source, Sequence) and not coder.missing)
    table = Table(name, tuple(columns), keys[:1])
    shares = [share for coder in coders for share in coder.shares]
    widths = tuple(len(coder.shares) for coder in coders)
    encoder = Encoder(table, tuple(Seat((i,), DECLARED) for i in range(len(columns))), tuple(coders), widths)
    model = catalog.get("engines", ENGINE).declared(encoder.blank(), shares, correlation)
    return TableModel(table, encoder, ENGINE, model, {"fabrica": VERSION, "declared": True, "notes": notes})

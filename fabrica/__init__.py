"""fabrica learns from real tables and fabricates artificial ones with the same mathematics.

>>> import fabrica
>>> sorted(fabrica.__all__)[:3]
['Dataset', 'FabricaError', 'Ledger']

The doors of the SDK open on first use, so that ``import fabrica`` itself costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fabrica.version import VERSION

__version__ = VERSION

if TYPE_CHECKING:
    from fabrica.bundle.verify import verify
    from fabrica.bundle.write import release
    from fabrica.dataset import Dataset
    from fabrica.errors import FabricaError
    from fabrica.model import TableModel
    from fabrica.pipeline import (
        discover,
        evaluate,
        fit,
        frontier,
        gate,
        impute,
        inspect,
        ledger,
        load,
        plan,
        play,
        sample,
        specify,
        synth,
        tune,
    )
    from fabrica.privacy.ledger import Ledger
    from fabrica.privacy.terms import Privacy
    from fabrica.recipe import Recipe
    from fabrica.report import Report
    from fabrica.scenario import Scenario
    from fabrica.schema import Schema

#: name -> the module where it lives
_DOORS = {
    "fit": "pipeline", "boost": "pipeline", "discover": "pipeline", "frontier": "pipeline", "impute": "pipeline",
    "play": "pipeline", "sample": "pipeline", "gate": "pipeline", "plan": "pipeline",
    "evaluate": "pipeline", "synth": "pipeline",
    "load": "pipeline", "inspect": "pipeline", "ledger": "pipeline", "specify": "pipeline", "tune": "pipeline",
    "release": "bundle.write", "verify": "bundle.verify",
    "Dataset": "dataset",
    "Schema": "schema", "Recipe": "recipe", "Report": "report", "Scenario": "scenario",
    "TableModel": "model", "FabricaError": "errors", "Ledger": "privacy.ledger", "Privacy": "privacy.terms",
}

__all__ = ["Dataset", "FabricaError", "Ledger", "Privacy", "Recipe", "Report", "Scenario", "Schema", "TableModel",
           "boost", "discover", "evaluate", "fit", "frontier", "gate", "impute", "inspect", "ledger", "load",
           "plan", "play", "release", "sample", "specify", "synth", "tune", "verify"]


def __getattr__(name: str) -> Any:
    if name not in _DOORS:
        raise AttributeError(f"module 'fabrica' has no attribute {name!r}")
    value = getattr(import_module(f"fabrica.{_DOORS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_DOORS})

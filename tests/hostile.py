"""Hostile changes of a model, one by one, in a process of its own: a crash of the interpreter is then a finding too.

``python hostile.py STEP`` makes every STEP-th change and prints a line for each that is neither refused with a
``ModelFileError`` nor gives a model that works; the last line says how many were tried.
"""

from __future__ import annotations

import copy
import json
import sys
import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from small_models import made, made_of_rules, made_of_ties

from fabrica.errors import ModelFileError
from fabrica.model import TableModel
from fabrica.state import State

PLAIN: tuple[Any, ...] = (None, True, -1, 0, 3, 10**30, 1.5, 1e308, "", "x", "\ud800", [], [[]], ["a", 1], {}, {"a": 1})


def places(plain: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a plain state, containers too."""
    if isinstance(plain, dict | list):
        for key, value in plain.items() if isinstance(plain, dict) else enumerate(plain):
            yield (*path, key)
            yield from places(value, (*path, key))


def plain_changes(state: State) -> Iterator[tuple[str, State]]:
    """Every value in turn as another type of JSON, or gone."""
    whole = json.loads(json.dumps(state.plain))
    for path in places(whole):
        for value in (..., *PLAIN):
            changed = copy.deepcopy(whole)
            inner = changed
            for key in path[:-1]:
                inner = inner[key]
            if inner[path[-1]] == value and type(inner[path[-1]]) is type(value):
                continue
            if value is ...:
                del inner[path[-1]]
            else:
                inner[path[-1]] = value
            told = "(gone)" if value is ... else repr(value)
            yield f"{'/'.join(map(str, path))} = {told}", State(changed, state.arrays)


def array_changes(state: State) -> Iterator[tuple[str, State]]:
    """Every array in turn of another type, shape or content, or gone."""
    for name, array in state.arrays.items():
        for what, other in others(array).items():
            arrays = {key: value for key, value in state.arrays.items() if key != name}
            yield f"{name}: {what}", State(state.plain, arrays if other is None else {**arrays, name: other})


def others(array: np.ndarray) -> dict[str, np.ndarray | None]:
    """Hostile versions of an array by name."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _others(array)


def _others(array: np.ndarray) -> dict[str, np.ndarray | None]:
    whole = array.dtype.kind in "iu"
    top = np.iinfo(array.dtype).max if whole else 1e308
    found: dict[str, np.ndarray | None] = {
        "gone": None, "as floats": array.astype(np.float64), "as bytes": array.astype(np.int8),
        "as truths": array.astype(bool), "as uint64": array.astype(np.uint64), "half floats": array.astype(np.float16),
        "flat table": array.reshape(1, -1), "no entries": array[:0], "one short": array.ravel()[:-1],
        "twice as long": np.concatenate([array.ravel(), array.ravel()]), "backwards": array[::-1].copy(),
        "zeros": np.zeros_like(array), "ones": np.ones_like(array), "largest": np.full_like(array, top),
        "last is largest": last(array, top), "a scalar": np.array(1, array.dtype)}
    random = np.random.Generator(np.random.Philox(len(array)))
    found["shuffled"] = random.permutation(array)
    if np.isfinite(array).all() and array.size:
        found["by chance"] = random.uniform(array.min(), array.max() + 1, array.shape).astype(array.dtype)
    if array.dtype.kind in "if":
        found |= {"negative": -np.abs(array) - 1, "last is lowest": last(array, -top),
                  "first is lowest": first(array, -top)}
    if array.dtype.kind == "f":
        found |= {"nan": np.full_like(array, np.nan), "last is nan": last(array, np.nan),
                  "last is infinite": last(array, np.inf)}
    return found


def last(array: np.ndarray, value: Any) -> np.ndarray:
    out = array.copy()
    out.reshape(-1)[-1:] = value
    return out


def first(array: np.ndarray, value: Any) -> np.ndarray:
    return last(array[::-1].copy(), value)[::-1].copy()


def outcome(state: State) -> str:
    """Empty where the model is refused or works; else what went wrong."""
    try:
        model = TableModel.from_state(state)
    except ModelFileError as error:
        return "" if "\n" not in str(error) else "an error of several lines"
    except BaseException as error:
        return f"loading: {type(error).__name__}: {error}"
    try:
        rows = model.sample(200, seed=1, workers=1)
        model.words(), model._repr_html_(), model.sample(0)
        return "" if len(rows) == 200 else f"{len(rows)} rows instead of 200"
    except BaseException as error:
        return f"sampling: {type(error).__name__}: {str(error)[:200]}"


def main(step: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    tried = 0
    models = {"trees": made("trees"), "independent": made("independent"), "ties": made_of_ties(),
              "rules": made_of_rules()}
    ways = [(m, array_changes) for m in models.values()]
    ways += [(models[n], plain_changes) for n in ("trees", "ties", "rules")]
    for model, changes in ways:
        state = model.state()
        state = State(json.loads(json.dumps(state.plain)), state.arrays)
        assert outcome(state) == ""
        for name, changed in islice(changes(state), tried % step, None, step):
            print(f"trying {name!a}", flush=True)
            wrong = outcome(changed)
            tried += 1
            if wrong:
                print(f"WRONG {name!a}: {wrong!a}", flush=True)
    print(f"tried {tried}")


if __name__ == "__main__":
    warnings.simplefilter("error", RuntimeWarning)
    main(int(sys.argv[1]))

"""The rules of the house as functions: each takes the package's folder and returns what breaks the rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

WINGS = ("sources", "codecs", "engines", "metrics", "scenarios")
VALUES = ("identifying", "schema", "block", "state", "report", "run", "uniforms", "recipe", "declaration")
COMPOSERS = ("counted", "folder", "holdout", "job", "way", "tuning", "model", "lawful", "conditional", "masks",
             "imputation", "encoder", "evaluation", "inference", "specification", "dataset", "catalog", "scenario",
             "staging", "played", "profile", "alternatives", "private", "vouched", "account", "discovery", "tradeoff",
              "pricing", "lift", "gating", "attempts", "planned", "filed", "maker", "bundle")
DOORS = ("cli", "__init__", "__main__")

#: an import that climbs stairs on purpose: (who, whom) -> why
ALLOWED = {
    ("report", "page"): "a report saves itself; the page is imported only then",
}

#: what reads the secret source
SECRETS = ("secrets", "urandom", "getrandom", "SystemRandom")
#: rooms that execute what they read, or that hide chance
UNSAFE = {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"}


def modules(root: Path) -> Iterator[tuple[str, Path, ast.Module]]:
    """(dotted name within the package, file, tree) of every module."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        yield name, path, ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported anywhere in the file, also within functions and for types only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(tree: ast.Module) -> set[str]:
    """What of the package itself is imported: ``engines.trees``, ``errors``."""
    return {name.removeprefix("fabrica.") for name in imports(tree) if name.startswith("fabrica.")}


def room(name: str) -> str:
    """The first part of a dotted name."""
    return name.split(".")[0]


def floor(name: str) -> int:
    """How high a room stands."""
    where = room(name)
    floors = (("errors", "kernels", "privacy"), VALUES, ("contract", "generator"), (), ("checks", "page", *WINGS),
              COMPOSERS, ("pipeline",), DOORS)
    return next((height for height, rooms in enumerate(floors) if where in rooms), 3)  # what several wings share


def falling(root: Path) -> list[str]:
    """Imports fall downstairs."""
    rooms = {p.stem if p.is_file() else p.name for p in root.iterdir()}
    return [f"{name} imports {room(other)}, which stands above it" for name, _, tree in modules(root)
            for other in sorted(ours(tree)) if name != "__init__" and room(other) in rooms
            and floor(other) > floor(name) and (room(name), room(other)) not in ALLOWED]


def wings(root: Path) -> list[str]:
    """No wing imports another."""
    apart = (*WINGS, "checks", "page")
    return [f"{name} imports {other}" for name, _, tree in modules(root) if room(name) in apart
            for other in sorted(ours(tree)) if room(other) in apart and room(other) != room(name)]


def ground(root: Path) -> list[str]:
    """Errors import nothing."""
    tree = ast.parse((root / "errors.py").read_text(encoding="utf-8"))
    return [f"errors imports {other}" for other in imports(tree) if not other.startswith("__future__")]


def seams(root: Path) -> list[str]:
    """Only the catalog knows where plugins live: nobody else names a plugin's module."""
    found = []
    for name, _, tree in modules(root):
        if room(name) in ("catalog", *WINGS):
            continue
        said = {n.value.removeprefix("fabrica.") for n in ast.walk(tree) if isinstance(n, ast.Constant)
                and isinstance(n.value, str) and n.value.startswith("fabrica.") and " " not in n.value}
        found += [f"{name} names {other}" for other in sorted(ours(tree) | said) if room(other) in WINGS]
    return found


def unsafe(root: Path) -> list[str]:
    """Nothing that is read is ever run: no pickle, no eval, no exec, no unsafe YAML."""
    found = []
    for name, _, tree in modules(root):
        found += [f"{name} imports {other}" for other in imports(tree) if room(other) in UNSAFE]
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in ("eval", "exec", "compile") or called.endswith(
                        ("yaml.load", "yaml.unsafe_load", "yaml.full_load", "read_pickle", "to_pickle")):
                    found.append(f"{name}:{node.lineno} calls {called}")
                found += [f"{name}:{node.lineno} allows pickles" for k in node.keywords
                          if k.arg == "allow_pickle" and getattr(k.value, "value", True) is not False]
    return found


def chance(root: Path) -> list[str]:
    """Chance arrives by hand: only ``run`` makes generators; a compiled kernel takes its seed as an argument. The noise
    of privacy has no seed, and only ``privacy.noise`` reads the secret source."""
    found = []
    for name, _, tree in modules(root):
        if name == "run":
            continue
        found += [f"{name} imports {other}" for other in imports(tree)
                  if other in ("random", "numpy.random") or (other.endswith(SECRETS) and name != "privacy.noise")]
        found += [f"{name}:{node.lineno} reads {node.attr}" for node in ast.walk(tree)
                  if isinstance(node, ast.Attribute) and node.attr in SECRETS and name != "privacy.noise"]
        kernels = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
                   and any("kernel" in ast.unparse(d) for d in node.decorator_list) for inner in ast.walk(node)}
        found += [f"{name}:{n.lineno} calls {ast.unparse(n.func)}" for n in ast.walk(tree)
                  if isinstance(n, ast.Call) and id(n) not in kernels
                  and ast.unparse(n.func).startswith(("np.random.", "numpy.random."))]
    return found


def quiet(root: Path) -> list[str]:
    """Only the command line prints."""
    return [f"{name}:{n.lineno} prints" for name, _, tree in modules(root) if room(name) != "cli"
            for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "print"]


def names(root: Path) -> list[str]:
    """A noun is a file: no drawers for odds and ends."""
    drawers = {"utils", "util", "helpers", "helper", "misc", "common", "base", "tools"}
    return [f"{path.relative_to(root)} is a drawer" for path in sorted(root.rglob("*"))
            if (path.suffix == ".py" and path.stem in drawers) or (path.is_dir() and path.name in drawers)]


def opening(root: Path) -> list[str]:
    """A file opens with what it is for."""
    return [f"{path.relative_to(root)} has no docstring" for _, path, tree in modules(root)
            if not ast.get_docstring(tree) and path.read_text(encoding="utf-8").strip()]


def length(root: Path, most: int = 500) -> list[str]:
    """A file fits in a few glances."""
    return [f"{path.relative_to(root)} has {lines} lines" for path in sorted(root.rglob("*.py"))
            if (lines := len(path.read_text(encoding="utf-8").splitlines())) > most]


RULES = (falling, wings, ground, seams, unsafe, chance, quiet, names, opening, length)

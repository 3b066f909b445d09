"""The house: imports point one way, never in a circle; rooms stay small; no name hides another."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from project import ROOT

PACKAGE = ROOT / "anonlab"
LAYERS = (
    {"errors", "version"},
    {"machine"},
    {"formats"},
    {"mm"},
    {"rmap"},
    {"kernel"},
    {"histories"},
    {"recording"},
    {"proof"},
    {"box"},
    {"live", "bench", "notebook"},
    {"course"},
    {"learn"},
    {"grading"},
    {"cli"},
    {"__main__"},
)
"""Lowest first: a module imports its own room and lower layers, nothing else."""
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
WITNESSES = {"view", "linux"}
"""They see formats and the words of the machine only; who stands above proof may use them."""
SEEN_BY_WITNESSES = (
    "anonlab.errors",
    "anonlab.version",
    "anonlab.formats",
    "anonlab.machine.words",
)
CORE = {"machine", "mm", "rmap", "kernel"}
WIDGETS = {"anywidget", "ipywidgets", "IPython", "traitlets"}
MOST_FILE_LINES = 400
MOST_FUNCTION_LINES = 40
MOST_MODULES_AT_THE_TOP = 6
VAGUE = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}


def module_of(path: Path) -> str:
    """'anonlab.formats.trace' for anonlab/formats/trace.py, 'anonlab.view' for its __init__."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {
    module_of(path): (path, ast.parse(path.read_text("utf-8"), str(path)))
    for path in sorted(PACKAGE.rglob("*.py"))
}


def imports(module: str, tree: ast.Module, package: bool) -> Iterator[str]:
    """Every module that is imported anywhere, late and for types too, by its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".")
            above = parents[: len(parents) - node.level + package] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in TREES else base


GRAPH = {
    module: set(imports(module, tree, path.name == "__init__.py"))
    for module, (path, tree) in TREES.items()
}


def room(module: str) -> str:
    """The layer of a module of anonlab; '' for the package itself."""
    return module.split(".")[1] if "." in module else ""


def wrong_import(module: str, other: str) -> str:
    """Why `module` must not import `other`, or ''."""
    own, into = room(module), room(other)
    top = other.split(".")[0]
    if top != "anonlab":
        if own in CORE and top not in {"numpy", *sys.stdlib_module_names}:
            return "the core imports NumPy and the standard library only"
        return "graders show no widgets" if own == "grading" and top in WIDGETS else ""
    if not own or own == into:
        return ""
    if not into:
        return "the package itself imports everything: name the module"
    if own in WITNESSES:
        seen = any(f"{other}.".startswith(f"{name}.") for name in SEEN_BY_WITNESSES)
        return "" if seen else "it sees formats and words only"
    if into in WITNESSES:
        return "" if RANK[own] > RANK["proof"] else "pictures and witnesses stand aside"
    return "" if RANK[into] < RANK[own] else "imports point down"


def circles(graph: dict[str, set[str]]) -> list[str]:
    """One circle of imports, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_point_one_way() -> None:
    assert {room(module) for module in TREES} <= {"", *RANK, *WITNESSES}, "a room has no layer"
    wrong = [
        f"{module} imports {other}: {why}"
        for module, others in GRAPH.items()
        for other in sorted(others)
        if (why := wrong_import(module, other))
    ]
    assert not wrong, "\n".join(wrong)
    ours = {module: others & set(TREES) for module, others in GRAPH.items() if room(module)}
    assert not circles(ours)
    # The rule sees what it is there for.
    assert wrong_import("anonlab.machine.tables", "anonlab.mm") == "imports point down"
    assert wrong_import("anonlab.view.stage.stage", "anonlab.kernel")
    assert wrong_import("anonlab.kernel.fault", "anonlab.view")
    assert circles({"a": {"b"}, "b": {"a"}})


def test_rooms_are_small_and_their_names_say_something() -> None:
    wrong = []
    for module, (path, tree) in TREES.items():
        if (lines := len(path.read_text("utf-8").splitlines())) > MOST_FILE_LINES:
            wrong.append(f"{module} has {lines} lines")
        if VAGUE & set(module.replace("_", ".").split(".")):
            wrong.append(f"{module} says nothing")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    wrong.append(f"{module}.{node.name} has {lines} lines")
    assert not wrong, "\n".join(wrong)
    top = sorted(path.name for path in PACKAGE.glob("*.py"))
    assert len(top) <= MOST_MODULES_AT_THE_TOP, top


def test_no_name_hides_a_module() -> None:
    """`from package import name` must not give a function where a module has that name."""
    hidden = []
    for module, (path, tree) in TREES.items():
        if path.name != "__init__.py":
            continue
        names = {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        names |= {
            node.name: node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        for name, origin in names.items():
            if f"{module}.{name}" in TREES and origin != f"{module}.{name}":
                hidden.append(f"{module}.{name} is a module, and {origin}")
    assert not hidden, "\n".join(hidden)

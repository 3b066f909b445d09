"""Imports point one way, files stay small, and names say what a module is for."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from project import ROOT

PACKAGE = ROOT / "anonlab"
FILES = sorted(PACKAGE.rglob("*.py"))

LOWER = {
    name: rank
    for rank, names in enumerate(
        [
            ("errors", "version"),
            ("formats",),
            ("machine",),
            ("mm",),
            ("rmap",),
            ("kernel",),
            ("scan",),
            ("check", "histories", "record"),
            ("checked", "compare", "golden", "mutants", "workers"),
            (
                "course",
                "verify",
                "verify_live",
                "simulated",
                "bench",
                "beside",
                "doctor",
                "display",
                "representations",
                "workbench",
            ),
            ("grading",),
            ("terminal",),
            ("cli", "cli_course", "cli_grade", "cli_linux"),
            ("__main__",),
        ]
    )
    for name in names
}
"""Layer -> rank; a layer imports lower ranks and, within its own rank, without cycles."""
WITNESSES = ("view", "linux")
"""They see formats and errors only, and only the ranks above check may use them."""
SEES_WITNESSES = LOWER["course"]
WIDGETS = {"anywidget", "ipywidgets", "IPython", "traitlets"}
CORE = ("machine", "mm", "rmap", "kernel", "scan", "check")


def module_of(path: Path) -> str:
    """'anonlab.formats.trace' for anonlab/formats/trace.py, 'anonlab.view' for its __init__."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def layer_of(module: str) -> str:
    """The part of a module's name that the layers are about; '' for the package itself."""
    return module.split(".")[1] if "." in module else ""


def imports_of(tree: ast.Module, module: str, package: bool) -> Iterator[str]:
    """Every module that `module` imports anywhere, as full names; `from a import b` gives a.b
    where that is a module and a where it is not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")
                keep = len(parents) - node.level + package
                base = ".".join([*parents[:keep], *([base] if base else [])])
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield name if name in MODULES else base


def imports(path: Path) -> set[str]:
    """Modules that the file imports."""
    tree = ast.parse(path.read_text("utf-8"), str(path))
    return set(imports_of(tree, module_of(path), path.name == "__init__.py"))


def wrong_import(module: str, imported: str) -> str:
    """Why `module` must not import `imported`, or '' where it may."""
    own, other = layer_of(module), layer_of(imported)
    if not imported.startswith("anonlab") or not own or own == other:
        return ""
    if other == "":
        return "the package itself imports everything: name the module"
    if own in WITNESSES:
        return "" if other in ("errors", "formats", "version") else "it sees formats only"
    if other in WITNESSES:
        return "" if LOWER[own] >= SEES_WITNESSES else "pictures and witnesses stand aside"
    return "" if LOWER[other] <= LOWER[own] else "imports point down"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_point_one_way(path: Path) -> None:
    module = module_of(path)
    wrong = {name: why for name in imports(path) if (why := wrong_import(module, name))}
    assert not wrong, f"{module} imports {wrong}"


def test_every_module_has_a_layer() -> None:
    assert {layer_of(module) for module in MODULES} - {"", *LOWER, *WITNESSES} == set()


def test_no_cycles_between_layers() -> None:
    graph: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        ours = {layer_of(name) for name in imports(path) if name.startswith("anonlab")}
        graph.setdefault(layer_of(module), set()).update(ours - {layer_of(module)})
    graph.pop("")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(f"layers import each other: {error.args[1]}") from None


def test_grading_imports_no_widgets() -> None:
    for module, path in MODULES.items():
        if layer_of(module) == "grading":
            assert not {name.split(".")[0] for name in imports(path)} & WIDGETS, module


@pytest.mark.parametrize("layer", CORE)
def test_the_core_imports_numpy_and_the_standard_library_only(layer: str) -> None:
    for module, path in MODULES.items():
        if layer_of(module) == layer:
            outside = {name.split(".")[0] for name in imports(path)} - sys.stdlib_module_names
            assert outside <= {"anonlab", "numpy"}, f"{module} imports {outside}"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_no_file_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_names_say_what_a_module_is_for(path: Path) -> None:
    words = set(path.with_suffix("").relative_to(PACKAGE).as_posix().replace("_", "/").split("/"))
    assert not words & {"utils", "util", "common", "helpers", "helper", "manager", "misc"}


@pytest.mark.parametrize(
    ("module", "imported", "why"),
    [
        ("anonlab.machine.tables", "anonlab.mm.vma", "imports point down"),
        ("anonlab.view.svg", "anonlab.kernel", "it sees formats only"),
        ("anonlab.linux.pagemap", "anonlab.check", "it sees formats only"),
        ("anonlab.kernel.fault", "anonlab.view", "pictures and witnesses stand aside"),
        ("anonlab.mm.vma", "anonlab", "the package itself imports everything: name the module"),
        ("anonlab.course.build", "anonlab.view", ""),
        ("anonlab.record", "anonlab.histories.run", ""),
        ("anonlab.kernel.fork", "anonlab.mm", ""),
    ],
)
def test_the_rule_itself(module: str, imported: str, why: str) -> None:
    assert wrong_import(module, imported) == why


def test_relative_and_late_imports_are_seen() -> None:
    source = "from ..formats import words\ndef late():\n    import anonlab.view\n"
    found = set(imports_of(ast.parse(source), "anonlab.machine.tables", package=False))
    assert found == {"anonlab.formats.words", "anonlab.view"}

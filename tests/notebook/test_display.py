"""Objects show themselves: HTML, SVG and text with the same facts, and nothing loads for it."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

import anonlab
from anonlab import Kernel, Trace, compare, record
from anonlab.formats import trace as traces
from anonlab.histories import library
from anonlab.histories.bill_meter import bill_of
from anonlab.notebook.display import SHOWN
from anonlab.notebook.representations import bundle
from anonlab.view import text_twin

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def things() -> dict[str, Any]:
    kernel = Kernel()
    shell = kernel.spawn("shell")
    heap = shell.mmap(8192, at=0x30000)
    shell.write(heap, 7)
    history = library.load("fork_and_write")
    return {
        "Kernel": kernel, "Task": shell, "Page": shell.page(heap), "Cost": kernel.design.cost,
        "Snapshot": kernel.snapshot(), "History": history, "Trace": record(history),
        "Comparison": compare(history, ["anongroup"]), "Bill": bill_of(history),
    }  # fmt: skip


@pytest.mark.parametrize("name", [kind.__name__ for kind in SHOWN])
def test_everything_has_html_and_text(things: dict[str, Any], name: str) -> None:
    made = things[name]._repr_mimebundle_()
    assert made["text/html"]
    assert made["text/plain"]
    if name in ("Kernel", "Task", "Snapshot", "Trace"):
        root = ElementTree.fromstring(made["image/svg+xml"])
        assert root.get("role") == "img"
        assert root.findtext("{*}title")


def test_a_kernel_is_told_as_its_text_twin(things: dict[str, Any]) -> None:
    made = things["Kernel"]._repr_mimebundle_()
    assert made["text/plain"] == text_twin(things["Kernel"].snapshot())


def test_a_process_shows_its_own_page_tables_only() -> None:
    kernel = Kernel()
    shell, other = kernel.spawn("shell"), kernel.spawn("other")
    other.mmap(4096, at=0x50000)
    made = shell._repr_mimebundle_()  # type: ignore[attr-defined]
    assert "of shell" in made["text/plain"]
    assert "0x50000" not in made["text/plain"] + made["image/svg+xml"]
    shell.exit()
    assert "exited" in shell._repr_mimebundle_()["text/html"]  # type: ignore[attr-defined]


def test_names_stay_text() -> None:
    kernel = Kernel()
    task = kernel.spawn(EVIL)
    task.exit()
    for thing in (kernel, task):
        assert EVIL not in thing._repr_mimebundle_()["text/html"]


def test_a_trace_writes_its_page(tmp_path: Path) -> None:
    target = record(library.load("first_touch")).save_html(tmp_path / "a.html", title="mine")
    assert "<title>mine</title>" in target.read_text(encoding="utf-8")


def test_a_trace_without_anybody_who_draws_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(traces, "_drawers", [])
    with pytest.raises(RuntimeError, match="import anonlab first"):
        Trace("t", ()).save_html(tmp_path / "a.html")


def test_showing_loads_the_view_and_importing_does_not() -> None:
    code = (
        "import sys, anonlab; assert 'anonlab.view' not in sys.modules; "
        "anonlab.Kernel()._repr_mimebundle_(); assert 'anonlab.view' in sys.modules; "
        "assert 'ipywidgets' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_explore_is_there_without_widgets_being_loaded() -> None:
    assert callable(anonlab.explore)


def test_a_page_says_its_index_as_its_address_reads(things: dict[str, Any]) -> None:
    page = things["Page"]
    assert "index=0x30" in repr(page)
    assert "<td>0x30</td>" in bundle(page)["text/html"].replace(' style="text-align:left"', "")

"""In a real JupyterLab: exercise 04a as a learner would do it, with a restart of the kernel."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import chromium, needs_browser
from labserver import Notebook, Watch, jupyter_lab
from project import ROOT

from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.masters import read_master

pytestmark = [needs_browser, pytest.mark.xdist_group("browser")]
RIGHT = read_master(ROOT / "solutions" / "ex04a_fork.py").solution
BOTH = "return parent, parent & ~ACCESSED"
WRONG = RIGHT.replace(BOTH, "return word, parent & ~ACCESSED")


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Notebook, Path]]:
    """Notebook 04 in a learner's folder, run from top to bottom."""
    monkeypatch.delenv("ANONLAB_COURSE", raising=False)
    folder = tmp_path / "course"
    for part in ("exercises", "tests/exercises/public"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "notebooks").mkdir()
    shutil.copyfile(ROOT / "notebooks" / "04_fork.ipynb", folder / "notebooks" / "04_fork.ipynb")
    (tmp_path / "lab").mkdir()
    with chromium() as browser, jupyter_lab(folder / "notebooks", tmp_path / "lab") as address:
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        watch = Watch(page)
        notebook = Notebook(page, address, "04_fork.ipynb")
        notebook.run_all()
        assert notebook.complaints() == []
        yield notebook, folder
        assert watch.wrong == []


def said(notebook: Notebook, source: str) -> str:
    """Run a cell at the end and return what it shows as text, and that it is drawn."""
    notebook.start_cell(source)
    notebook.until(f"return !(() => {{ {Notebook.LAST_RUNS} }})()", 120)
    outputs = notebook.ask("return model.cells.get(model.cells.length - 1).outputs.toJSON();")
    assert [output["output_type"] for output in outputs] == ["execute_result"], outputs
    return "".join(outputs[0]["data"]["text/plain"])


def restart(notebook: Notebook) -> None:
    """Restart the kernel, as the menu does after its question."""
    notebook.ask("panel.sessionContext.session.kernel.restart();")
    notebook.until(f"return {Notebook.KERNEL} === 'idle'", 60)


def test_a_learner_does_exercise_04a(opened: tuple[Notebook, Path]) -> None:
    notebook, folder = opened
    wrong = said(notebook, f"%%exercise 04a\n{WRONG}")
    assert "Did you leave the parent's word writable?" in wrong
    assert "the shortest history that shows it:" in wrong
    last = notebook.page.locator(".jp-CodeCell").last
    assert last.locator("svg.anonlab-picture").count() == 2
    assert said(notebook, 'hint("04a")').startswith("hint 1 of 3:")
    right = said(notebook, f"%%exercise 04a\n{RIGHT}")
    assert "Public checks passed; hidden ones run at grading" in right
    assert "04a  passed    4 of  4" in said(notebook, "progress()")
    restart(notebook)
    said(notebook, "from anonlab.learn import check, progress\n0")
    assert "Public checks passed" in said(notebook, 'check("04a")')
    assert "04a  passed    4 of  4" in said(notebook, "progress()")
    template = json.loads((folder / "exercises" / "catalogue.json").read_text("utf-8"))
    stub = next(each["stub"] for each in template["exercises"] if each["number"] == "04a")
    assert "your work is in ex04a_fork.py" in said(notebook, f"%%exercise 04a\n{stub}")
    assert "np.where(present, words & ~WRITE, words)" in (
        folder / "exercises" / "ex04a_fork.py"
    ).read_text("utf-8")
    assert [event["ok"] for event in ProgressLog(folder).events("check", exercise="04a")] == [
        *(False, False),
        *(True, True, True),
    ]

"""Notebooks as pages: run once, and what needs Python given a form that needs none.

A player keeps its numbers and gets the script of the site. A card gets what is right along with it.
Where only Python can go on (exercises, drills, one's own progress) the page says so and links to
JupyterLite.
"""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

HERE = Path(__file__).parent
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
KEPT = "Kept on this page until you leave it."
BEFORE = """
import functools, sys
import anonlab.learn as learn
learn.play = functools.partial(learn.play, gate=False)
learn.reveal = functools.partial(learn.reveal, gate=False)
"""
"""Nobody predicts while the site is built: what comes after a prediction is shown all the same, and
the page folds it."""
AFTER = f"""
import json, sys
sys.path.insert(0, {str(HERE)!r})
from card_truths import page_truths
print(json.dumps(page_truths()))
"""
OWN = ("predicted(", "progress(", "then_and_now(", "measure_here(")
"""What shows the reader's own work."""
RUN = "lite/lab/index.html?path=notebooks/{name}"
WANTS_PYTHON = {
    "exercise": "Here you write code, and checks try it. {run} to do the exercise.",
    "drill": "This is a first question. {run} to answer it and to get fresh ones.",
    "own": "Here stands what you did yourself. {run} to see yours.",
}


def page_of(path: Path) -> NotebookNode:
    """Run the notebook at `path` in its folder, and return it as the site shows it.

    raises  nbclient.exceptions.CellExecutionError if a cell fails
    """
    notebook = nbformat.read(path, as_version=4)
    asks = [cell for cell in notebook.cells if cell.source.startswith("%%exercise")]
    for cell in asks:  # a stub is no answer; nothing is checked here
        cell.cell_type, cell.metadata["was"] = "raw", "exercise"
    before, after = map(nbformat.v4.new_code_cell, (BEFORE, AFTER))
    notebook.cells = [before, *notebook.cells, after]
    NotebookClient(
        notebook,
        timeout=300,
        store_widget_state=True,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    truths = json.loads("".join(output.get("text", "") for output in after.outputs))
    states = notebook.metadata.pop("widgets", {}).get(STATE, {}).get("state", {})
    notebook.cells = notebook.cells[1:-1]
    for at, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":  # [1] is another one in each cell, and a page is one text
            cell.source = re.sub(r"\[(\d)\](?=:|(?<=\]\[.\]))", rf"[{at}-\1]", cell.source)
    run = f'<a class="run" href="{RUN.format(name=path.name)}">Run this page</a>'
    for cell in notebook.cells:
        if cell.metadata.pop("was", ""):
            cell.cell_type, cell.execution_count = "code", None
            cell.outputs = [_html(_wants_python("exercise", run))]
        elif cell.cell_type == "code":
            _shown(cell, states, truths, run)
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(_head(run)))
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    return notebook


def _head(run: str) -> str:
    return (
        '<p class="al-run">Players and cards work on this page. To change and run its code: '
        f"{run} in your browser. Nothing is installed.</p>"
    )


def _shown(cell: NotebookNode, states: Any, truths: Any, run: str) -> None:
    """Give the outputs of a cell the form that the site shows."""
    tags = cell.metadata.setdefault("tags", [])
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        tags.append("hide-input")
    if cell.source.startswith(OWN):
        cell.outputs = [_html(_wants_python("own", run))]
        return
    if "reveal(" in cell.source:
        # The code may give it away, too.
        cell.metadata["mystnb"] = {"code_prompt_show": "Show what happened (predict first)"}
        tags[:] = [*(tag for tag in tags if tag != "hide-input"), "hide-cell"]
    outputs = list(cell.outputs)
    cell.outputs = []
    while outputs:
        output = outputs.pop(0)
        view = output.get("data", {}).get(VIEW)
        if view is None:
            cell.outputs.append(_without_lab_style(output))
            continue
        # The form without widgets follows each widget.
        still = outputs.pop(0)["data"]["text/html"] if outputs else ""
        state = states[view["model_id"]]["state"]
        cell.outputs.append(_html(_host(state, still, truths, run)))
    if cell.source.startswith("drill("):
        cell.outputs.append(_html(_wants_python("drill", run)))


def _host(state: dict[str, Any], still: str, truths: dict[str, Any], run: str) -> str:
    """Return the place of a widget: its state as JSON, and what stands there without a script."""
    if "frames" in state:
        kind = "player"
        plain = {
            "frames": state["frames"],
            "step": 0,
            "chosen": "",
            "predictions": {},
            "keeping": "",
        }
    elif "card" in state:
        kind, name = "card", state["card"]["name"]
        plain = {"card": state["card"], "html": state["html"], "answers": [], "verdict": {}}
        plain["truths"] = truths.get(name)
    else:
        return f"{still}{_wants_python('own', run)}"
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    return (
        f'<div class="al-host" data-anonlab="{kind}">'
        f'<script type="application/json">{text.replace("<", chr(92) + "u003c")}</script>'
        f'<div class="al-still">{still}</div></div>'
    )


def _wants_python(kind: str, run: str) -> str:
    return f'<p class="al-run">{WANTS_PYTHON[kind].format(run=run)}</p>'


def _html(text: str) -> NotebookNode:
    data = {"text/html": text, "text/plain": "(see the page)"}
    return nbformat.v4.new_output("display_data", data=data)


def _without_lab_style(output: NotebookNode) -> NotebookNode:
    """Return an output as a page shows it: one form, and long text that breaks."""
    data = output.get("data", {})
    if "text/html" not in data and "text/plain" in data and len(data["text/plain"]) > 2000:
        text = escape(data["text/plain"])
        data["text/html"] = f'<pre style="white-space:pre-wrap">{text}</pre>'
    return output

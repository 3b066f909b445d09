"""A notebook turned into HTML still makes sense: a picture, its text and a link, no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from browsers import chromium, needs_browser
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = [needs_browser, pytest.mark.xdist_group("browser")]

CODE = """\
from anonlab import record
from anonlab.view.player.player import Player
trace = record("a = spawn\\na mmap 0x30000 1\\na write 0x30000 7\\n", title="one <page>")
Player(trace, page="one.html")
"""


def executed(folder: Path, state: bool) -> Any:
    """The notebook with its outputs, with or without the state of its widgets."""
    notebook = new_notebook(cells=[new_code_cell(CODE)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    client = NotebookClient(
        notebook, resources={"metadata": {"path": str(folder)}}, store_widget_state=state
    )
    client.execute()
    nbformat.validate(notebook)
    return notebook


@pytest.mark.filterwarnings("ignore")  # nbconvert's own
@pytest.mark.parametrize("state", [False, True])
def test_an_exported_notebook_shows_picture_text_and_a_link_without_network(
    tmp_path: Path, state: bool
) -> None:
    nbconvert = pytest.importorskip("nbconvert", reason="nbconvert is not installed")
    body, _ = nbconvert.HTMLExporter().from_notebook_node(executed(tmp_path, state))
    target = tmp_path / "notebook.html"
    target.write_text(body, encoding="utf-8")
    with chromium() as browser:
        page = browser.new_context(offline=True).new_page()
        page.goto(target.as_uri())
        static = page.locator(".anonlab-static")
        assert static.is_visible()
        assert static.locator("svg.anonlab-picture").is_visible()
        assert "one <page>: the last of" in static.inner_text()
        static.locator("summary").click()
        assert "Page 0x30000: frame 1, writable" in static.inner_text()
        link = static.locator("a").get_attribute("href")
        page.goto((tmp_path / str(link)).as_uri())
        assert page.locator(".anonlab-player").get_attribute("data-step") == "0"

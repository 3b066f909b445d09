"""The course in Notebook 7: its first page runs, a scene steps and asks, a card keeps an answer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from browsers import chromium, needs_browser
from labserver import Notebook, Watch, jupyter_lab
from playwright.sync_api import expect

from anonlab.course.authoring.starting import start_folder

pytestmark = [needs_browser, pytest.mark.xdist_group("browser"), pytest.mark.slow(share=0)]


@pytest.fixture
def notebook_7(tmp_path: Path) -> Path:
    """A folder with the package and its settings; the rest is JupyterLab's."""
    folder = tmp_path / "packages"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*command, "--target", str(folder), "notebook>=7.2,<8"], check=True)
    lab = folder / "share" / "jupyter" / "lab"
    shutil.copytree(Path(sys.prefix) / "share" / "jupyter" / "lab", lab, dirs_exist_ok=True)
    return folder


def test_the_first_notebook_runs_and_its_scene_and_card_work(
    notebook_7: Path, tmp_path: Path
) -> None:
    course = start_folder(tmp_path / "course").root
    (tmp_path / "scratch").mkdir()
    with (
        jupyter_lab(course, tmp_path / "scratch", packages=notebook_7) as address,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        watch = Watch(page)
        notebook = Notebook(page, address, "notebooks/00_start_here.ipynb", "notebooks")
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        code = "c.type === 'code' && c.sharedModel.source"
        notebook.until(f"return [...model.cells].every(c => !({code}) || c.executionCount)")
        assert notebook.complaints() == []
        player = page.locator(".anonlab-player:not(.anonlab-card)").first
        player.scroll_into_view_if_needed()
        player.locator("[data-do=next]").click()
        expect(player).to_have_attribute("data-step", "1")
        card = page.locator(".anonlab-card").first
        card.scroll_into_view_if_needed()
        card.locator("[data-do=dunno]").click()
        expect(card.locator("[data-reveal]")).to_be_visible()
        # Notebook 7.6 says this of itself, with an empty notebook, too.
        assert [one for one in watch.wrong if "reading 'schema'" not in one] == []
    assert (course / ".anonlab" / "progress.jsonl").is_file()

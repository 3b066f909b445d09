"""From a click to the changed picture: in JupyterLab, kernel idle and busy, and on a page.

Run it in the project's folder: ``python benchmarks/player.py``. "DOM" is the time until the new
step is in the document, "painted" until the next frame has been drawn, which includes waiting for
the screen. The budget of DOM is a median of 10 ms and a 95th percentile of 25 ms.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import nbformat
from labserver import Notebook, chromium, jupyter_lab
from nbformat.v4 import new_code_cell, new_notebook

from anonlab import record
from anonlab.histories import library

STEPS = 200
CELL = """\
from anonlab import record
from anonlab.histories import library
from anonlab.view.player.player import Player

Player(record(library.load("prefork")))
"""
MEASURE = """async (steps) => {
    const root = document.querySelector(".anonlab-player");
    const press = (name) => root.querySelector(`[data-do=${name}]`).click();
    const wait = () => new Promise((done) => {
        const seen = new MutationObserver(() => { seen.disconnect(); done(); });
        seen.observe(root, { attributes: true, attributeFilter: ["data-step"] });
    });
    const times = [];
    let way = "next";
    for (let n = 0; n < steps; n += 1) {
        if (root.querySelector(`[data-do=${way}]`).ariaDisabled === "true") {
            way = way === "next" ? "previous" : "next";
        }
        const start = performance.now();
        const changed = wait();
        press(way);
        await changed;
        const dom = performance.now() - start;
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        times.push([dom, performance.now() - start]);
    }
    return times;
}"""


def told(times: list[list[float]]) -> dict[str, float]:
    """Return median and 95th percentile of DOM and painted times, in ms."""
    out = {}
    for name, column in zip(("dom", "painted"), zip(*times, strict=True), strict=True):
        out[f"{name}_median_ms"] = round(statistics.median(column), 2)
        out[f"{name}_p95_ms"] = round(statistics.quantiles(column, n=20)[-1], 2)
    return out


def on_a_page(browser: Any, folder: Path) -> dict[str, float]:
    """Measure the exported page."""
    path = record(library.load("prefork")).save_html(folder / "page.html")
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(path.as_uri())
    return told(page.evaluate(MEASURE, STEPS))


def in_the_lab(browser: Any, folder: Path) -> dict[str, dict[str, float]]:
    """Measure the player in JupyterLab, with the kernel idle and with a cell that sleeps."""
    notebooks, scratch = folder / "notebooks", folder / "scratch"
    notebooks.mkdir()
    scratch.mkdir()
    made = new_notebook(cells=[new_code_cell(CELL)])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, notebooks / "player.ipynb")
    with jupyter_lab(notebooks, scratch) as address:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        notebook = Notebook(page, address, "player.ipynb")
        notebook.run_all()
        page.wait_for_selector(".anonlab-player")
        idle = told(page.evaluate(MEASURE, STEPS))
        notebook.start_cell("import time\n\ntime.sleep(30)")
        busy = told(page.evaluate(MEASURE, STEPS))
        assert notebook.ask(Notebook.LAST_RUNS), "the cell was to sleep all the time"
    return {"lab_kernel_idle": idle, "lab_kernel_busy": busy}


def main() -> None:
    """Measure and print one JSON object."""
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        print(json.dumps({"page": on_a_page(browser, folder), **in_the_lab(browser, folder)}))


if __name__ == "__main__":
    main()

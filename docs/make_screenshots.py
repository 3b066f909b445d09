"""Make the README's pictures of the player: `python docs/make_screenshots.py`, needs Chromium."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from anonlab import record
from anonlab.cli.doctor import BROWSERS
from anonlab.histories import library
from anonlab.view import save_html

HERE = Path(__file__).parent


def shown(browser: Any, path: Path, step: int, scheme: str, width: int, height: int) -> Any:
    """Open the page at `step`."""
    page = browser.new_page(
        viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=1.5
    )
    page.goto(f"{path.as_uri()}#step={step}")
    return page


def main() -> None:
    """Write walk.png and side-by-side.png into this folder."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, BROWSERS))),
            args=["--no-sandbox", "--disable-gpu"],
        )
        prefork = record(library.load("prefork"))
        step = next(at for at, step in enumerate(prefork.steps) if "w2 write" in step.text) + 1
        page = shown(browser, save_html(prefork, Path(name) / "a.html"), step, "light", 1240, 1000)
        page.click("[id$=mm4-pte-50]")
        page.click("[data-do=probes]")
        page.mouse.move(0, 0)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=HERE / "walk.png")
        history = library.load("mremap_after_fork")
        designs = ("anongroup", "anon_vma", "anon_vma_chain")
        traces = {design: record(history, design) for design in designs}
        page = shown(browser, save_html(traces, Path(name) / "b.html"), 14, "dark", 1600, 1000)
        page.click("[id$=d0-mm2-pte-80]")
        page.click("[data-do=probes]")
        page.mouse.move(0, 0)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=HERE / "side-by-side.png")
        browser.close()


if __name__ == "__main__":
    main()

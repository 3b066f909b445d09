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
SCALE = 1.25
"""Pixels of a picture for one of CSS: sharp enough for text of 12 px, and small files."""


def shot(browser: Any, path: Path, name: str, size: tuple[int, int], keys: dict[str, str]) -> None:
    """Write `name`.png and `name`-dark.png of the page at `path`.

    keys  "step" and "chosen", a slot; "tab" if a tab is to be open
    """
    for scheme, suffix in (("light", ""), ("dark", "-dark")):
        page = browser.new_page(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            device_scale_factor=SCALE,
            reduced_motion="reduce",
        )
        page.goto(f"{path.as_uri()}#step={keys['step']}")
        if "tab" in keys:
            page.click(f"[data-tab={keys['tab']}]")
        page.locator(f"[role=option][data-key={keys['chosen']}] >> visible=true").first.click()
        if "tab" in keys:
            page.click("[data-do=all]")
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        page.screenshot(path=HERE / f"{name}{suffix}.png")
        page.close()


def main() -> None:
    """Write the pictures into this folder."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, BROWSERS))),
            args=["--no-sandbox", "--disable-gpu"],
        )
        history = library.load("mremap_after_fork")
        trace = record(history)
        step = next(at for at, step in enumerate(trace.steps) if step.label == "fault.wp_copy")
        path = save_html(trace, Path(name) / "a.html")
        keys = {"step": str(step), "chosen": "p2-48", "tab": "rmap"}
        shot(browser, path, "walk", (1000, 720), keys)
        designs = ("anongroup", "anon_vma", "anon_vma_chain")
        traces = {design: record(history, design=design) for design in designs}
        path = save_html(traces, Path(name) / "b.html")
        shot(browser, path, "side-by-side", (1200, 720), {"step": "14", "chosen": "p2-128"})
        browser.close()


if __name__ == "__main__":
    main()

"""A page with nothing but the picture of one story on it, for tests in the browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anonlab.view
from anonlab.view.stage.palette import variables_css
from anonlab.view.story.words import words_js

STAGE = Path(anonlab.view.__file__).parent / "stage"
FILES = (
    *("page_numbers", "words", "moment", "differences", "story"),
    *("shapes", "folds", "layout", "draw", "memory", "arrows", "lecture", "patch"),
)
"""The JavaScript of the picture, in the order of the module."""
MOUNT = """
window.openIt = (payload) => {
  document.body.textContent = "";
  const host = document.createElement("div");
  host.className = "anonlab-player";
  document.body.append(host);
  window.story = openStory(payload);
  window.picture = new Picture(host, window.story, 0, "t");
  window.paint = (i, options = {}) => window.picture.paint(i, options, {move: options.move});
};
Object.assign(window, {drawPicture, heightFor, slotKey, frameKey, swapKey, surveyOf});
"""


def page_html(theme: str = "light") -> str:
    """Return the page; `openIt(payload)` puts a story on it, `paint(i, options)` draws a step."""
    scripts = "".join((STAGE / f"{name}.js").read_text(encoding="utf-8") for name in FILES)
    css = variables_css(".anonlab-player") + (STAGE / "picture.css").read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>picture</title>'
        f"<style>{css}.anonlab-player{{background:var(--al-panel)}}body{{margin:0}}</style></head>"
        f'<body data-jp-theme-light="{"true" if theme == "light" else "false"}">'
        f"<script>{words_js()}{scripts}{MOUNT}</script></body></html>"
    )


def mount(page: Any, payload: Any) -> None:
    """Put the story of `payload` on the page."""
    page.evaluate("text => openIt(JSON.parse(text))", json.dumps(payload))

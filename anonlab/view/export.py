"""The player as one HTML page: no network, no Python, the same module as in JupyterLab."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

from anonlab.formats.trace import Trace
from anonlab.view.graph import Layouter, dot_layout
from anonlab.view.palette import variables_css
from anonlab.view.payload import Payload, payload
from anonlab.view.stage import PICTURE_CSS

MOST_PAGE_BYTES = 4_000_000
"""Budget of one page."""
_HERE = Path(__file__).parent
_EXPORT_LINE = "export default { render };"

# The eight lines of a widget model that the module needs, then the module's own `render`.
_START = """
const model = {
  state: JSON.parse(document.getElementById("anonlab-state").textContent),
  heard: {},
  get(name) { return this.state[name]; },
  set(name, value) {
    this.state[name] = value;
    (this.heard["change:" + name] || []).forEach((listener) => listener());
  },
  save_changes() {},
  send() {},
  on(name, listener) { (this.heard[name] ||= []).push(listener); },
  off(name, listener) {
    this.heard[name] = (this.heard[name] || []).filter((one) => one !== listener);
  },
};
const last = model.get("frames").steps.length - 1;
const linked = () => Number((/[#&]step=(\\d+)/.exec(location.hash) || [0, 0])[1]);
const follow = () => model.set("step", Math.min(last, linked()));
model.state.step = Math.min(last, linked());
addEventListener("hashchange", follow);
render({ model, el: document.getElementById("anonlab") });
addEventListener("beforeprint", () => strip(model.get("frames"), document.getElementById("strip")));
"""


def player_css() -> str:
    """Return the style sheet of the player: palette, picture and controls."""
    sheets = (PICTURE_CSS, _HERE / "player.css")
    return variables_css(":is(.anonlab-player, .anonlab-page)") + "".join(
        sheet.read_text(encoding="utf-8") for sheet in sheets
    )


def html(
    trace: Trace,
    title: str | None = None,
    predict: Iterable[int] = (),
    layouter: Layouter = dot_layout,
) -> str:
    """Return a page that plays `trace`; `#step=7` in its address opens step 7.

    raises  ValueError for a trace that is empty or too large
    """
    made = payload(trace, title, predict, layouter)
    page = _page(made)
    if len(page.encode()) > MOST_PAGE_BYTES:
        raise ValueError(
            f"the page for {trace.title!r} has {len(page.encode()):,} bytes, a page holds "
            f"{MOST_PAGE_BYTES:,}: export fewer steps, for example Trace(title, trace.steps[:50])"
        )
    return page


def save_html(
    trace: Trace, path: str | Path, title: str | None = None, predict: Iterable[int] = ()
) -> Path:
    """Write `html(trace)` to `path` and return the path."""
    target = Path(path)
    target.write_text(html(trace, title, predict), encoding="utf-8")
    return target


def _page(made: Payload) -> str:
    state = json.dumps(
        {"frames": made, "step": 0, "prediction": {}}, separators=(",", ":"), ensure_ascii=False
    )
    title = escape(made["title"])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{player_css()}"
        "</style></head>\n"
        f'<body class="anonlab-page"><main id="anonlab"></main><div id="strip"></div>\n'
        f"<noscript>{_without_script(made)}</noscript>\n"
        f'<script type="application/json" id="anonlab-state">{_embedded(state)}</script>\n'
        f'<script type="module">\n{_module()}{_START}</script>\n</body></html>\n'
    )


def _embedded(plain: str) -> str:
    """Keep JSON from ending the script element that holds it."""
    return plain.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _module() -> str:
    """Return the player's module without its export: an inline script has nobody to export to."""
    source = (_HERE / "player.js").read_text(encoding="utf-8")
    assert source.count(_EXPORT_LINE) == 1, f"player.js must hold the line {_EXPORT_LINE!r} once"
    return source.replace(_EXPORT_LINE, "")


def _without_script(made: Payload) -> str:
    """Return every step as text."""
    out = [f"<h1>{escape(made['title'])}</h1>"]
    last = len(made["steps"]) - 1
    for at, step in enumerate(made["steps"]):
        lines = "\n".join(made["lines"][number] for number in step["lines"])
        head = f"step {at} of {last}: {step['title']}"
        out.append(
            f"<h2>{escape(head)}</h2><p>{escape(step['sentence'])}</p><pre>{escape(lines)}</pre>"
        )
    return "\n".join(out)

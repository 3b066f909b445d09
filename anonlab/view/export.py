"""The player as one HTML page: no network, no Python, the same module as in JupyterLab."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

from anonlab.view.graph import Layouter, dot_layout
from anonlab.view.palette import variables_css
from anonlab.view.payload import Payload, Played, payload, texts
from anonlab.view.stage import PICTURE_CSS

MOST_PAGE_BYTES = 4_000_000
"""Budget of one page."""
_HERE = Path(__file__).parent
_EXPORT_LINE = "export default { render };"


def player_css() -> str:
    """Return the style sheet of the player: palette, picture and controls."""
    sheets = (PICTURE_CSS, _HERE / "player.css", _HERE / "cards.css")
    return variables_css(":is(.anonlab-player, .anonlab-page)") + "".join(
        sheet.read_text(encoding="utf-8") for sheet in sheets
    )


def html(
    played: Played,
    title: str | None = None,
    predict: Iterable[int] = (),
    layouter: Layouter = dot_layout,
) -> str:
    """Return a page that plays a trace, or several of one history side by side, by name.

    `#step=7` in its address opens step 7.
    raises  ValueError for a trace that is empty or too large
    """
    made = payload(played, title, predict, layouter)
    page = _page(made)
    if len(page.encode()) > MOST_PAGE_BYTES:
        raise ValueError(
            f"the page for {made['title']!r} has {len(page.encode()):,} bytes, a page holds "
            f"{MOST_PAGE_BYTES:,}: export fewer steps, for example Trace(title, trace.steps[:50])"
        )
    return page


def save_html(
    played: Played, path: str | Path, title: str | None = None, predict: Iterable[int] = ()
) -> Path:
    """Write `html(played)` to `path` and return the path."""
    target = Path(path)
    target.write_text(html(played, title, predict), encoding="utf-8")
    return target


def _page(made: Payload) -> str:
    state = json.dumps(
        {"frames": made, "step": 0, "prediction": {}, "predictions": {}},
        separators=(",", ":"),
        ensure_ascii=False,
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
        f'<script type="module">\n{_module()}{_script("page.js")}</script>\n</body></html>\n'
    )


def _embedded(plain: str) -> str:
    """Keep JSON from ending the script element that holds it."""
    return plain.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _module() -> str:
    """Return the player's module without its export: an inline script has nobody to export to."""
    source = _script("player.js")
    assert source.count(_EXPORT_LINE) == 1, f"player.js must hold the line {_EXPORT_LINE!r} once"
    return source.replace(_EXPORT_LINE, "")


def _script(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _without_script(made: Payload) -> str:
    """Return every step as text."""
    out = [f"<h1>{escape(made['title'])}</h1>"]
    last = len(made["steps"]) - 1
    for at, (step, said) in enumerate(zip(made["steps"], texts(made), strict=True)):
        head = f"step {at} of {last}: {step['title']}"
        out.append(
            f"<h2>{escape(head)}</h2><p>{escape(step['sentence'])}</p><pre>{escape(said)}</pre>"
        )
    return "\n".join(out)

"""The player as one HTML page: no network, no Python, the same module as in JupyterLab."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from anonlab.view.player.payload import Payload, Played, TooLarge, size, texts
from anonlab.view.stage.graph import Layouter, dot_layout
from anonlab.view.stage.palette import variables_css
from anonlab.view.stage.parts import AT_HAND, Parts
from anonlab.view.stage.stage import PICTURE_CSS
from anonlab.view.story.words import words_js

MOST_PAGE_BYTES = 4_000_000
"""Budget of one page."""
ELSEWHERE = "the player in a notebook has the rest"
MOST_WHOLE = 80
"""Steps whose whole state is on the page as text for browsers without scripts."""
_HERE = Path(__file__).parent
_STAGE = _HERE.parent / "stage"
_STORY = _HERE.parent / "story"
STORY = (
    *(_STAGE / name for name in ("page_numbers.js", "words.js", "moment.js", "differences.js")),
    *(_STAGE / "story.js", _STORY / "text.js"),
)
"""The files that read a payload and tell it, without drawing; the first ones of the module."""
MODULE = (
    *(_STAGE / name for name in ("page_numbers.js", "words.js", "picture.js", "address.js")),
    _HERE / "player.js",
)
"""The files of the player's module, in order."""
PAGE = _HERE / "page.js"
_EXPORT_LINE = "export default { render };"


def player_css() -> str:
    """Return the style sheet of the player: palette, picture and controls."""
    sheets = (PICTURE_CSS, _HERE / "cards.css", _HERE / "player.css")
    return variables_css(":is(.anonlab-player, .anonlab-page)") + "".join(
        sheet.read_text(encoding="utf-8") for sheet in sheets
    )


def html(
    played: Played,
    title: str | None = None,
    predict: Iterable[int] = (),
    layouter: Layouter = dot_layout,
    thin: bool = True,
) -> str:
    """Return a page that plays a trace, or several of one history side by side, by name.

    `#step=7` in its address opens step 7. Of a trace that is longer than a page holds, the page has
    the last step of each operation, then of the first operations only, and says so.
    thin    False: raise instead
    raises  ValueError for a trace that is empty or too large
    """
    predict = tuple(predict)
    parts = Parts(played, title, predict, layouter)
    made, need = _fitting(parts)
    if len(made) == len(parts.ids):
        return _page(made)
    if not thin:
        raise TooLarge(
            f"the page for {parts.aligned.title!r} needs {need:,} bytes, a page holds "
            f"{MOST_PAGE_BYTES:,}: export fewer steps, for example Trace(title, trace.steps[:50])",
            need,
        )
    if not parts.sampled:
        parts = Parts(played, title, predict, layouter, sampled=True)
        made, _ = _fitting(parts)
    if len(made) < len(parts.ids):
        for part in made.values():
            part["note"] += f" This page holds {len(made)} of {len(parts.ids)} parts."
            part["parts"]["list"] = part["parts"]["list"][: len(made)]
    return _page(made)


def _fitting(parts: Parts) -> tuple[dict[str, Payload], int]:
    """Return the first parts that fit on a page, one at least, and the bytes that all need."""
    made: dict[str, Payload] = {}
    need = len(player_css()) + len(_module()) + len(_script(PAGE))
    for wanted in parts.ids:
        part = parts.part(wanted)
        for step in part["steps"]:
            if step.pop("more", None):  # nobody is there to draw the sub-steps
                part["note"] = part["note"].replace(AT_HAND, ELSEWHERE)
        more = size(part) + len(_without_script([part]).encode())
        if made and need + more > MOST_PAGE_BYTES:
            return made, round(need * len(parts.ids) / len(made))
        made[wanted] = part
        need += more
    return made, need


def save_html(
    played: Played, path: str | Path, title: str | None = None, predict: Iterable[int] = ()
) -> Path:
    """Write `html(played)` to `path` and return the path."""
    target = Path(path)
    target.write_text(html(played, title, predict), encoding="utf-8")
    return target


def _page(parts: dict[str, Payload]) -> str:
    first = next(iter(parts.values()))
    shown = {"parts": parts} if len(parts) > 1 else {"frames": first}
    plain = {**shown, "step": 0, "prediction": {}, "predictions": {}}
    state = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    title = escape(first["title"])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{player_css()}"
        "</style></head>\n"
        f'<body class="anonlab-page"><main id="anonlab"></main><div id="strip"></div>\n'
        f"<noscript>{_without_script(list(parts.values()))}</noscript>\n"
        f'<script type="application/json" id="anonlab-state">{_embedded(state)}</script>\n'
        f'<script type="module">\n{_module()}{_script(PAGE)}</script>\n</body></html>\n'
    )


def _embedded(plain: str) -> str:
    """Keep JSON from ending the script element that holds it."""
    return plain.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def player_js() -> str:
    """Return the player's module. Every notebook and every page stores it: without indentation
    and whole lines of comment (no text of it has a line break inside)."""
    source = words_js() + "".join(map(_script, MODULE))
    return re.sub(r"(?m)^[ \t]*(//.*)?\n|^[ \t]+", "", source)


def _module() -> str:
    """Return the player's module without its export: an inline script has nobody to export to."""
    source = player_js()
    assert source.count(_EXPORT_LINE) == 1, f"player.js must hold the line {_EXPORT_LINE!r} once"
    return source.replace(_EXPORT_LINE, "")


def _script(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _without_script(parts: Sequence[Payload]) -> str:
    """Return every step as text; of a long trace the whole state at keyframes only."""
    out = [f"<h1>{escape(parts[0]['title'])}</h1>"]
    total = sum(len(made["steps"]) for made in parts)
    for made in parts:
        last = len(made["steps"]) - 1
        for at, (step, said) in enumerate(zip(made["steps"], texts(made), strict=True)):
            head = f"step {at} of {last}: {step['title']}"
            whole = total <= MOST_WHOLE or "full" in step
            news = "\n".join(f"{sign} {told}" for sign, told, _ in step["changes"])
            told = escape(said if whole else news)
            out.append(f"<h2>{escape(head)}</h2><p>{escape(step['sentence'])}</p><pre>{told}</pre>")
    return "\n".join(out)

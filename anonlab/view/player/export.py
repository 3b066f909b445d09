"""The player as one HTML page: no network, no Python, the same module as in JupyterLab.

Picture and text of the opening step and the whole story as a list stand in the page; the script
takes over from there. So a browser that runs no script, a strict content security policy, and paper
show what they can.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from anonlab.view.stage.graph import Layouter, dot_layout, payload_layout
from anonlab.view.stage.palette import variables_css
from anonlab.view.stage.static import snapshot_svg
from anonlab.view.story.align import Aligned, align
from anonlab.view.story.columns import in_columns
from anonlab.view.story.payload import TABS, Payload, Played, payload
from anonlab.view.story.text import text_twin
from anonlab.view.story.words import say, step_words, words_js
from anonlab.view.templates import filled

MOST_PLAIN_BYTES = 200_000
"""A larger payload is sent compressed."""
MOST_LISTED = 400
"""Lines of the story, and of a picture's text, in the static form; a longer one says how many are
left out."""
_VIEW = Path(__file__).parent.parent


def _files(folder: str, names: str) -> tuple[Path, ...]:
    return tuple(_VIEW / folder / f"{name}.js" for name in names.split())


STORY = (
    *_files("stage", "page_numbers words moment differences story"),
    *_files("story", "text changes"),
)
"""The files that read a payload and tell it, without drawing; the first ones of the module."""
MODULE = (
    *STORY,
    *_files("stage", "layout folds shapes draw memory arrows lecture patch"),
    *_files("player", "elements told graph tabs card_parts cards left bar overview side"),
    *_files("player", "picture_file save keys stage shell player"),
)
"""The files of the player's module, in order: one scope, and the last one exports it."""
CARD = (
    *_files("stage", "page_numbers words"),
    *_files("player", "elements card_parts cards"),
)
"""The files that show a question card, for a module of its own."""
SHEETS = (_VIEW / "stage" / "picture.css", _VIEW / "player" / "stage.css")
PAGE = Path(__file__).with_name("page.js")
HOST_MODEL = Path(__file__).with_name("host_model.js")
_EXPORT_LINE = "export default { render };"


def player_css() -> str:
    """Return the style sheet of the player: palette, picture, and all around it."""
    sheets = "".join(sheet.read_text(encoding="utf-8") for sheet in SHEETS)
    return variables_css(":is(.anonlab-player,.anonlab-page)") + re.sub(
        r"(?m)^[ \t]+|\n+$", "", sheets
    )


def player_js() -> str:
    """Return the player's module."""
    return module_js(MODULE)


def module_js(files: Iterable[Path]) -> str:
    """Return a module of `files`, with the words of the chosen language in front. Every notebook
    and every page stores it: without indentation and whole lines of comment (no text has a line
    break inside)."""
    return words_js() + _source(tuple(files))


@lru_cache(8)
def _source(files: tuple[Path, ...]) -> str:
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    return re.sub(r"(?m)^[ \t]*(//.*)?\n|^[ \t]+", "", source)


def made_payload(
    played: Played,
    title: str | None = None,
    cards: Mapping[int, Any] | None = None,
    tabs: Iterable[str] = TABS,
    layouter: Layouter | None = dot_layout,
) -> Payload:
    """Return the payload of a player, with the graphs laid out; raises as `payload` does."""
    made = payload(played, title, cards, tabs)
    if layouter is not None and "rmap" in made["tabs"]:
        for track in made["tracks"]:
            track["graph"] = payload_layout(made, track, layouter)
    return made


def packed(made: Payload) -> Payload | str:
    """Return a payload as it is sent: a large one as "deflate:" and base64 of compressed JSON, in
    columns (view/story/columns.py)."""
    if len(_json(made)) <= MOST_PLAIN_BYTES:
        return made
    return "deflate:" + base64.b64encode(zlib.compress(_json(in_columns(made)), 9)).decode()


def _json(made: Payload) -> bytes:
    return json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode()


def cards_for(predict: Iterable[int]) -> dict[int, Any]:
    """Return the card that asks, before each of these steps, what will change in the picture."""
    return {
        step: {
            "name": f"marks-{step}",
            "title": say("ask.title"),
            "ask": say("ask.marks"),
            "parts": [{"kind": "mark", "text": say("ask.mark")}],
            "note": say("ask.note"),
            "chances": 1,
        }
        for step in predict
    }


def html(
    played: Played,
    title: str | None = None,
    predict: Iterable[int] = (),
    layouter: Layouter | None = dot_layout,
    cards: Mapping[int, Any] | None = None,
    tabs: Iterable[str] = TABS,
    note: str = "",
) -> str:
    """Return a page that plays a trace, or several of one history side by side, by name.

    `#step=7` in its address opens step 7, `#ask=7` asks its question, `#big` is for lectures;
    `theme=dark`, `tab=cost`, `tabs=rmap,cost`, `chosen=f3` say what they say.
    predict  numbers of steps before which the reader marks what will change
    cards    {step: the question that is asked before it}
    note     a sentence above the story, such as what was left out
    raises   ValueError for a trace that is empty, or a step or tab that is not there
    """
    asked = {**cards_for(predict), **(cards or {})}
    made = made_payload(played, title, asked, tabs, layouter)
    made["note"] = " ".join(filter(None, (note, made["note"])))
    return _page(made, align(played))


def save_html(
    played: Played, path: str | Path, title: str | None = None, predict: Iterable[int] = ()
) -> Path:
    """Write `html(played)` to `path` and return the path."""
    target = Path(path)
    target.write_text(html(played, title, predict), encoding="utf-8")
    return target


def _page(made: Payload, played: Aligned) -> str:
    state = {"frames": packed(made), "step": 0, "chosen": "", "predictions": {}, "keeping": ""}
    return filled(
        "player/page.html.j2",
        title=made["title"],
        note=made["note"],
        css=player_css(),
        body=static_form(made["title"], made["note"], played, tabs=made["tabs"]),
        state=_embedded(json.dumps(state, separators=(",", ":"), ensure_ascii=False)),
        script=page_js(PAGE),
    )


def static_form(
    title: str, note: str, played: Aligned, at: int = 0, tabs: Iterable[str] = TABS
) -> str:
    """Return picture and text of step `at`, the story as a list, and the last picture: all that
    needs neither script nor style sheet. `tabs` are those of the player."""
    steps, tabs = played.words, tuple(tabs)
    last = len(steps) - 1
    listed = [(step, *step_words(step, tabs)) for step in steps[:MOST_LISTED]]
    return filled(
        "player/static.html.j2",
        title=title,
        note=note,
        moments=[_moment(played, step, tabs) for step in dict.fromkeys((at, last))],
        last=last,
        lines=[{"step": number, "is_last": step.level == "op", "step_title": words,
                "text": step.text, "sentence": said, "error": step.error}
               for number, (step, words, said) in enumerate(listed)],
        more=max(0, len(steps) - MOST_LISTED),
    )  # fmt: skip


def _moment(played: Aligned, at: int, tabs: Sequence[str]) -> dict[str, object]:
    pictures = []
    tracks = played.tracks
    for track in tracks:
        snapshot = track.steps[track.at[at]].snapshot
        name = track.name if len(tracks) > 1 else ""
        text = text_twin(snapshot).splitlines(keepends=True)
        more = max(0, len(text) - MOST_LISTED)
        shown = "".join(text[:MOST_LISTED])
        pictures.append({"name": name, "svg": snapshot_svg(snapshot), "text": shown, "more": more})
    title, said = step_words(played.words[at], tabs)
    return {"step": at, "title": title, "sentence": said, "pictures": pictures}


def _embedded(plain: str) -> str:
    """Keep JSON from ending the script element that holds it."""
    return plain.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def page_js(own: Path) -> str:
    """Return the script of a page without a kernel: the player's module without its export, since
    an inline script has nobody to export to, a model for it, and the page's `own` script."""
    source = player_js()
    assert source.count(_EXPORT_LINE) == 1, f"player.js must hold the line {_EXPORT_LINE!r} once"
    added = "".join(file.read_text(encoding="utf-8") for file in (HOST_MODEL, own))
    return source.replace(_EXPORT_LINE, "") + added

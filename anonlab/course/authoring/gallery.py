"""Histories as pages: one history under one design or several, or all that come with anonlab.

``anonlab view`` calls these two functions.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path

from anonlab.course.authoring.pages import history_page
from anonlab.formats.history import History
from anonlab.formats.trace import Trace
from anonlab.histories import library
from anonlab.proof.replaying import read
from anonlab.recording.recorder import record
from anonlab.rmap import DESIGNS
from anonlab.view.player.export import html
from anonlab.view.stage.palette import variables_css
from anonlab.view.stage.static import snapshot_svg

BESIDE = ("anongroup", "anonmm", "anon_vma", "anon_vma_chain")
"""The designs that the gallery puts side by side: the mail, its rival, its successor, today."""
Progress = Callable[[int, int], None]
_STYLE = """
body{margin:0;background:var(--al-page);color:var(--al-ink);font:15px/1.5 var(--al-font)}
main{max-width:1240px;margin:0 auto;padding:28px 20px 40px}
h1{font-size:28px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:18px;line-height:1.3;margin:0 0 6px}
p{margin:0 0 10px;max-width:70ch}
.muted{color:var(--al-muted)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,360px),1fr));gap:20px}
.cards{align-items:start}
article{display:flex;flex-direction:column;background:var(--al-panel);overflow:hidden}
article{border:1px solid var(--al-faint);border-radius:12px}
article img{width:100%;height:250px;object-fit:cover;object-position:top left}
article img{border-bottom:1px solid var(--al-faint)}
article div{padding:14px 16px 16px}
pre{font:12.5px/1.5 var(--al-mono);white-space:pre-wrap;overflow-wrap:anywhere;margin:8px 0 0}
summary{cursor:pointer;color:var(--al-muted);font-size:13px}
a{color:var(--al-accent)}
.pages{display:flex;flex-wrap:wrap;gap:4px 14px;margin:0 0 10px;padding:0;list-style:none}
a:focus-visible,summary:focus-visible{outline:3px solid var(--al-accent);outline-offset:2px}
"""


def view(name: str, designs: Sequence[str] = ("anongroup",)) -> str:
    """Return the page of one history: the name of one in the library, or a file.

    designs  one, or two to four for side by side
    raises   ValueError if there is neither such a history nor such a file, or for an unknown
             design; FormatError if the file is no history
    """
    if name in library.names():
        history = library.load(name)
    elif Path(name).exists():
        history = read(Path(name)).history
    else:
        raise ValueError(
            f"there is no file {name!r} and no history of that name; there are "
            f"{', '.join(library.names())}"
        )
    return page_of(history, designs)


def page_of(history: History, designs: Sequence[str]) -> str:
    """Return the page that plays `history` under one design or several side by side."""
    if len(designs) == 1:
        return history_page(history, designs[0])
    return html({design: record(history, design) for design in designs})


def write_gallery(
    folder: Path, progress: Progress | None = None, designs: Sequence[str] = tuple(DESIGNS)
) -> list[Path]:
    """Write a page for every history of the library under each of `designs`, one with designs side
    by side, one for every recorded program, and `index.html` over them; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    names, logs = library.names(), library.logs()
    total, written = len(names) * (len(designs) + 1) + len(logs), []
    cards = []
    for name in names:
        pages = []
        for label, text in _pages(name, designs):
            target = folder / f"{name}-{label.replace(' ', '-')}.html"
            target.write_text(text, encoding="utf-8")
            written.append(target)
            pages.append((label, target.name))
            if progress is not None:
                progress(len(written), total)
        cards.append(_card(name, pages))
    for name in logs:
        target = folder / f"{name}.html"
        target.write_text(history_page(read(library.log(name)).history), encoding="utf-8")
        written.append(target)
        cards.append(_program(name, target.name))
        if progress is not None:
            progress(len(written), total)
    index = folder / "index.html"
    index.write_text(_index(cards), encoding="utf-8")
    return [index, *written]


def _pages(name: str, designs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (words of the link, page) for one history."""
    history = library.load(name)
    for design in designs:
        yield design, page_of(history, [design])
    several = [design for design in BESIDE if design in DESIGNS]
    yield "side by side", page_of(history, several)


def _card(name: str, pages: Sequence[tuple[str, str]]) -> str:
    trace = record(library.load(name), walks=False)
    links = "".join(f'<li><a href="{escape(to)}">{escape(label)}</a></li>' for label, to in pages)
    text = escape(library.text(name).strip())
    return (
        f"<article>{_picture(trace)}<div><h2>{escape(trace.title)}</h2>"
        f'<ul class="pages">{links}</ul>'
        f"<details><summary>the history</summary><pre>{text}</pre></details></div></article>"
    )


def _program(name: str, page: str) -> str:
    return (
        f"<article><div><h2>{escape(name)}: a real program</h2>"
        "<p>Recorded with strace on Linux, replayed on the simulated kernel.</p>"
        f'<ul class="pages"><li><a href="{escape(page)}">anongroup</a></li></ul></div></article>'
    )


def _picture(trace: Trace) -> str:
    """Return the moment with the most address spaces and frames, as an image with its words."""
    most = max(trace.steps, key=lambda step: (len(step.snapshot.mms), len(step.snapshot.pfn)))
    svg = base64.b64encode(snapshot_svg(most.snapshot).encode()).decode()
    words = f"page tables and frames after: {most.text}"
    return f'<img alt="{escape(words)}" src="data:image/svg+xml;base64,{svg}">'


def _index(cards: Sequence[str]) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>anonlab: histories to step through</title>\n"
        f"<style>\n{variables_css(':root')}{_STYLE}</style></head>\n<body><main>\n"
        "<h1>Who maps this page?</h1>\n"
        '<p class="muted">Histories to step through, under every reverse map that Linux has had. '
        "Each page stands alone: no network, no Python.</p>\n"
        f'<div class="cards">{"".join(cards)}</div>\n</main></body></html>\n'
    )

"""A language that nobody speaks: English in letters of double width. So each letter of a-z that is
left on the stage was written in code, or is a name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anonlab.formats.catalogue import ENGLISH, current, language, read_catalogue
from anonlab.formats.trace import Trace
from anonlab.machine.words import PAGE_FLAGS
from anonlab.view.story.payload import payload

_SYNTAX = re.compile(r"(\{[^}]*\}|\[\w+:)")
_WIDE = {
    ord(letter): ord(letter) + 0xFEE0 for letter in map(chr, [*range(65, 91), *range(97, 123)])
}
_LETTERS = re.compile(r"[A-Za-z][A-Za-z'-]+")
_NO_WORDS = re.compile(
    r"\b0x[0-9a-f]+|…[0-9a-f]+|\b[0-9a-f]*\d[0-9a-f]*\b|\b[a-f]{2,3}\b"  # numbers
    r"|(?<!\w)[-r][-w][-x](?!\w)|\b[PWUAD-]+\b"  # a protection, the bits of an entry
    r"|\bvpn\b|\bmm\b|\bpgd\b|\bp[um]d\b|\bpte\b|\bx86_(?:32|64)\b"  # of the field
)
_FILE = re.compile(r"[\w-]+-step-\d+\.(?:svg|png)\b")
NAMES = {"SVG", "PNG"}


def wide(template: str) -> str:
    """Return a template with other letters and the same holes."""
    parts = _SYNTAX.split(template)
    return "".join(part if at % 2 else part.translate(_WIDE) for at, part in enumerate(parts))


@contextmanager
def pseudo_language(folder: Path, changed: dict[str, str] | None = None) -> Iterator[None]:
    """Speak it; `changed` {key: template} are said otherwise."""
    sections = read_catalogue(ENGLISH).sections
    own = {name: {key: wide(text) for key, text in words.items()}
           for name, words in sections.items() if name != "language"}  # fmt: skip
    own["language"] = dict(sections["language"], **{"language.code": "en-x-wide"})
    for words in own.values():
        words.update((key, text) for key, text in (changed or {}).items() if key in words)
    path = folder / "wide.json"
    path.write_text(json.dumps(own), encoding="utf-8")
    before = current().name
    language(str(path))
    try:
        yield
    finally:
        language(before)


def names_of(trace: Trace) -> set[str]:
    """Every text of a trace that is data and no word: names, lines of the history, errors."""
    made = payload(trace)
    texts = set(_texts([made["lines"], made["facts"], made["counters"]]))
    texts |= {step.error for step in trace.steps} | {trace.title, made["geometry"][2]}
    texts |= {str(row[place]) for row in made["steps"] for place in (3, 7)}
    texts |= {track["design"] for track in made["tracks"]} | {name for _, name in PAGE_FLAGS}
    return {part for text in texts for part in (text, json.dumps(text)[1:-1]) if len(part) > 1}


def _texts(plain: Any) -> Iterable[str]:
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, dict):
        for each in plain.values():
            yield from _texts(each)
    elif isinstance(plain, (list, tuple)):
        for each in plain:
            yield from _texts(each)


def english_in(said: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return 'word: in which text' for every word that is no name, once each."""
    ordered = sorted(names, key=len, reverse=True)
    known = re.compile("|".join(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])" for name in ordered))
    found: dict[str, str] = {}
    for text in said:
        left = _NO_WORDS.sub(" ", known.sub(" ", _FILE.sub(" ", text)))
        for word in _LETTERS.findall(left):
            cut = f"{word}…" in left and any(name.startswith(word) for name in ordered)
            if word not in NAMES and not cut:
                found.setdefault(word, text)
    return [f"{word}: in {text[:160]!r}" for word, text in found.items()]

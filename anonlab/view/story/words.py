"""The words of pictures, text and player: one catalogue, words.json, which the browser gets too.

Sections say who speaks: the stage, the shell around it, the text twin, what changed; "steps" has
what steps say where no tab shows the reverse map (`plain.` and a label of formats/labels.py). A key
is unique in the whole catalogue, so that nobody names sections. The language of the templates is
that of formats/templates.py; view/stage/words.js fills them in the browser.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from anonlab.formats.templates import fill, short
from anonlab.formats.trace import Step
from anonlab.machine.words import PAGE_FLAGS

__all__ = ["WORDS", "say", "short", "step_words", "words_js"]

_CATALOGUE: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_name("words.json").read_text(encoding="utf-8")
)
WORDS = {key: words for section in _CATALOGUE.values() for key, words in section.items()}
"""{key: template} of all sections."""


def say(key: str, /, **arguments: object) -> str:
    """Return the words of `key`, filled in: ``say("slot.name", vpn=48, pfn=3)``.

    raises  ValueError if there are no such words, or an argument is missing
    """
    if key not in WORDS:
        raise ValueError(f"words.json has no {key!r}")
    try:
        return fill(WORDS[key], arguments)
    except ValueError as error:
        raise ValueError(f"the words {key!r}: {error}") from None


def step_words(step: Step, tabs: Iterable[str]) -> tuple[str, str]:
    """Return title and sentence of a step on a stage with these tabs: where none shows the reverse
    map, words that do not speak of it. A sentence that a trace brings along stays."""
    if "rmap" in tabs or step.template[0] is None:
        return step.title, step.sentence
    plain = WORDS.get(f"plain.{step.label}")
    title = WORDS.get(f"plain.title.{step.label}", step.title)
    return title, step.sentence if plain is None else step.filled(plain)


def words_js() -> str:
    """Return the lines of the player's module that hold the catalogue, by key, and the names of
    page flags."""
    tables = {"WORDS": WORDS, "PAGE_FLAGS": PAGE_FLAGS}
    return "".join(
        f"const {name} = {json.dumps(table, separators=(',', ':'), ensure_ascii=False)};\n"
        for name, table in tables.items()
    )

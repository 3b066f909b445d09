"""The words of pictures, text and player, from the catalogue (formats/catalogue.py).

The browser gets the sections that it says itself. Section "plain" has what steps say where no tab
shows the reverse map (`plain.` and a label); templates of steps come with the story (payload.py).
view/stage/words.js fills templates in the browser as formats/templates.py does here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from anonlab.formats.catalogue import Catalogue, current, say
from anonlab.formats.templates import short
from anonlab.formats.trace import Step
from anonlab.machine.words import PAGE_FLAGS

__all__ = ["said_in_browser", "say", "short", "step_words", "words_js"]

BROWSER = ("language", "stage", "shell", "plain", "text", "changes")
"""Sections of the catalogue that the browser gets."""


def step_words(step: Step, tabs: Iterable[str]) -> tuple[str, str]:
    """Return title and sentence of a step on a stage with these tabs: where none shows the reverse
    map, words that do not speak of it. A sentence that a trace brings along stays."""
    if "rmap" in tabs or step.template[0] is None:
        return step.title, step.sentence
    words = current().words
    plain = words.get(f"plain.{step.label}")
    title = words.get(f"plain.title.{step.label}", step.title)
    return title, step.sentence if plain is None else step.filled(plain)


def said_in_browser(spoken: Catalogue) -> dict[str, str]:
    """Return {key: template} of what the browser says."""
    return {key: text for name in BROWSER for key, text in spoken.sections[name].items()}


def words_js() -> str:
    """Return the lines of the player's module that hold the catalogue, by key, its plural forms,
    and the names of page flags."""
    spoken = current()
    tables = {"WORDS": said_in_browser(spoken), "PLURAL": spoken.plural, "PAGE_FLAGS": PAGE_FLAGS}
    return "".join(
        f"const {name} = {json.dumps(table, separators=(',', ':'), ensure_ascii=False)};\n"
        for name, table in tables.items()
    )

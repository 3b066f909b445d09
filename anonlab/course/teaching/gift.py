"""Questions with options as GIFT, the text that Moodle and other systems import.

https://docs.moodle.org/en/GIFT_format: `::title:: text {=right #words ~wrong #words}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from anonlab.course.teaching.entry import BankEntry, BankPart


def gift(entries: Iterable[BankEntry]) -> str:
    """Return every part with options, one of which is right, as a question; drills are left out:
    they are numbers that are drawn anew."""
    questions = []
    for entry in entries:
        if entry.kind == "drill":
            continue
        for at, part in enumerate(entry.parts, 1):
            if len(part.options) > 1 and part.options.count(part.right) == 1:
                questions.append(_question(entry, at, part))
    return "\n".join(questions)


def _question(entry: BankEntry, at: int, part: BankPart) -> str:
    number = f", part {at}" if len(entry.parts) > 1 else ""
    asked = " ".join(filter(None, (entry.text, *entry.lines, part.text)))
    lines = [f"$CATEGORY: anonlab/{entry.notebook}", ""]
    lines.append(f"::{_plain(entry.name + number)}::{_plain(asked)} {{")
    tells = dict(part.tells)
    for option in part.options:
        sign, words = ("=", part.why) if option == part.right else ("~", tells.get(option, ""))
        lines.append(f"  {sign}{_plain(option)}" + (f" #{_plain(words)}" if words else ""))
    return "\n".join([*lines, "}", ""])


def _plain(text: str) -> str:
    """Escape what GIFT reads as its own signs, and put the text on one line."""
    return re.sub(r"([~=#{}:\\])", r"\\\1", " ".join(text.split()))

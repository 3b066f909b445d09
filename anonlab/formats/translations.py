"""What a language's file lacks, and what is wrong in it: for who writes one.

Every text is filled in with arguments of the English one, as the stage does. What would fail there,
or would be shown with a brace in it, is a mistake here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from anonlab.formats.catalogue import Catalogue, english_sections, plural_forms, sections_of
from anonlab.formats.templates import fill

OF_THE_LANGUAGE = "language."
"""Keys that begin so are about the language: its code and its rules. English has others."""
_HOLES = re.compile(r"\{\??(\w+)(?::\w+)?\}")
_CHOOSERS = re.compile(r"\[(?:(\w+):)?[^\[\]|]*\|")
_FORMS = re.compile(r"\[(?:\w+:)?([^\[\]]*\|[^\[\]]*)\]")
_LEFT_OVER = re.compile(r"[][{}]")
_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True)
class Report:
    """What was found: sentences. `texts` is how many there are in English."""

    mistakes: list[str]
    missing: list[str]
    texts: int

    @property
    def problems(self) -> list[str]:
        """All sentences, mistakes first: they are few, and what is missing may be long."""
        return self.mistakes + self.missing

    def summary(self, name: str) -> str:
        """Return a sentence about the file `name`."""
        if not self.problems:
            return f"{name} is whole"
        found = f"{len(self.mistakes)} mistake{'s' if len(self.mistakes) != 1 else ''}"
        lack = f"{len(self.missing):,} of {self.texts:,} texts are missing, and said in English"
        return f"{name}: {found}; {lack if self.missing else 'no text is missing'}"


def examine(name: str) -> Report:
    """Read the file of a language, by code or path, and say what is wrong; raises as
    `catalogue.language` does if it cannot be used at all."""
    english = Catalogue("en", english_sections()).words
    pairs = [(key, text) for each in sections_of(name).values() for key, text in each.items()]
    keys = [key for key, _ in pairs]
    mine = dict(pairs)
    missing = [key for key in english if key not in mine]
    mistakes = [
        f"{key}: missing; only the language itself can say it, in English it is {english[key]!r}"
        for key in missing
        if key.startswith(OF_THE_LANGUAGE)
    ]
    mistakes += [f"{key}: in two sections" for key in dict.fromkeys(keys) if keys.count(key) > 1]
    mistakes += [
        f"{key}: {sentence}"
        for key, text in mine.items()
        for sentence in (
            _wrong(key, text, english[key], mine) if key in english else [_unknown(key, missing)]
        )
    ]
    said = [
        f"{key}: missing, it is said in English: {english[key]!r}"
        for key in missing
        if not key.startswith(OF_THE_LANGUAGE)
    ]
    return Report(mistakes, said, len(english))


def _unknown(key: str, missing: list[str]) -> str:
    near = get_close_matches(key, missing, 1, 0.8)
    return "no such key, nobody says it" + (f"; did you mean {near[0]!r}?" if near else "")


def _wrong(key: str, text: str, english: str, mine: dict[str, str]) -> Iterator[str]:
    """Say what is wrong with a text whose English is `english`."""
    if not text.strip() and english.strip() and key != "language.thousands":
        yield "an empty text; take the key out, and it is said in English"
        return
    if key == "language.code" and not _CODE.fullmatch(text):
        yield f"{text!r} is no code of a language, such as 'de' or 'pt-BR' (ISO 639)"
    have, need = set(_HOLES.findall(text)), set(_HOLES.findall(english))
    known = need | _choosers(english)
    if lost := sorted(need - have):
        yield f"{{{lost[0]}}} is missing in {text!r}"
    if new := sorted((have - need) | (_choosers(text) - known)):
        yield f"there is no {{{new[0]}}} to say in {text!r}"
        return
    forms = 1 + int(max(plural_forms(mine.get("language.plural", "n != 1"))))
    for choice in _FORMS.findall(text):
        if choice.count("|") + 1 != forms:
            yield f"[{choice}] has {choice.count('|') + 1} forms, this language {forms}"
    yield from _unfilled(text, known)


def _choosers(text: str) -> set[str]:
    """Return the arguments by which the choices of a text are made."""
    return {name or "n" for name in _CHOOSERS.findall(text)}


def _unfilled(text: str, names: set[str]) -> Iterator[str]:
    """Fill a text in, and say what was no template in it."""
    try:
        filled = fill(text, dict.fromkeys(names, 2))
    except ValueError as error:
        yield f"{error}; the text is {text!r}"
        return
    if left := _LEFT_OVER.search(filled):
        yield f"a {left[0]} is neither an argument {{who}} nor a choice [page|pages] in {text!r}"

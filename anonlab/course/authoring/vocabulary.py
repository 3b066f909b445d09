"""Words come in order: no notebook uses a term before one introduces it.

A notebook is its Markdown and what its exercises say: statements and hints.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from anonlab.course.authoring import glossary
from anonlab.course.authoring.glossary import Term
from anonlab.course.authoring.masters import Master
from anonlab.course.authoring.prose import cells, cut

MOST_SENTENCES, MOST_WORDS = 2, 20
"""What a definition has at most, so that it can be read in a title."""
_LINK = re.compile(r"\(glossary\.md#([\w-]+)\)")


def vocabulary_problems(notebooks: Path, masters: Iterable[Master]) -> list[str]:
    """Return one sentence for each term that is not in the glossary, comes too early, or is not
    introduced where the glossary says so; and for each definition that is too long."""
    terms = glossary.read_glossary(notebooks / glossary.NAME)
    by_anchor = {term.anchor: term for term in terms}
    problems = [each for term in terms for each in _definition(term)]
    masters, books = tuple(masters), set()
    for path in sorted((notebooks / "source").glob("*.py")):
        number = path.stem.partition("_")[0]
        texts = [(f"{path.parent.name}/{path.name}", cells(path.read_text("utf-8")))]
        for master in masters:
            if master.notebook == number:
                texts.append((master.name, "\n\n".join([master.statement, *master.hints])))
        found: dict[str, str] = {}
        for name, text in texts:
            for at, anchor in _used(text, terms):
                found.setdefault(anchor, f"{name}:{text[:at].count(chr(10)) + 1}")
        problems += [f"{where}: the glossary has no {anchor}"
                     for anchor, where in found.items() if anchor not in by_anchor]  # fmt: skip
        problems += [
            f"{where}: {term.names[0]} is used here, and notebook {term.notebook} introduces it"
            for anchor, where in found.items()
            if (term := by_anchor.get(anchor)) and term.notebook > number
        ]
        problems += [
            f"{path.name}: introduces {term.names[0]}, says the glossary, but has no link to it"
            for term in terms
            if term.notebook == number and term.anchor not in found
        ]
        books.add(number)
    return problems + [
        f"{glossary.NAME}: {term.names[0]} is of notebook {term.notebook}, and there is none"
        for term in terms
        if term.notebook not in books
    ]


def _used(text: str, terms: tuple[Term, ...]) -> list[tuple[int, str]]:
    """Return (position, anchor) of each term in a text, as a word or as a link."""
    found = [(begin, term.anchor) for begin, _, term in glossary.uses(text, terms)]
    return sorted(found + [(link.start(), link[1]) for link in _LINK.finditer(text)])


def _definition(term: Term) -> list[str]:
    """Return what is wrong with the length of a definition."""
    sentences = cut(term.definition)
    problems = []
    if len(sentences) > MOST_SENTENCES:
        number = f"{len(sentences)} sentences, {MOST_SENTENCES} at most"
        problems.append(f"{glossary.NAME}: {term.names[0]}: {number}")
    return problems + [
        f"{glossary.NAME}: {term.names[0]}: {each.words} words, {MOST_WORDS} at most: “{each.text}”"
        for each in sentences
        if each.words > MOST_WORDS
    ]

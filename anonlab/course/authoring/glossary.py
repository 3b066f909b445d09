"""The terms of the course: what each means, and which notebook brings it.

`notebooks/glossary.md` has a line for each term:

    * <a id="vma"></a>**VMA** (*memory area*): a range of pages with one rule. (02)

Bold is the term, italics are its other names, and the first number is the notebook that introduces
it. `(01; an everyday word)` marks a term that means something else in other sentences: it is not
looked for in the text, and stands where it is meant as a link.

A build links the first use of each term in a notebook, and gives every such link its definition,
which a browser shows when the pointer rests on it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from anonlab.errors import FormatError

NAME = "glossary.md"
EVERYDAY = "an everyday word"
_ENTRY = re.compile(r'^\* <a id="([\w-]+)"></a>(.*(?:\n  .*)*)', re.MULTILINE)
_PARTS = re.compile(rf"(.*?): (.*) \((\d\db?)(?:, \d\db?)*(; {EVERYDAY})?\)\Z")
_FORM = re.compile(r"\*+([^*]+)\*+")
_LINK = re.compile(r"\]\(glossary\.md#([\w-]+)\)")
_MARKUP = re.compile(r"[*`]|(?<!\w)_|_(?!\w)|\[([^]]*)\]\([^)]*\)")
_NOT_PROSE = re.compile(
    r"^```.*?^```|^ *(?:#|\|).*?$|``.*?``|`[^`\n]*(?:\n[^`\n]+)?`|!?\[[^]]*\]\([^)]*\)"
    r"|<a\b.*?</a>|<[^>]*>|[“\"](?:[^”\"\n]|\n(?!\n))*[”\"]|^>.*?$",
    re.MULTILINE | re.DOTALL,
)
"""Code, headings, tables, links, tags and quotations: no term is linked there."""


class Term(NamedTuple):
    """A term: its anchor, its names, its definition as plain text, the notebook that introduces it,
    and whether it is an everyday word, too."""

    anchor: str
    names: tuple[str, ...]
    definition: str
    notebook: str
    everyday: bool


def read_glossary(path: Path) -> tuple[Term, ...]:
    """Return the terms of the glossary at `path`, in order; none if it is not there.

    raises  FormatError for an entry without a name, a definition or a notebook
    """
    text = path.read_text("utf-8") if path.is_file() else ""
    found = []
    for entry in _ENTRY.finditer(text):
        parts = _PARTS.match(" ".join(entry[2].split()))
        names = tuple(_FORM.findall(parts[1])) if parts else ()
        if not parts or not names:
            raise FormatError(
                f"{path}: the entry {entry[1]!r} is no '**term** (*other name*): definition. (02)'"
            )
        definition = plain(parts[2])
        found.append(Term(entry[1], names, definition, parts[3], bool(parts[4])))
    return tuple(found)


def plain(text: str) -> str:
    """Return a line of Markdown without its marks."""
    return _MARKUP.sub(lambda match: match[1] or "", text)


def prose_of(text: str, names: Collection[str] = ()) -> str:
    """Return a Markdown text of the same length in which all that is not prose is blank; a piece of
    code that is one of `names` stays."""

    def blank(match: re.Match[str]) -> str:
        return match[0] if match[0].strip("`") in names else re.sub(r"[^\n]", " ", match[0])

    return _NOT_PROSE.sub(blank, text)


def uses(text: str, terms: Iterable[Term]) -> list[tuple[int, int, Term]]:
    """Return where terms stand in the prose of a Markdown text, as (begin, end, term); where two
    begin at one place, the longer one. Everyday words are not looked for."""
    named = {name: term for term in terms if not term.everyday for name in term.names}
    if not named:
        return []
    names = sorted(named, key=lambda name: (-len(name), name))
    any_of = re.compile("|".join(f"(?P<n{at}>{_form(name)})" for at, name in enumerate(names)))
    return [
        (match.start(), match.end(), named[names[int(str(match.lastgroup)[1:])]])
        for match in any_of.finditer(prose_of(text, named))
    ]


def _form(name: str) -> str:
    """Return a pattern for a name, in singular and plural; capitals stay as they are."""
    form = re.escape(name).replace(r"\ ", r"\s+")
    form = f"{form[:-1]}(?:y|ies)" if form.endswith("y") else f"{form}(?:s|es|ed|ing)?"
    form = f"(?i:{form})" if name == name.lower() else form
    return rf"`{re.escape(name)}`|(?<![\w`/.-]){form}(?![\w`/-]|\.\w)"


def linked(text: str, terms: Iterable[Term], seen: set[str]) -> str:
    """Return a cell of Markdown with every link to the glossary explained, and the first use of
    every term made such a link.

    seen  the anchors of terms that stood in cells before; those of this cell are added
    """
    terms, parts, at = tuple(terms), [], 0
    seen |= set(_LINK.findall(text))
    for begin, end, term in uses(text, terms):
        if term.anchor not in seen:
            seen.add(term.anchor)
            parts += [text[at:begin], f"[{text[begin:end]}]({NAME}#{term.anchor})"]
            at = end
    titles = {term.anchor: title(term) for term in terms}
    return _LINK.sub(
        lambda link: (
            f'](glossary.md#{link[1]} "{titles[link[1]]}")' if link[1] in titles else link[0]
        ),
        "".join(parts) + text[at:],
    )


def title(term: Term) -> str:
    """Return what a browser shows for a link to `term`: one line without quotation marks."""
    return f"{term.names[0]}: {term.definition}".replace('"', "'")

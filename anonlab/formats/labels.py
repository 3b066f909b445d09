"""The labels of steps: used by the kernel, the player, the text and the tests.

A label is `operation.substep`, or the bare operation for its last step. `title` is what people
read; `sentence` is a template (formats/templates.py) of `who` (process), `where` and `last` (hex
addresses of the first page, and of the last one of `n` neighbours), `n` (pages) and `what` (free
text that the kernel gives); `source` names what the step stands for: a line of Linus Torvalds's
mail of 13 March 2004 ("Re: anon_vma RFC2") or a kernel function.

The words are in the catalogue (formats/catalogue.py). A section is a speaker: "step" says every
label, as the anon memory group does; a design says those that read differently under it. Keys are
`step.fork` (sentence), `step.title.fork` and `step.source.fork`. A player is sent the templates
that its story uses, and no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

from anonlab.formats.catalogue import Catalogue, current
from anonlab.formats.templates import fill


class Label(NamedTuple):
    """Words of a step: short title, sentence to fill in, and what it stands for."""

    title: str
    sentence: str
    source: str


Table = dict[str, Label]


class Labels(Mapping[str, Label]):
    """The labels that `speakers` have words for, in the chosen language; what the first one leaves
    open the next one says, and "step" the rest."""

    def __init__(self, *speakers: str) -> None:
        self._speakers = speakers
        self._tables: WeakKeyDictionary[Catalogue, Table] = WeakKeyDictionary()

    def __getitem__(self, label: str) -> Label:
        return self._table()[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table())

    def __len__(self) -> int:
        return len(self._table())

    def _table(self) -> Table:
        spoken = current()
        if spoken not in self._tables:
            self._tables[spoken] = _table(spoken, self._speakers)
        return self._tables[spoken]


def _table(spoken: Catalogue, speakers: tuple[str, ...]) -> Table:
    """Return every label that one of `speakers` has a word for."""
    words = spoken.words
    labels = {
        key.removeprefix(f"{speaker}.").removeprefix("title.").removeprefix("source."): None
        for speaker in speakers
        for key in words
        if key.startswith(f"{speaker}.")
    }

    def word(field: str, label: str) -> str:
        keys = (f"{speaker}.{field}{label}" for speaker in (*speakers, "step"))
        return next((words[key] for key in keys if key in words), "")

    return {
        label: Label(word("title.", label), word("", label), word("source.", label))
        for label in labels
    }


LABELS = Labels("step")


def sentence(template: str, who: str, where: str, last: str, n: int, what: str) -> str:
    """Return the sentence of a label, filled in; singular where `n` is 1."""
    arguments = {"who": who, "where": where, "last": last, "n": n, "what": what}
    return fill(template, arguments, current().plural)

"""The mail of 13 March 2004: all of it is explained, in its place, in few of its own words."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest
from project import ROOT

from anonlab.course.asking.mail_lines import LINES, SOURCE, MailLine, mail, uncovered

PARAGRAPHS = 17
"""Paragraphs of the mail that say something, code included."""
MOST_WORDS = 12
NOTEBOOKS = ("03", "04", "05", "06", "07", "08")


def test_every_paragraph_has_a_notebook() -> None:
    assert {line.paragraph for line in LINES} == set(range(1, PARAGRAPHS + 1))
    assert sorted({line.notebook for line in LINES}) == list(NOTEBOOKS)


def test_it_is_quoted_in_fragments_only() -> None:
    assert max(len(line.words.split()) for line in LINES) <= MOST_WORDS
    assert len({line.words for line in LINES}) == len(LINES)
    assert sum(len(line.words.split()) for line in LINES) < 200


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.words)
def test_what_does_it_here_is_there(line: MailLine) -> None:
    assert resolved(line.code) is not None
    assert line.idea.endswith(".")
    assert not line.kernel or re.search(r"200\d|\d\.\d|->|copy_mm", line.kernel), "which version?"


def resolved(name: str) -> Any:
    """What a dotted name means."""
    module, rest = name, []
    while True:
        try:
            found: Any = import_module(module)
            break
        except ModuleNotFoundError:
            module, _, last = module.rpartition(".")
            rest.insert(0, last)
    for each in rest:
        found = getattr(found, each)
    return found


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_its_notebook_shows_the_lines(notebook: str) -> None:
    (source,) = (ROOT / "notebooks" / "source").glob(f"{notebook}_*.py")
    assert f'mail("{notebook}")' in source.read_text("utf-8")
    note = mail(notebook)
    shown, drawn = repr(note), note._repr_html_()
    assert SOURCE in shown
    assert "13 March 2004" in drawn
    for line in LINES:
        assert (f"“{line.words}”" in shown) == (line.notebook == notebook)
        assert (line.idea in shown) == (line.notebook == notebook)
    assert drawn.count("<tr>") == 1 + sum(line.notebook == notebook for line in LINES)


def test_a_notebook_without_lines_says_which_have() -> None:
    assert "03 to 08 do" in repr(mail("01"))


def test_a_paragraph_that_nobody_explains_is_found() -> None:
    head = "Re: something\n\nFrom: somebody\nDate: Sat Mar 13 2004\n\n"
    known = 'so\n- an "execve()" creates a new "anon memory group" and drops\nthe old one.\n\n'
    assert uncovered(head + known) == []
    assert uncovered(f"{head}{known}Nobody has\nheard of this.\n\nTo unsubscribe from this") == [
        "Nobody has heard of this."
    ]

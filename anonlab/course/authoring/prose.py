"""Prose, cut into sentences: how many words has each, and which are too long?

A reader of another language holds about one line in mind. So the median sentence of a file has at
most MEDIAN words, and none has more than LONGEST unless the course lists it with a reason, in
`notebooks/long_sentences.toml`:

    [[sentence]]
    begins = "Linux copies the words of a range"
    why = "a quotation"

What counts: paragraphs and items of Markdown, in notebooks, guides, statements and hints; strings
that people read. A piece of code, a key or a placeholder is one word. Headings, tables, code and
pieces of fewer than LEAST words are no sentences. A piece without a mark at its end is not
counted in the median, so that short items do not hide long sentences.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from sentencex import segment

from anonlab.course.authoring.masters import NAME as MASTER
from anonlab.errors import FormatError

MEDIAN, LONGEST, LEAST, FEW = 14, 30, 3, 5
"""Words of the median sentence, of the longest, of the shortest; sentences that make a median."""
LISTED = "long_sentences.toml"
_TAG = re.compile(r"<[^>]*>")
_BREAK = re.compile(r"</?(?:details|summary|p|li|ul|ol|br|div|h\d)\b[^>]*>", re.IGNORECASE)
_WORD = re.compile(r"\S*\w\S*")
_MARK = re.compile(r"[.?!:…][\"'”’)*_]*\Z")
_PROMISE = re.compile(r"\[\^[\w-]+\]")
_ONE_OF = re.compile(r"\[(?:\w+:)?([^][|]*)\|[^][]*\]")
_MAYBE = re.compile(r"\{[?/][^{}]*\}")
_HOLE = re.compile(r"\{[^{}]*\}")
_MARKDOWN = MarkdownIt("commonmark").enable("table")


class Sentence(NamedTuple):
    """One sentence: the line on which its paragraph begins, its text, how many words it has, and
    whether a mark ends it."""

    line: int
    text: str
    words: int
    whole: bool


class Listed(NamedTuple):
    """A sentence that may be long: how it begins, and why."""

    begins: str
    why: str


def sentences(path: Path) -> list[Sentence]:
    """Return the sentences of a file, in order: Markdown, a notebook's source, a master, a
    catalogue in JSON, or the strings of any other Python file.

    raises  FormatError for another kind of file, or one that cannot be read
    """
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        found = _of_markdown(text)
    elif path.suffix == ".json":
        found = _of_catalogue(text)
    elif path.suffix == ".py" and "# %% [markdown]" in text:
        found = _of_markdown(cells(text))
    elif path.suffix == ".py":
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            raise FormatError(f"{path}: {error.msg}", error.lineno or 0) from None
        found = _of_master(tree) if MASTER.match(path.stem) else _of_strings(tree)
    else:
        raise FormatError(f"{path}: sentences are read from .md, .py and .json files")
    return [each for line, paragraph in found for each in cut(paragraph, line)]


def cut(paragraph: str, line: int = 1) -> list[Sentence]:
    """Return the sentences of one paragraph of plain text."""
    found = []
    for text in segment("en", " ".join(paragraph.split())):
        text = text.strip()
        if (words := len(_WORD.findall(text))) >= LEAST:
            found.append(Sentence(line, text, words, bool(_MARK.search(text))))
    return found


def counts(found: Iterable[Sentence]) -> dict[str, float]:
    """Return how many sentences there are, their median and longest words, and how many have more
    than LONGEST."""
    found = list(found)
    words = [each.words for each in found]
    whole = [each.words for each in found if each.whole]
    return {
        "sentences": len(found),
        "median": float(median(whole)) if whole else 0.0,
        "longest": max(words, default=0),
        "too_long": sum(each > LONGEST for each in words),
    }


def problems(name: str, found: list[Sentence], listed: Iterable[Listed]) -> list[str]:
    """Return what is wrong with the sentences of the file `name`, as sentences."""
    wrong = []
    middle = counts(found)["median"]
    if middle > MEDIAN and len(found) >= FEW:
        wrong.append(f"{name}: the median sentence has {middle:g} words, {MEDIAN} at most")
    begins = tuple(each.begins for each in listed)
    for each in found:
        if each.words > LONGEST and not each.text.startswith(begins):
            wrong.append(
                f"{name}:{each.line}: {each.words} words, at most {LONGEST} in a sentence: "
                f"“{each.text}”"
            )
    return wrong


def read_listed(path: Path) -> tuple[Listed, ...]:
    """Return the sentences that the file at `path` allows; none if it is not there.

    raises  FormatError for an entry that is not a beginning and a reason
    """
    if not path.is_file():
        return ()
    try:
        plain = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"{path}: {error}") from None
    found = []
    for number, entry in enumerate(plain.get("sentence", []), 1):
        if set(entry) != {"begins", "why"} or not all(
            isinstance(each, str) and each.strip() for each in entry.values()
        ):
            raise FormatError(f"{path}: [[sentence]] {number} has begins = and why =, two texts")
        found.append(Listed(**entry))
    return tuple(found)


def _of_markdown(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, plain text) of each paragraph; headings, tables and code are left out."""
    left_out = 0
    for token in _MARKDOWN.parse(text):
        if token.type in ("heading_open", "table_open"):
            left_out += 1
        elif token.type in ("heading_close", "table_close"):
            left_out -= 1
        line = token.map[0] + 1 if token.map else 1
        if token.type == "html_block":
            for part in _BREAK.split(token.content):
                yield line, _TAG.sub("", part)
        elif token.type == "inline" and not left_out:
            yield from ((line, part) for part in _BREAK.split(_plain(token.children or [])))


def _plain(tokens: Iterable[Token]) -> str:
    """Return the text of inline tokens; a piece of code is one word, and a picture none."""
    parts = []
    for token in tokens:
        text = token.content
        if token.type == "html_inline":
            text = text if _BREAK.match(text) else ""
        elif token.type == "code_inline":
            text = text.replace(" ", "_") if _WORD.search(text) else f"{text}code"
        elif token.type == "image":
            text = ""
        elif token.type in ("softbreak", "hardbreak"):
            text = " "
        parts.append(text)
    return _PROMISE.sub("", "".join(parts))


def cells(text: str) -> str:
    """Return the Markdown of a notebook's source, each line where it was, other lines empty."""
    lines, inside = [], False
    for line in text.splitlines():
        if line.startswith("# %%"):
            inside = line.startswith("# %% [markdown]")
            line = ""
        lines.append(line.removeprefix("#").removeprefix(" ") if inside else "")
    return "\n".join(lines)


def _of_master(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield what people read of a master: the statement, objectives, hints and commentary."""
    _title, _, statement = (ast.get_docstring(tree) or "").partition("\n")
    yield from _below(1, statement)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in ("hints", "commentary"):
                    for each in ast.walk(value):
                        if isinstance(each, ast.Constant) and isinstance(each.value, str):
                            text = re.sub("(?m)^ +", "", each.value)
                            yield from _below(each.lineno - 1, text)


def _below(line: int, text: str) -> Iterator[tuple[int, str]]:
    for at, paragraph in _of_markdown(text):
        yield line + at, paragraph


def _of_strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the strings of one line that are no docstrings; what an f-string fills in is a word."""
    docs = {id(node.body[0].value) for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
            and isinstance(node.body[0], ast.Expr)}  # fmt: skip
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for part in node.values}  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                str(each.value) if isinstance(each, ast.Constant) else "X" for each in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = "" if id(node) in docs | inner else node.value
        else:
            continue
        if _MARK.search(text.strip()) and "\n" not in text:
            yield from _below(node.lineno - 1, text)


def _of_catalogue(text: str) -> Iterator[tuple[int, str]]:
    """Yield the templates of a language: the first of several forms, and a word for each hole."""
    lines = text.splitlines()
    for section in json.loads(text).values():
        for key, template in section.items():
            plain = _HOLE.sub("X", _MAYBE.sub("", _ONE_OF.sub(r"\1", template)))
            line = next(at for at, each in enumerate(lines, 1) if f'"{key}":' in each)
            yield line, plain

"""Files of a bench: nothing is written over by accident, and what cannot be read says where."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

from anonlab.errors import FormatError
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.formats.json_text import read_json

MOST_BYTES = 8_000_000
"""A larger file is no history that was made by hand."""
_CALL, _RETURNS = re.compile(r"\b[a-z_0-9]+\("), re.compile(r"\) += +(?:-?\d|0x|\?)")


def free_name(path: Path) -> Path:
    """Return a name like `path` that no file has."""
    for number in count(2):
        other = path.with_name(f"{path.stem}-{number}{path.suffix}")
        if not other.exists():
            return other
    raise AssertionError("counting does not end")


def write_new(path: Path, text: str, replace: bool) -> Path:
    """Write `text` to `path` and return it.

    raises  FileExistsError, with another name in it, if there is another file and not `replace`
    """
    try:
        with path.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        if path.is_file() and path.read_bytes() == text.encode():
            return path
        raise FileExistsError(
            f"{path} is there already and was left alone; {free_name(path).name} is free"
        ) from None
    return path


def read_history(path: Path) -> str:
    """Return the text of the history in a file, as text or as anonlab's JSON.

    raises  FormatError with the file, the line and what stands there; OSError
    """
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise FormatError(f"{path.name} is no history: it has more than {MOST_BYTES:,} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        what = f"{path.name}, line {line}: byte {error.start} (0x{raw[error.start]:02x}) is no text"
        raise FormatError(f"{what}; a history is text in UTF-8") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(map(_is_call, text.split("\n"))):
        raise FormatError(
            f"{path.name} is a log of strace, not a history: `anonlab replay {path.name}` runs it"
        )
    try:
        if text.lstrip().startswith("{"):
            return history_text(_from_json(text))
        parse(text)
    except FormatError as error:
        raise FormatError(_where(path, text, error)) from None
    return text


def _is_call(line: str) -> bool:
    """Return whether a line is a call with what it returned, and not behind a #."""
    call = _CALL.search(line.partition("#")[0])
    return call is not None and _RETURNS.search(line, call.end()) is not None


def _from_json(text: str) -> History:
    named = read_json(text, lambda plain: plain.get("format"))  # of an object: it begins with a {
    kinds = {"anonlab-trace": "a trace", "anonlab-recording": "a recording"}
    if isinstance(named, str) and named in kinds:
        raise FormatError(f"this is {kinds[named]}: what happened; a history says what to do")
    return History.loads(text)


def _where(path: Path, text: str, error: FormatError) -> str:
    lines = text.split("\n")
    if not 0 < error.line <= len(lines):
        return f"{path.name}: {error}"
    stands = lines[error.line - 1].strip()
    short = stands if len(stands) <= 60 else stands[:60] + "…"
    reason = str(error).removeprefix(f"line {error.line}: ")
    return f"{path.name}, line {error.line}: {reason}. There stands: {short}"

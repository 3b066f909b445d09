"""One line of a strace log taken apart, whatever stands before the call.

A line is `[PID] [TIME] [(+ TIME)] [NUMBER] [INSTRUCTION] call(args) = result`, one half of that
(`<unfinished ...>`, `<... call resumed>`), or a note: `+++ exited with 0 +++`,
`--- SIGCHLD {…} ---`, `[ Process … ]`, `strace: …`. Colours, byte order marks, the marks of
quotations and what other programs put in front are taken off.

Whoever wrote the log may have meant harm: each pattern takes time in proportion to the line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from anonlab.histories.strace.pasted import plain

UNFINISHED = "<unfinished ...>"

_COLUMNS = (
    r"(?:\[pid\s+(\d{1,7})(?:<[^>]{0,64}>)?\]\s*|(\d{1,7})(?:<[^>]{0,64}>)?\s+)?"
    r"(?:(?:\d\d:\d\d:\d\d(?:\.\d+)?|\d+\.\d+|\d{9,})\s+)?"  # -t, -tt, -ttt; -r alone
    r"(?:\(\+\s*\d+\.\d+\)\s+)?"  # -r beside -t
    r"(?:\[\s*(?:\d+|0?x?[0-9a-f]{8,16}|\?+)\]\s+){0,2}"  # -n, -i
)
_CALL = r"([a-z_][a-z0-9_]*)\((.*)|<\.\.\. ([a-z_][a-z0-9_]*) resumed>(.*)"
_LINE = re.compile(
    rf"[\s>|]*{_COLUMNS}(?:{_CALL}"
    r"|((?:\+\+\+|---|strace: |\[ Process "
    r"|Process \d+ (?:attached|detached|suspended|resumed)).*))",
    re.DOTALL,
)
_USUAL = re.compile(
    rf"{_COLUMNS}(mmap|munmap|mprotect|brk|madvise|page_fault)"
    r"\(([\w|, </>.+:-]*)\)\s+= ((?:0x[0-9a-f]++|\d++)[ \w>.]*+)\n\Z",
    re.ASCII,
)
"""A call as nearly all lines of a long log are: whole, successful, of memory, without escapes."""
_DATE = r"(?<![/-](?=\d))(?<![A-Z][a-z][a-z] (?=\d))(?<![A-Z][a-z][a-z]  (?=\d))"
"""No day of a date (`Nov 28`, `11-28`): it is not the number of a process."""
_INSIDE = re.compile(
    rf"(?<![\w.(\"]){_DATE}{_COLUMNS}(?:{_CALL}"
    r"|(\+\+\+ (?:exited with|killed by|superseded by) .*|--- SIG\w+ .*))",
    re.DOTALL,
)
"""The same behind anything: for lines that begin with something of another program."""
_RETURNS = re.compile(r"\)\s+= |<unfinished \.\.\.>|resumed>|\+\+\+ |--- SIG")
_BEFORE_RESULT = re.compile(r"\)\s+=\Z")
_RESULT = re.compile(r"(.*)\)\s+= (.*)", re.DOTALL)
_NUMBER = re.compile(r"(?:\s*>)+\s*(\d{1,7})\Z")
_WHOLE = re.compile(r"(?:\+\+\+|---|\) += \?)\Z")
_FAILED = re.compile(r"\) += -1 E[A-Z0-9]+ \(")
_MESSAGE = re.compile(
    r"(?:strace: )?Process (\d{1,7}) (?:attached|detached|suspended|resumed)\b.*"
    r"|strace: (?:\[ Process |WARNING: ).*"
)
_STACK = re.compile(r"\s*> (?:[^(]++\(.*\)|\w+) \[0x[0-9a-f]++\](?: \S+:\d+)?\Z")
"""What -k writes below a call; -kk adds the line of the source."""
_CLOCK = re.compile(r"\d\d:\d\d:\d\d(?:\.\d+)?\s+")
_FILE_PID = re.compile(r"[^\d\s:()\"'][^\s:()\"']*\.(\d{1,7}):(?:\d+:)?(?=\S)")
"""What grep puts in front of the lines of FILE.PID, which `strace -ff -o FILE` wrote."""


class LogLine(NamedTuple):
    """One line taken apart; `name` is a call, and exactly one of the three kinds is given.

    pid     0 where none is logged
    start   what follows the opening bracket, if the line starts a call
    end     what follows `resumed>`, if the line is the second half of a call
    note    the whole note, if the line is no call
    """

    pid: int
    name: str
    start: str | None
    end: str | None
    note: str | None


def read_line(text: str) -> LogLine | None:
    """Take one line apart; None if it is not of a strace log."""
    text = plain(text)
    match = _LINE.match(text)
    if match is None and _RETURNS.search(text):
        match = _INSIDE.search(text)
    if match is None:
        return None
    pid, other, name, start, resumed, end, note = match.groups()
    number = pid or other
    if number is None and match.start() and (file := _FILE_PID.match(text)):
        number = file[1]
    return LogLine(int(number or 0), name or resumed or "", start, end, note)


def before_line(text: str) -> str | None:
    """Return what another program wrote in front of a line of strace; None if it is none."""
    text = plain(text)
    if _LINE.match(text):
        return ""
    match = _INSIDE.search(text) if _RETURNS.search(text) else None
    if match is None or _FILE_PID.match(text):
        return None
    clock = _CLOCK.match(text, match.start())
    return text[: clock.end() if clock else match.start()]


def is_start(text: str) -> bool:
    """True if a line begins as a line of strace does."""
    return _LINE.match(plain(text)) is not None


def usual_call(text: str) -> tuple[int, str, str, str] | None:
    """Return process, name, arguments and result of a line that is a usual call; None for any other
    line, which may well be a call too. What it says is what `read_line` and `split_result` say."""
    match = _USUAL.match(text)
    if match is None:
        return None
    pid, other, name, args, result = match.groups()
    return int(pid or other or 0), name, args.strip(), result.rstrip()


def is_stack(text: str) -> bool:
    """True for a frame of the stack that `strace -k` writes below a call."""
    return _STACK.match(text) is not None


def split_result(text: str) -> tuple[str, str] | None:
    """Split `args) = result`; None if there is no result."""
    match = _RESULT.match(text)
    return (match[1].strip(), match[2]) if match else None


def join(so_far: str, rest: str) -> str:
    """Return two parts of a call as one. Mail ends a line that goes on with a `=`. Around that of a
    result stand spaces, which are lost where the line was broken there."""
    if so_far.endswith("=") and (rest.startswith("=") or not _BEFORE_RESULT.search(so_far)):
        so_far = so_far[:-1]
    return f"{so_far} {rest}" if so_far.endswith((")", "=")) else so_far + rest


def cut_by_message(text: str) -> str | None:
    """Return what stands before a message of strace's own that cut this call in two; None if there
    is no such message."""
    match = _MESSAGE.search(text) if "Process " in text or "strace: " in text else None
    return text[: match.start()] if match else None


def process_of(text: str) -> int:
    """Return the process that a message of strace's own names, 0 if there is no such message."""
    match = _MESSAGE.search(text)
    return int(match[1] or 0) if match else 0


def only_number(text: str) -> int:
    """Return the number of a process that stands alone in a quotation, else 0."""
    match = _NUMBER.match(plain(text))
    return int(match[1]) if match else 0


def is_whole(text: str) -> bool:
    """True if a last line without a line feed shows by itself that nothing is missing."""
    if text.endswith(")"):
        return _FAILED.search(text) is not None
    return _WHOLE.search(text) is not None

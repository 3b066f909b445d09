"""Questions of notebooks 11 and 12."""

from __future__ import annotations

from anonlab.course.asking.questions import BankQuestion, Choice, Option, Table, TableRow
from anonlab.formats.history_text import parse
from anonlab.histories.run import run
from anonlab.proof.famous_bugs import RULES
from anonlab.recording.recorder import record


def what_is_read(text: str) -> str:
    """What the last operation, a read of one page, returns."""
    return str(run(text).outcomes[-1].value[0])


def decision_of_year(text: str) -> str:
    """What the last operation, a write, does under the rule of the year in the history's title:
    'copy' or 'reuse'."""
    history = parse(text)
    trace = record(history, RULES[history.title]())
    mine = {step.label for step in trace.steps if step.operation == trace.steps[-1].operation}
    return "copy" if "fault.wp_copy" in mine else "reuse"


_SHARED = """parent = spawn
parent mmap 0x30000 1 shared
parent write 0x30000 7
child = fork parent
child write 0x30000 9
parent read 0x30000
"""
_PIPE = """# {year}
parent = spawn
parent mmap 0x30000 1
parent write 0x30000 7
child = fork parent
child pin 0x30000 read
child munmap 0x30000 1
parent write 0x30000 99
"""
_DEVICE = """# {year}
app = spawn
app mmap 0x30000 1
app write 0x30000 7
app pin 0x30000
app mprotect 0x30000 1 r
app mprotect 0x30000 1 rw
app write 0x30000 8
"""

MARCH: dict[str, BankQuestion] = {
    "11 shared": Choice(
        "A process maps memory that is shared (MAP_SHARED), writes 7 and forks. The child writes "
        "9. What does the parent read?",
        _SHARED,
        what_is_read,
        (
            Option(
                "7", "7",
                "You took every page for copy on write. MAP_SHARED asks for the opposite: the "
                "entries stay writable, and nobody gets a copy.",
            ),
            Option("9", "9", "Both entries lead to one page and stay writable."),
            Option(
                "0", "0",
                "You thought that fork leaves shared memory out. The child has it, as the parent "
                "has.",
            ),
        ),
    ),
    "12 decisions": Table(
        "Is the page of the last write copied (copy), or written in place (reuse)? A child took "
        "the page into a pipe and unmapped it; or a device fills the page of a process alone.",
        decision_of_year,
        ("copy", "reuse"),
        (
            TableRow(
                "rule of 2004, a child's pipe holds the page",
                _PIPE.format(year="2004"),
                "Two holders: a copy, and no leak.",
            ),
            TableRow(
                "rule of 2005, a child's pipe holds the page",
                _PIPE.format(year="2005"),
                "One entry, so in place. The pipe is not counted: the leak.",
            ),
            TableRow(
                "rule of 2005, a device holds the page",
                _DEVICE.format(year="2005"),
                "One entry, so in place. Here that is right: device and program keep one page.",
            ),
            TableRow(
                "rule of 2020, a device holds the page",
                _DEVICE.format(year="2020"),
                "Two holders: a copy, and the device fills the old frame.",
            ),
            TableRow(
                "rule of 2022, a device holds the page",
                _DEVICE.format(year="2022"),
                "The mark says that the page is the process's own. Nothing is counted.",
            ),
            TableRow(
                "rule of 2022, a child's pipe holds the page",
                _PIPE.format(year="2022"),
                "fork took the mark away, so the holders are counted: two.",
            ),
        ),
    ),
}  # fmt: skip

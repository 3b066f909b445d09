"""Eight scenarios, asked before the course and, with other programs and numbers, after it.

They carry no points. What is right is measured on the history of each; an option's `why` is said
only after the second time.
"""

from __future__ import annotations

from typing import NamedTuple

from anonlab.course.asking.measures import (
    Measure,
    cheapest,
    frames_freed,
    frames_taken,
    frames_used,
    own_pages,
    processes_with_new_frames,
    swap_entries_made,
)
from anonlab.course.asking.questions import Choice, Option


class Item(NamedTuple):
    """One idea, and a scenario for it before and after."""

    idea: str
    before: Choice
    after: Choice


def _item(
    idea: str,
    measure: Measure,
    before: tuple[str, str],
    after: tuple[str, str],
    options: tuple[tuple[tuple[str, str], tuple[str, str], str], ...],
) -> Item:
    """Make an item. before, after: (text, history); options: (text and value before, text and value
    after, what is said in the end)."""
    first = _sorted([Option(*one, why) for one, _, why in options])
    second = _sorted([Option(*other, why) for _, other, why in options])[::-1]
    return Item(
        idea,
        Choice(*before, measure, first),
        Choice(*after, measure, second),
    )


def _sorted(options: list[Option]) -> tuple[Option, ...]:
    """Return numbers in their order, words as they are."""
    numbers = all(option.value.isdigit() for option in options)
    return tuple(sorted(options, key=lambda option: int(option.value)) if numbers else options)


def _count(number: int, what: str = "") -> tuple[str, str]:
    return f"{number}{what}", str(number)


_SHARED = """parent = spawn
parent mmap 0x30000 1
parent write 0x30000 7
child = fork parent
"""
_SERVER = "server = spawn\nserver mmap 0x30000 3\nserver write 0x30000 1 3\n"
_DATABASE = "database = spawn\ndatabase mmap 0x30000 5\ndatabase write 0x30000 1 5\n"

ITEMS: tuple[Item, ...] = (
    _item(
        "fork",
        frames_taken,
        (
            "A program has written four pages of memory, and forks. How many pages of memory does "
            "the fork take at once for the child's copy of them? (Tables do not count.)",
            "p = spawn\np mmap 0x30000 4\np write 0x30000 7 4\nc = fork p\n",
        ),
        (
            "A database has written five pages and forks a process that writes a snapshot to "
            "disk. How many pages of memory does the fork take at once? (Tables do not count.)",
            _DATABASE + "snapshot = fork database\n",
        ),
        (
            (_count(4), _count(5), "Nothing is copied at fork: words are, and pages are shared."),
            (_count(0), _count(0), "fork copies words of page tables; the pages are shared."),
            (_count(1), _count(1), "Not even one: a copy is made when somebody writes."),
        ),
    ),
    _item(
        "copy on write",
        processes_with_new_frames,
        (
            "Parent and child share a page after fork. The parent writes to it. Who uses another "
            "page of memory afterwards than before?",
            _SHARED + "parent write 0x30000 8\n",
        ),
        (
            "A server and its worker share a page after fork. The worker writes to it. Who uses "
            "another page of memory afterwards than before?",
            _SERVER + "worker = fork server\nworker write 0x30000 8\n",
        ),
        (
            (
                ("the child", "child"),
                ("the server", "server"),
                "The one who does not write keeps the page as it was.",
            ),
            (
                ("the parent", "parent"),
                ("the worker", "worker"),
                "The writer gets the copy, whoever it is.",
            ),
            (
                ("both", "child and parent"),
                ("both", "server and worker"),
                "One copy is enough: the other one may keep the page.",
            ),
            (
                ("nobody", "nobody"),
                ("nobody", "nobody"),
                "Then the other one would see what was written.",
            ),
        ),
    ),
    _item(
        "alone again",
        frames_taken,
        (
            "Parent and child share a page after fork. The child exits. Then the parent writes to "
            "the page. How many pages of memory does this write take?",
            _SHARED + "child exit\nparent write 0x30000 8\n",
        ),
        (
            "A server and its worker share three pages. The worker writes to all of them. Then the "
            "server writes to all three. How many pages of memory do the server's writes take?",
            _SERVER + "worker = fork server\nworker write 0x30000 8 3\nserver write 0x30000 9 3\n",
        ),
        (
            (_count(1), _count(3), "Nobody else is left at the page: there is nothing to protect."),
            (_count(0), _count(0), "Who is alone with a page writes in place."),
            (_count(2), _count(6), "One writer can need one copy at most."),
        ),
    ),
    _item(
        "the last one frees",
        frames_freed,
        (
            "A server has written three pages and forks a worker. Nobody writes after that. The "
            "server exits. How many of the three pages of memory are free now?",
            _SERVER + "worker = fork server\nserver exit\n",
        ),
        (
            "A shell has written three pages and forks a child. The child starts another program "
            "with execve, which needs one page of its own for its stack. The shell exits. How "
            "many pages of memory does the exit free?",
            "shell = spawn\nshell mmap 0x30000 3\nshell write 0x30000 7 3\nchild = fork shell\n"
            "child execve ls args 1\nshell exit\n",
        ),
        (
            (_count(0), _count(0), "A page is free when its last user has gone, and not before."),
            (
                _count(3),
                _count(3),
                "A page is free when its last user has gone: fork made the "
                "child a user, execve ended that.",
            ),
            (_count(1), _count(1), "All pages of one kind fare alike here."),
        ),
    ),
    _item(
        "touching",
        frames_used,
        (
            "A program asks the system for eight pages, reads three of them, and writes to one "
            "that it has not read. How many pages of memory does it use? (What all programs share "
            "does not count.)",
            "p = spawn\np mmap 0x30000 8\np read 0x30000 3\np write 0x36000 7\n",
        ),
        (
            "A program asks for a table of six pages of zeros. It looks through all of it, and "
            "changes two pages. How many pages of memory does it use? (What all programs share "
            "does not count.)",
            "p = spawn\np mmap 0x30000 6\np read 0x30000 6\np write 0x31000 7 2\n",
        ),
        (
            (_count(8), _count(6), "To ask is to get a promise; memory is given when it is used."),
            (
                _count(4),
                _count(8),
                "Reading costs nothing: untouched memory shows one page of zeros that all share.",
            ),
            (_count(1), _count(2), "Only what was written: reading shows the zero page."),
        ),
    ),
    _item(
        "swap",
        swap_entries_made,
        (
            "A parent, its child and its grandchild share one page. The system writes it to disk "
            "and gives the memory to somebody else. How many page tables must change?",
            "a = spawn\na mmap 0x30000 1\na write 0x30000 7\nb = fork a\nc = fork b\n"
            "a swap_out 0x30000\n",
        ),
        (
            "A server has three workers, and all shared one page, until one worker wrote to it. "
            "The system writes the server's page to disk. How many page tables must change?",
            "s = spawn\ns mmap 0x30000 1\ns write 0x30000 7\na = fork s\nb = fork s\nc = fork s\n"
            "b write 0x30000 8\ns swap_out 0x30000\n",
        ),
        (
            (_count(1), _count(1), "Then the others would read what somebody else writes there."),
            (
                _count(3),
                _count(3),
                "All that map the page, and nobody else: to find them is what "
                "a reverse map is for.",
            ),
            (_count(2), _count(4), "All that map the page must change, and only they."),
        ),
    ),
    _item(
        "execve",
        own_pages,
        (
            "A shell has written four pages. It forks, and the child starts another program with "
            "execve, whose stack takes two pages. How many pages has the child then, its stack "
            "included?",
            "shell = spawn\nshell mmap 0x30000 4\nshell write 0x30000 7 4\nchild = fork shell\n"
            "child execve ls\n",
        ),
        (
            "An editor has written five pages. It forks; the child writes to one of them and then "
            "starts a compiler with execve, whose stack takes two pages. How many pages has the "
            "child then, its stack included?",
            "editor = spawn\neditor mmap 0x30000 5\neditor write 0x30000 7 5\n"
            "child = fork editor\nchild write 0x30000 8\nchild execve cc\n",
        ),
        (
            (_count(6), _count(7), "execve throws away all that fork gave."),
            (
                _count(2),
                _count(2),
                "Only the new stack: execve begins with an empty address space.",
            ),
            (_count(0), _count(3), "The stack is there, and nothing that was before."),
        ),
    ),
    _item(
        "which design",
        cheapest("probes", "walk: the own pages of all children", "anongroup,anonmm"),
        (
            "A server starts many workers; each writes pages of its own. Now and then the system "
            "must find who uses such a page. For which note on each page does it look at fewer "
            "places?",
            "prefork 20",
        ),
        (
            "On a phone, one process is the parent of all apps, and each app writes memory of its "
            "own. Memory is short, so that such pages are looked for all the time. For which note "
            "on each page does the system look at fewer places?",
            "prefork 30",
        ),
        (
            (
                ("the group of all processes that may use it", "anongroup"),
                ("the group of all processes that may use it", "anongroup"),
                "All members are asked in order, though one of them has the page.",
            ),
            (
                ("who used it first; that one is asked before the others", "anonmm"),
                ("who used it first; that one is asked before the others", "anonmm"),
                "A page of one's own is found at the first place.",
            ),
            (
                ("no note at all: all tables are read", "scan"),
                ("no note at all: all tables are read", "scan"),
                "That is right, always, and the most work of all.",
            ),
        ),
    ),
)

"""The scenes of notebook 11: what the mail says in half a line."""

from __future__ import annotations

from anonlab.course.asking.bank.predictions import choice, number
from anonlab.course.asking.bank.scenes.kinds import (
    Asked,
    Question,
    Scene,
    frames_taken,
    who_has_a_new_frame,
)
from anonlab.formats.trace import Step

_COUNT = """machine lesson frames 12 swap 0
server = spawn
server mmap 0x30000 1
server write 0x30000 7
ann = fork server
bob = fork server
server exit
ann execve ls
bob exit
"""
_ELSE = """machine lesson frames 8 swap 0
notes = file 1
shell = spawn
shell mmap 0x30000 1 rw file notes shared
shell mmap 0x50000 1 rw file notes
shell read 0x30000
shell read 0x50000
child = fork shell
child write 0x30000 9
child write 0x50000 5
"""
_THREADS = """machine lesson frames 8 swap 0
app = spawn
app mmap 0x30000 2
app write 0x30000 7 2
one = clone_vm app
two = clone_vm app
one write 0x30000 9
"""


def first_group(before: Step, after: Step) -> object:
    """What has become of group 1 after the operation."""
    groups = {node.id: dict(node.facts) for node in after.snapshot.nodes if node.kind == "group"}
    if "group1" not in groups:
        return "it is freed"
    return f"it stays, for {groups['group1']['mms']}"


def members(before: Step, after: Step) -> object:
    """How many address spaces group 1 has after the operation."""
    return next(int(dict(node.facts)["mms"]) for node in after.snapshot.nodes
                if node.id == "group1")  # fmt: skip


_FATE = ("it stays, for 3", "it stays, for 2", "it stays, for 1", "it is freed")


def _group(before: str, ask: str, explain: str, why: dict[str, str]) -> Question:
    part = choice("What happens to group 1?", *_FATE)
    return Question(before, ask, (Asked(part, first_group, why),), explain)


MARCH_SCENES: dict[str, Scene] = {
    "11 count": Scene(
        "When may a group be freed?",
        _COUNT,
        "bob = fork server",
        (
            _group(
                "server exit",
                "Three processes are in group 1. The one that began the group ends.",
                "The two children still use the page, and it names group 1. So the group must "
                "stay, whoever began it.",
                {
                    "3": "You said that it is freed. Then the page would name a group that is "
                         "gone, and nobody would find its two users.",
                    "else": "Count who is left: the children.",
                },
            ),
            _group(
                "ann execve ls",
                "Two are left. ann becomes another program.",
                "execve gives ann a new group. She leaves the old one; bob is still in it.",
                {
                    "3": "You said that it is freed. bob uses the page still.",
                    "else": "execve leaves the old group, as exit does.",
                },
            ),
            _group(
                "bob exit",
                "bob is alone in group 1, and ends.",
                "The count falls to 0. No address space has the page, so no page names the group.",
                {"else": "The last member took the last page along. Nothing names the group any "
                         "more."},
            ),
        ),
    ),
    "11 else": Scene(
        "The other branch: pages of a file",
        _ELSE,
        "child = fork shell",
        (
            Question(
                "child write 0x30000 9",
                "One page of a file is mapped twice in each process. At 0x30000 it is shared "
                "(MAP_SHARED), at 0x50000 private. The child writes at 0x30000.",
                (
                    Asked(
                        choice("Who has a new frame after it?", "shell", "child", "nobody"),
                        who_has_a_new_frame,
                        {
                            "0": "You said the shell. Its arrows stay where they were.",
                            "1": "You said the child, a copy. MAP_SHARED asks for the opposite: "
                                 "all see what is written.",
                        },
                    ),
                ),
                "fork copied the shared entries and left them writable. So there was no fault, "
                "and all four entries still lead to the file's own page. Linux of 2004 did the "
                "same. Today fork leaves such entries out. Then the child's first access is a "
                "fault, and still no copy.",
            ),
            Question(
                "child write 0x50000 5",
                "The child writes at 0x50000. The same page of the file, but mapped privately.",
                (
                    Asked(
                        number("How many frames does it take?", "frames", 4),
                        frames_taken,
                        {"0": "You said none. Then the file itself would change.",
                         "else": "One page is written, so one copy is enough."},
                    ),
                ),
                "A copy, and the copy is an anonymous page. Its mapping leads to a group, and its "
                "index is its address. The file's page has the same two fields. There mapping "
                "leads to the file, and index is the place in the file.",
            ),
        ),
    ),
    "11 threads": Scene(
        "Threads instead of children",
        _THREADS,
        "two = clone_vm app",
        (
            Question(
                "one write 0x30000 9",
                "app runs as three threads. One of them writes.",
                (
                    Asked(
                        number("How many frames does it take?", "frames", 4),
                        frames_taken,
                        {"else": "You thought of a copy. Look at the tables: there is one, for "
                                 "all three threads."},
                    ),
                    Asked(
                        number("How many address spaces are in the group?", "", 4),
                        members,
                        {"3": "You said 3, one for each thread. They have one address space "
                              "together.",
                         "else": "Count the tables on the left."},
                    ),
                ),
                "Threads share one address space. Nothing is copied, and a walk looks at one "
                "place.",
            ),
        ),
    ),
}  # fmt: skip

"""The scenes of notebooks 09 and 10: one story under several designs side by side."""

from __future__ import annotations

from anonlab.course.asking.bank.predictions import choice, number, several
from anonlab.course.asking.bank.scenes.kinds import EACH, Asked, Question, Scene
from anonlab.course.asking.bank.scenes.truths import (
    found_at_once,
    looks_after,
    objects_made,
    pages_copied,
)

_WORKERS = """machine lesson frames 16 swap 0
server = spawn
server mmap 0x30000 1
server write 0x30000 7
a = fork server
b = fork server
b write 0x30000 9
"""

_FORKS = """machine lesson frames 32 swap 0
p = spawn
p mmap 0x30000 8
p write 0x30000 1 8
c = fork p
d = fork p
"""

_MOVED = """machine lesson frames 64 swap 16
shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7 4
child = fork shell
child write 0x30000 9
child mremap 0x30000 4 to 0x48000
child write 0x49000 5
shell mremap 0x30000 4 to 0x38000
shell write 0x3a000 4
"""

_LOOKERS = ("anongroup", "anonmm", "anon_vma_chain")
_MAKERS = ("pte_chain", "anongroup", "anon_vma_chain")

CHOICES: dict[str, Scene] = {
    "09 looks": Scene(
        "A worker writes a page of its own",
        _WORKERS,
        "b = fork server",
        (
            Question(
                "b write 0x30000 9",
                "Worker b writes, and gets a page of its own. Then the kernel looks for everybody "
                "who uses this page.",
                (
                    Asked(
                        several("Which designs find it with one look?", *_LOOKERS),
                        found_at_once("b", 0x30000),
                        {
                            "": "You said none. anonmm and anon_vma_chain write down who made the "
                                "page, and begin there.",
                            "0,1,2": "You said all. The group does not know who has the page. It "
                                     "begins with the server.",
                            "else": "Ask for each design what the new page names. Is it the whole "
                                    "family, or the process that wrote?",
                        },
                        EACH,
                    ),
                    Asked(
                        number("How many places does the group look at?", "places", 6),
                        looks_after("b", 0x30000),
                        {"else": "The group has three members, and b is the last of them."},
                        "anongroup",
                    ),
                ),
                "anonmm and anon_vma_chain find the page with one look. Their page names the "
                "process that wrote it. Under the group the page names the whole family, so the "
                "kernel looks at the server and at a in vain.",
            ),
        ),
        _LOOKERS,
    ),
    "09 fork": Scene(
        "A process with eight pages forks twice",
        _FORKS,
        "p write 0x30000 1 8",
        (
            Question(
                "c = fork p",
                "A reverse map keeps objects of its own, such as lists and links.",
                (
                    Asked(
                        choice("Which design makes the most objects at this fork?", *_MAKERS),
                        objects_made,
                        {
                            "1": "You said the group. It only adds the child to its list.",
                            "2": "You said anon_vma_chain. It makes three objects for the one "
                                 "VMA, however many pages it has.",
                        },
                        EACH,
                    ),
                ),
                "pte_chain makes the most, a block for each of the eight pages. The others do "
                "not look at pages. The group adds one member, and anon_vma_chain makes three "
                "objects for the one VMA.",
            ),
            Question(
                "d = fork p",
                "The same process forks once more.",
                (
                    Asked(
                        choice("Which design makes the most objects now?", *_MAKERS),
                        objects_made,
                        {
                            "0": "You said pte_chain. Its blocks have room for seven entries "
                                 "each, so they need not grow yet.",
                            "1": "You said the group. It only adds the child to its list.",
                        },
                        EACH,
                    ),
                ),
                "anon_vma_chain makes the most, three objects again. pte_chain makes none. Each "
                "of its blocks has room for seven entries, and the third one fits.",
            ),
        ),
        _MAKERS,
    ),
    "10 after the move": Scene(
        "After the move, the child writes",
        _MOVED,
        "child mremap 0x30000 4 to 0x48000",
        (
            Question(
                "child write 0x49000 5",
                "The child has moved its memory. Three of the four pages were shared. Now it "
                "writes to one of these three.",
                (
                    Asked(
                        number("How many pages does this write copy under the group?", "pages", 4),
                        pages_copied,
                        {"else": "Look on the left: after the move nobody shares a page with the "
                                 "child any more."},
                        "anongroup",
                    ),
                    Asked(
                        number("And under anon_vma_chain?", "pages", 4),
                        pages_copied,
                        {
                            "0": "You said 0. Look on the right: the page was still shared, so "
                                 "the writer got a copy.",
                            "3": "You said 3. One page was written, so one page was copied.",
                            "else": "Look on the right: one page was shared and is written now.",
                        },
                        "anon_vma_chain",
                    ),
                ),
                "The write copies nothing under the group, and one page under anon_vma_chain. The "
                "group has copied this page before, when it moved. So for a page that is written "
                "later, both designs pay once. For a page that is only read, the group has paid in "
                "vain.",
            ),
        ),
        ("anongroup", "anon_vma_chain"),
    ),
}  # fmt: skip

"""The scenes of notebooks 04 and 05: fork, and copy on write."""

from __future__ import annotations

from anonlab.course.asking.bank.predictions import choice, mark, number, several
from anonlab.course.asking.bank.scenes.kinds import (
    Asked,
    Question,
    Scene,
    Truth,
    address_kept,
    contents_read,
    did_it_work,
    entries_in_swap,
    frames_in_use,
    frames_taken,
    is_there_a_fault,
    read_only_entries,
    users_after,
    who_has_a_new_frame,
)

_FORK = """machine lesson frames 8 swap 0
shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7 2
shell read 0x32000
child = fork shell
"""
_SWAPPED = """machine lesson frames 8 swap 4
shell = spawn
shell mmap 0x30000 2
shell write 0x30000 7 2
shell swap_out 0x30000
child = fork shell
"""

_THREE = """machine lesson frames 8 swap 0
parent = spawn
parent mmap 0x30000 1
parent write 0x30000 7
child = fork parent
child write 0x30000 9
parent write 0x30000 5
child write 0x30000 6
"""
_EIGHT = """machine lesson frames 16 swap 0
parent = spawn
parent mmap 0x30000 8
parent write 0x30000 1 8
child = fork parent
child write 0x32000 9
"""
_FAMILY = """machine lesson frames 8 swap 0
p = spawn
p mmap 0x30000 1
p write 0x30000 7
c = fork p
g = fork c
g write 0x30000 9
c write 0x30000 8
p write 0x30000 5
"""
_PINNED = """machine lesson frames 8 swap 0
parent = spawn
parent mmap 0x30000 1
parent write 0x30000 7
parent pin 0x30000
child = fork parent
child exit
parent write 0x30000 8
"""
_SHARED = """machine lesson frames 8 swap 0
parent = spawn
parent mmap 0x30000 1 rw shared
parent write 0x30000 7
child = fork parent
child write 0x30000 9
"""
_FULL = """machine lesson frames 9 swap 0
parent = spawn
parent mmap 0x30000 6
parent write 0x30000 1 6
child = fork parent
child write 0x30000 9 6
"""


def _who(why: dict[str, str]) -> Asked:
    part = choice("Who has a new frame after it?", "parent", "child", "nobody")
    return Asked(part, who_has_a_new_frame, why)


def _frames(text: str, why: dict[str, str], truth: Truth = frames_taken) -> Asked:
    return Asked(number(text, "frames", 16), truth, why)


COPIES: dict[str, Scene] = {
    "04 fork": Scene(
        "A shell forks",
        _FORK,
        "shell read 0x32000",
        (
            Question(
                "child = fork shell",
                "The child must find every page as it was. Now the kernel fills its table.",
                (
                    Asked(
                        number("How many new frames does the fork take?", "frames"),
                        frames_taken,
                        {
                            "1": "You said 1. Look at the memory: no frame came into use.",
                            "2": "You said 2, a full copy. Look at frame 1 and frame 2: A and B "
                                 "use each of them.",
                            "3": "You said 3, a full copy with the zero page. Look at frame 1 and "
                                 "frame 2: A and B use each of them.",
                            "4": "You said 4, a frame for each page. Look at page 0x33000: nobody "
                                 "has touched it, so there is nothing to copy.",
                            "else": "Look at the memory: the same frames are in use as before.",
                        },
                    ),
                    Asked(
                        mark("Mark every entry that is read-only after the fork, in both tables."),
                        read_only_entries,
                        {"else": "The shell lost its right to write, too. And the zero page is "
                                 "read-only, as before."},
                    ),
                ),
                "fork took no frame. It copied page-table entries, and it took the right to write "
                "out of both tables. If the shell kept that right, it could change what the child "
                "reads.",
                at="fork.share_ptes",
            ),
        ),
    ),
    "04 swap": Scene(
        "A shell forks, and one page is in swap",
        _SWAPPED,
        "shell swap_out 0x30000",
        (
            Question(
                "child = fork shell",
                "The first page of the shell is on the disk, in swap slot 1. The shell forks.",
                (
                    Asked(
                        number("How many page-table entries name swap slot 1 after the fork?",
                               "entries", 8),
                        entries_in_swap,
                        {
                            "0": "You said 0. Look at both tables: the page stays in swap.",
                            "1": "You said 1. Look at table B: the child must find the page, too.",
                            "else": "Look at page 0x30000 in both tables.",
                        },
                    ),
                    Asked(
                        number("How many new frames does the fork take?", "frames", 8),
                        frames_taken,
                        {"else": "Look at the memory: the same frames are in use. The page need "
                                 "not be in memory to be shared."},
                    ),
                ),
                "The entry of a page in swap is not empty. It holds the number of the slot. fork "
                "copies this number, and it counts one more user of the slot.",
            ),
        ),
    ),
    "05 three writes": Scene(
        "Three writes",
        _THREE,
        "child = fork parent",
        (
            Question(
                "child write 0x30000 9",
                "The first write: the child writes 9.",
                (
                    _who({
                        "0": "You said the parent. Look at table A: its arrow did not move.",
                        "2": "You said nobody. Then the parent would read 9, too. Look at frame "
                             "1: it still holds 7.",
                    }),
                    Asked(
                        choice("At which address does the child find its copy?",
                               "at the same address", "at another address"),
                        address_kept,
                        {"1": "You said at another address. Look at table B: the page is still "
                              "0x30000. Only the frame in its entry is another one."},
                    ),
                ),
                "The child has a copy now. Two programs used the frame, so the kernel copied the "
                "page for the writer.",
            ),
            Question(
                "parent write 0x30000 5",
                "The second write: the parent writes 5.",
                (
                    _who({
                        "0": "You said the parent. Look at frame 1: only A used it. There was "
                             "nobody to copy it for.",
                        "1": "You said the child. Look at table B: its arrow did not move.",
                    }),
                    Asked(
                        choice("Is there a fault, so that the kernel is called?", "yes", "no"),
                        is_there_a_fault,
                        {"1": "You said no. But the entry of the parent was read-only. The "
                              "machine had to ask the kernel."},
                    ),
                ),
                "The kernel found nobody else at the page. So it gave the parent its right to "
                "write back, and the frame stayed. This is called reuse.",
            ),
            Question(
                "child write 0x30000 6",
                "The third write: the child writes 6.",
                (
                    _who({
                        "0": "You said the parent. Look at table A: its arrow did not move.",
                        "1": "You said the child. Its page was its own already.",
                    }),
                    Asked(
                        choice("Is there a fault, so that the kernel is called?", "yes", "no"),
                        is_there_a_fault,
                        {"0": "You said yes. But the entry of the child is writable since its "
                              "first write."},
                    ),
                ),
                "The entry allows the write, so the machine writes and the kernel hears nothing "
                "of it. Who writes a shared page first pays for the copy.",
            ),
        ),
    ),
    "05 one of eight": Scene(
        "Eight shared pages, one write",
        _EIGHT,
        "child = fork parent",
        (
            Question(
                "child write 0x32000 9",
                "Parent and child share eight pages. The child writes one of them.",
                (
                    _frames("How many frames does the write take?", {
                        "2": "You said 2, a copy for each side. The parent needs none: the old "
                             "frame is its own now.",
                        "8": "You said 8, a copy of all. Look at the other seven arrows of table "
                             "B: they still lead to the shared frames.",
                        "else": "Look at the memory: one frame more is in use.",
                    }),
                    _frames("How many frames are in use then, without the zero page?", {
                        "16": "You said 16, two full copies. Seven frames are still shared.",
                        "else": "Count the frames in use, without frame 0.",
                    }, frames_in_use),
                ),
                "A fault is about one page, so one page is copied. The other seven stay shared.",
            ),
        ),
    ),
    "05 grandchild": Scene(
        "A grandchild writes",
        _FAMILY,
        "g = fork c",
        (
            Question(
                "g write 0x30000 9",
                "p forked c, and c forked g. All three share one page. Now g writes.",
                (
                    _frames("How many frames does the write take?", {
                        "2": "You said 2, one for c and one for g. But c did not write.",
                        "else": "Look at the memory: one frame more is in use.",
                    }),
                    Asked(
                        several("Who uses the old frame after it?", "p", "c", "g"),
                        users_after(1),
                        {"else": "Follow the arrows back from frame 1: they begin in tables A "
                                 "and B."},
                    ),
                ),
                "The kernel does not ask who forked whom. It copies the page for the writer, and "
                "the others keep the frame.",
            ),
            Question(
                "c write 0x30000 8",
                "Then c writes.",
                (
                    _frames("How many frames does this write take?", {
                        "0": "You said 0. But p used the frame, too.",
                        "else": "Look at the memory: one frame more is in use.",
                    }),
                ),
                "Two programs used the frame, so c got a copy.",
            ),
            Question(
                "p write 0x30000 5",
                "At last p writes.",
                (
                    _frames("How many frames does this write take?", {
                        "1": "You said 1. Look at frame 1: only A used it.",
                        "else": "Look at the memory: the same frames are in use.",
                    }),
                ),
                "p was alone with the frame, so it was reused. The last one pays nothing.",
            ),
        ),
    ),
    "05 pin": Scene(
        "A device holds the frame",
        _PINNED,
        "child exit",
        (
            Question(
                "parent write 0x30000 8",
                "A device pinned the frame before the fork. The child is gone. One entry names "
                "the frame, but its count is 2. Now the parent writes.",
                (
                    Asked(
                        choice("Where does the 8 go?",
                               "to the frame that the device holds", "to a new frame"),
                        lambda before, after: "to a new frame" if (
                            who_has_a_new_frame(before, after) == "parent"
                        ) else "to the frame that the device holds",
                        {"0": "You said to the frame that the device holds. Look at frame 1: it "
                              "still holds 7, and no arrow leads to it."},
                    ),
                ),
                "The rule of 2004 looked at count. It was 2, so the page was copied. From now on "
                "the program and the device use different frames, and neither notices. The device "
                "is not drawn: the count of 1 at frame 1 is its hold.",
            ),
        ),
    ),
    "05 shared on purpose": Scene(
        "Memory that is shared on purpose",
        _SHARED,
        "child = fork parent",
        (
            Question(
                "child write 0x30000 9",
                "The page is in a mapping with the flag MAP_SHARED. Now the child writes 9.",
                (
                    _frames("How many frames does the write take?", {
                        "1": "You said 1, a copy. Look at frame 1: both arrows still lead to it.",
                        "else": "Look at the memory: the same frames are in use.",
                    }),
                    Asked(
                        number("Which number does the parent read then?", "", 16),
                        contents_read("parent", 0x30),
                        {"7": "You said 7, as with private memory. Look at frame 1: it holds 9, "
                              "and A uses it.",
                         "else": "Look at frame 1. A uses it."},
                    ),
                ),
                "fork took no right to write away here. Memory with MAP_SHARED is there to be seen "
                "by both, so nothing is copied. Linux does not copy these entries at fork: a "
                "fault of the child brings them. No program can tell the difference.",
            ),
        ),
    ),
    "05 no memory": Scene(
        "The memory is nearly full",
        _FULL,
        "parent write 0x30000 1 6",
        (
            Question(
                "child = fork parent",
                "The parent uses six of eight frames. There is no swap. Now it forks.",
                (
                    Asked(
                        choice("Does the fork work?", "yes", "no, there is too little memory"),
                        did_it_work("yes", "no, there is too little memory"),
                        {"1": "You said no. fork needs no frames for pages: it copied six "
                              "entries."},
                    ),
                ),
                "fork takes no frames for pages, so it works.",
            ),
            Question(
                "child write 0x30000 9 6",
                "Two frames are free. Now the child writes all six pages.",
                (
                    Asked(
                        choice("Does the write work?", "yes", "no, there is too little memory"),
                        did_it_work("yes", "no, there is too little memory"),
                        {"0": "You said yes. But six shared pages need six copies, and two "
                              "frames are free."},
                    ),
                ),
                "The fork was a promise. The memory for it is needed at the write, and then it "
                "may be missing. Our machine then answers ENOMEM. Linux cannot answer a write: its "
                "OOM killer ends a process. With strict accounting it may refuse the fork instead.",
            ),
        ),
    ),
}  # fmt: skip

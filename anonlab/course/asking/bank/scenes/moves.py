"""The scenes of notebooks 06 and 07: a program goes, and memory moves."""

from __future__ import annotations

from anonlab.course.asking.bank.predictions import choice, number, several
from anonlab.course.asking.bank.scenes.kinds import Asked, Question, Scene, frames_taken
from anonlab.course.asking.bank.scenes.truths import (
    content_of,
    frames_freed,
    freed_of,
    group_of,
    in_place,
    index_of,
    keeps_frames,
    pages_copied,
    what_happens_to,
)

_MOVE = """parent = spawn
parent mmap 0x30000 3
parent write 0x30000 7 3
child = fork parent
child write 0x32000 9
child mremap 0x30000 3 to 0x80000
"""

_LS = """machine lesson frames 16 swap 0
shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7 4
child = fork shell
child write 0x30000 9
child execve ls
shell write 0x31000 8
child exit
"""

_VFORK = """machine lesson frames 16 swap 0
shell = spawn
shell mmap 0x30000 2
shell write 0x30000 7 2
child = vfork shell
child write 0x30000 9
child execve ls
shell read 0x30000
"""

MOVES: dict[str, Scene] = {
    "06 ls": Scene(
        "You type ls",
        _LS,
        "child write 0x30000 9",
        (
            Question(
                "child execve ls",
                "The child becomes the program ls. It leaves its old memory.",
                (
                    Asked(
                        number("How many of the shell's four frames become free?", "frames", 8),
                        freed_of("shell"),
                        {
                            "4": "You said 4. Then the shell would have lost its memory. Look at "
                                 "frames 1 to 4: all are in use.",
                            "3": "You said 3, those that the child shared. Look at frames 2 to 4: "
                                 "the shell still uses them.",
                            "else": "Look at table A: all four arrows are still there.",
                        },
                    ),
                    Asked(
                        choice("In which group is the child then?", "old group", "new group"),
                        group_of("child"),
                        {"0": "You said the old group. Open Reverse map below the picture. The "
                              "child stands there in a group of its own."},
                    ),
                ),
                "None of the shell's frames became free. A page is freed when its last entry "
                "goes, and the shell still has one. Only the child's own copy went. The child "
                "has a new address space in a new group, with two pages for its stack.",
            ),
            Question(
                "shell write 0x31000 8",
                "The shell writes to a page that the child has shared.",
                (
                    Asked(
                        choice(
                            "What happens to the shell?", "gets a copy", "writes in place"
                        ),
                        in_place("shell", 0x31000),
                        {"0": "You said a copy. Look at frame 2: after the execve the shell is "
                              "its only user."},
                    ),
                ),
                "The shell wrote in place. The child let go of the page with execve, so nobody "
                "else uses it. The kernel only had to allow the write again.",
            ),
            Question(
                "child exit",
                "The program ls ends.",
                (
                    Asked(
                        number("How many frames become free?", "frames", 8),
                        frames_freed,
                        {
                            "6": "You said 6. ls does not have the shell's pages any more.",
                            "else": "Look at the two frames that went: they were the stack of ls.",
                        },
                    ),
                ),
                "Two frames became free, the stack of ls. The shell has its four pages, as "
                "before. In the whole story one page was copied, for the child's one write.",
            ),
        ),
    ),
    "06 vfork": Scene(
        "The same with vfork",
        _VFORK,
        "child = vfork shell",
        (
            Question(
                "child write 0x30000 9",
                "With vfork the child uses the address space of the shell. It writes 9.",
                (
                    Asked(
                        number("How many frames does the write take?", "frames", 4),
                        frames_taken,
                        {
                            "1": "You said 1, a copy. There is only one table, so nobody shares "
                                 "the page with another table.",
                            "else": "Look at the memory: the same frames are in use.",
                        },
                    ),
                    Asked(
                        choice("What does the shell read there afterwards?", "7", "9"),
                        content_of("shell", 0x30000),
                        {"0": "You said 7. Look at frame 1: it holds 9, and it is the shell's "
                              "page, too."},
                    ),
                ),
                "The write took no frame, and the shell reads 9. Both use one address space, as "
                "threads do. The shell waits until the child calls execve. So a child of vfork "
                "should call execve at once, and write nothing before.",
            ),
        ),
    ),
    "07 mremap": Scene(
        "A child moves its memory",
        _MOVE,
        "child write 0x32000 9",
        (
            Question(
                "child mremap 0x30000 3 to 0x80000",
                "The child moves its three pages to 0x80000. Look at the arrows first.",
                (
                    Asked(
                        several(
                            "Which pages of the child keep their frames? Name them by their old "
                            "addresses.",
                            "0x30000",
                            "0x31000",
                            "0x32000",
                        ),
                        keeps_frames("child"),
                        {
                            "": "You said none. Look at frame 4: the child's own page is still "
                                "there. Nobody else uses it, so it may get a new index.",
                            "0,1,2": "You said all three. Then frames 1 and 2 would need two "
                                     "addresses, one for each process. A frame has one index.",
                            "0,1": "You said the two shared pages. Look at frames 1 and 2: only "
                                   "the parent uses them now. The child got copies.",
                            "else": "Follow the child's arrows. Its own page kept its frame, and "
                                    "the two shared pages did not.",
                        },
                    ),
                    Asked(
                        choice(
                            "What happens to the parent's pages?",
                            "nothing",
                            "they move, too",
                            "they are copied, too",
                        ),
                        what_happens_to("parent"),
                        {
                            "1": "You said that they move. Look at table A: nothing has changed "
                                 "there. The parent did not ask for a move.",
                            "2": "You said that they are copied. Look at table A: its arrows lead "
                                 "to the same frames as before.",
                        },
                    ),
                ),
                "The two shared pages were copied for the child. Under the anon memory group a "
                "page has one address, and the parent still uses it. So the child cannot take a "
                "shared page along. Its own page moves without a copy, and gets a new index.",
            ),
        ),
    ),
    "07 anon_vma": Scene(
        "The same move under anon_vma_chain",
        _MOVE,
        "child write 0x32000 9",
        (
            Question(
                "child mremap 0x30000 3 to 0x80000",
                "The same story, under anon_vma_chain. The VMA of the child takes its pgoff along.",
                (
                    Asked(
                        number("How many pages are copied?", "pages", 3),
                        pages_copied,
                        {
                            "2": "You said 2, as under the group. Look at frames 1 and 2: A and B "
                                 "still use both.",
                            "else": "Follow the child's arrows. Each leads to the frame that it "
                                    "led to before.",
                        },
                    ),
                    Asked(
                        choice("Which index does frame 4 have then?", "0x32", "0x82"),
                        index_of("child", 0x82000),
                        {"1": "You said 0x82, the new page number. Look at frame 4: its index has "
                              "not changed."},
                    ),
                ),
                "No page was copied, and no frame was touched. Only the VMA has a new place. It "
                "still says that its first page has index 0x30. Index 0x32 is two pages further, "
                "so it is at 0x82000 now.",
            ),
        ),
        ("anon_vma_chain",),
    ),
}  # fmt: skip

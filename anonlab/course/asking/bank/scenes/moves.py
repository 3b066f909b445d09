"""The scenes of notebooks 06 and 07: a program goes, and memory moves."""

from __future__ import annotations

from anonlab.course.asking.bank.predictions import choice, number, several
from anonlab.course.asking.bank.scenes.kinds import Asked, Question, Scene
from anonlab.course.asking.bank.scenes.truths import (
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

MOVES: dict[str, Scene] = {
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
                        choice("Which index has frame 4 after the move?", "0x32", "0x82"),
                        index_of("child", 0x82000),
                        {"1": "You said 0x82, the new page number. Look at frame 4: its index has "
                              "not changed."},
                    ),
                ),
                "No page was copied, and no frame was touched. Only the VMA has a new place. It "
                "still says that its first page has index 0x30. Index 0x32 is two pages further: "
                "that is 0x82000 now.",
            ),
        ),
        ("anon_vma_chain",),
    ),
}  # fmt: skip

"""The scene of notebook 05b: what a real program did, from its first fork to its first execve."""

from __future__ import annotations

from dataclasses import replace

from anonlab.course.asking.bank.predictions import choice, number
from anonlab.course.asking.bank.scenes.kinds import (
    Asked,
    Question,
    Scene,
    does_the_group_go,
    frames_shared,
    group_members,
    who_has_a_new_frame,
)
from anonlab.formats.history import History
from anonlab.histories.library import log
from anonlab.histories.strace.log import read_strace


def _pipeline() -> History:
    """Return the history of `bash -c 'ls / | wc -l'` up to the first execve of a child."""
    imported = read_strace(log("bash_pipeline"))
    last = [each.operation for each in imported.moments if each.kind == "execve"][1]
    return replace(imported.history, ops=imported.history.ops[: last + 1])


_WHO = choice("Who has a new frame after it?", "p12400", "p12401", "nobody")

PROGRAMS: dict[str, Scene] = {
    "05b pipeline": Scene(
        "bash -c 'ls / | wc -l', from fork to execve",
        _pipeline,
        "p12400 write 0x555555554000 48 8",
        (
            Question(
                "p12401 = fork p12400",
                "p12400 is bash. It has entries for 31 pages. It forks p12401, which will be ls.",
                (
                    Asked(
                        number("How many pages do the two share then?", "pages"),
                        frames_shared("p12401"),
                        {
                            "0": "You said 0. Look at the arrows: they end at the same frames.",
                            "30": "You said 30. Nobody has written yet.",
                            "else": "Look at both tables: all arrows end at the same frames.",
                        },
                    ),
                ),
                "fork shares all pages. It cannot know which of them the child will use.",
            ),
            Question(
                "p12401 write 0x7fffffffe000 56",
                "The child returns from fork. So it writes the top page of its stack.",
                (
                    Asked(
                        _WHO,
                        who_has_a_new_frame,
                        {
                            "0": "You said p12400. Its arrow did not move.",
                            "2": "You said nobody. But p12400 would then see the write.",
                        },
                    ),
                ),
                "The writer got a copy. One of 31 pages was copied.",
            ),
            Question(
                "p12400 write 0x7fffffffe000 64",
                "bash returns from fork, too. It writes the same page of its stack.",
                (
                    Asked(
                        _WHO,
                        who_has_a_new_frame,
                        {
                            "0": "You said p12400. But nobody else used its frame any more.",
                            "1": "You said p12401. Its arrow did not move.",
                        },
                    ),
                ),
                "bash found itself alone with the page, so the frame was reused.",
            ),
            Question(
                "p12402 = fork p12400",
                "bash forks once more, for the other side of the pipe. p12402 will be wc.",
                (
                    Asked(
                        number("How many address spaces are in the group then?", "", 16),
                        group_members,
                        {
                            "2": "You said 2. But p12401 has not left: it is still a copy of "
                                 "bash.",
                            "else": "Count bash and both of its children.",
                        },
                    ),
                ),
                "All three came from one program, and each may still map its pages.",
            ),
            Question(
                "p12402 execve wc",
                "Now p12402 calls execve and becomes wc.",
                (
                    Asked(
                        number("How many pages does p12402 share with anybody then?", "pages"),
                        frames_shared("p12402"),
                        {
                            "30": "You said 30. But a new program needs nothing of the old one.",
                            "else": "Look at the table of p12402: only new pages are left.",
                        },
                    ),
                    Asked(
                        choice("Does the group of bash disappear?", "yes", "no"),
                        does_the_group_go,
                        {"0": "You said yes. But bash and p12401 are still in it."},
                    ),
                ),
                "execve ends the sharing. The child gave up all pages that fork had shared, and it "
                "had written one of them. A group goes when its last member leaves.",
            ),
        ),
    ),
}  # fmt: skip

"""The scenes of notebook 12: how copy on write went wrong, each under the rule of its year."""

from __future__ import annotations

from anonlab.course.asking.bank.predictions import choice
from anonlab.course.asking.bank.scenes.kinds import Asked, Question, Scene, Truth
from anonlab.course.asking.diff import page_table_words
from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Step
from anonlab.machine.words import PTE_SHIFT

_PAGE = 0x30
_LEAK = """machine lesson frames 8 swap 0
parent = spawn
parent mmap 0x30000 1
parent write 0x30000 7
child = fork parent
child pin 0x30000 read
child munmap 0x30000 1
parent write 0x30000 99
"""
_LOST = """machine lesson frames 8 swap 0
app = spawn
app mmap 0x30000 1
app write 0x30000 7
app pin 0x30000
app mprotect 0x30000 1 r
app mprotect 0x30000 1 rw
app write 0x30000 8
"""
_DIRTY = """machine lesson frames 8 swap 0
passwords = file 1
app = spawn
app mmap 0x30000 1 rw file passwords
app read 0x30000
thread = clone_vm app
app pin 0x30000
thread madvise 0x30000 1 dontneed
app pin 0x30000{retry}
"""
_HOME = """machine lesson frames 8 swap 4
parent = spawn
parent mmap 0x30000 1
parent write 0x30000 7
child = fork parent
parent swap_out 0x30000
child read 0x30000
parent read 0x30000
child exit
"""


def frame_of(who: str) -> Truth:
    """The frame that `who` has at 0x30000 after the operation, as the options say it."""

    def found(before: Step, after: Step) -> object:
        return f"frame {page_table_words(after.snapshot)[who, _PAGE] >> PTE_SHIFT}"

    return found


def content_of(pfn: int) -> Truth:
    """What frame `pfn` holds after the operation."""

    def found(before: Step, after: Step) -> object:
        shot = after.snapshot
        return str(shot.data[shot.pfn.tolist().index(pfn)])

    return found


def home_of(snapshot: Snapshot, pfn: int) -> str:
    """Return the anon_vma that frame `pfn` names: 'anon_vma 1'."""
    return f"anon_vma {snapshot.mapping[snapshot.pfn.tolist().index(pfn)]}"


def home_after(before: Step, after: Step) -> object:
    """The anon_vma that frame 1 names after the operation."""
    return home_of(after.snapshot, 1)


def users_found(before: Step, after: Step) -> object:
    """How many users of frame 1 a walk finds after the operation."""
    hits = sum(probe.hit for walk in after.snapshot.walks if walk.pfn == 1 for probe in walk.probes)
    return {0: "nobody", 1: "the parent"}[hits]


_SECRET = choice("What does the frame that the child holds contain after it?", "7", "99")


def _why(*texts: str) -> dict[str, str]:
    """Return what is said to each option, by its number; nothing to the right one."""
    return {str(at): text for at, text in enumerate(texts) if text}


def _secret(explain: str, *why: str) -> Question:
    return Question(
        "parent write 0x30000 99",
        "The child has let go of its page. It still holds frame 1. Now the parent writes 99.",
        (Asked(_SECRET, content_of(1), _why(*why)),),
        explain,
    )


_WHERE = choice("Where is the page of app after it?", "frame 1", "frame 2")


def _device(explain: str, *why: str) -> Question:
    return Question(
        "app write 0x30000 8",
        "A device holds frame 1 and will fill it. app may write again, and writes 8.",
        (Asked(_WHERE, frame_of("app"), _why(*why)),),
        explain,
    )


def _second_try(retry: str, explain: str, why: dict[str, str]) -> Question:
    options = ("frame 1", "frame 2", "frame 3")
    return Question(
        f"app pin 0x30000{retry}",
        "The copy is gone. The kernel looks for the page again, for its second try. Frame 1 is "
        "the file's own page.",
        (Asked(choice("Which frame does it get?", *options), frame_of("app"), why),),
        explain,
    )


WRONG: dict[str, Scene] = {
    "12 leak": Scene(
        "The secret of the parent",
        _LEAK,
        "child = fork parent",
        (
            _secret(
                "The kernel counted page-table entries. It found one, that of the parent, and let "
                "it write in place. The child holds the frame without an entry, and reads 99.",
                "You said 7. Then the parent must have got a copy. Look at table A: its arrow "
                "stays at frame 1.",
                "",
            ),
        ),
        rule="2005",
    ),
    "12 leak mended": Scene(
        "The same under the rule of 2020",
        _LEAK,
        "child munmap 0x30000 1",
        (
            _secret(
                "The kernel counted all who hold the frame: two. So the parent got a copy, and "
                "the 99 is in it.",
                "",
                "You said 99. Look at table A: its arrow leads to a new frame.",
            ),
        ),
        rule="2020",
    ),
    "12 lost": Scene(
        "A page that a device fills",
        _LOST,
        "app pin 0x30000",
        (
            _device(
                "The kernel counted all who hold the frame: two. So it took the page for shared "
                "and made a copy. The device fills frame 1, and app never sees it.",
                "You said frame 1, in place. Look at count of frame 1: the device counts, too.",
                "",
            ),
        ),
        rule="2020",
    ),
    "12 lost mended": Scene(
        "The same under the rule of 2022",
        _LOST,
        "app mprotect 0x30000 1 rw",
        (
            _device(
                "The frame has a mark: it is app's alone. The kernel looks at the mark, counts "
                "nothing, and lets app write in place.",
                "",
                "You said frame 2, a copy. Look at table A: its arrow stays at frame 1.",
            ),
        ),
        rule="2022",
    ),
    "12 dirty cow": Scene(
        "A second try that reads",
        _DIRTY.format(retry=" read"),
        "thread = clone_vm app",
        (
            _second_try(
                " read",
                "The second try only asked to read, so it got the file's own page. Then the "
                "kernel writes there: it believes that it holds the copy.",
                {
                    "1": "You said frame 2. That was the copy, and the thread threw it away.",
                    "2": "You said frame 3, a new copy. Who only reads gets no copy.",
                },
            ),
        ),
    ),
    "12 dirty cow mended": Scene(
        "A second try that writes",
        _DIRTY.format(retry=""),
        "thread madvise 0x30000 1 dontneed",
        (
            _second_try(
                "",
                "The second try said that it wants to write. So the kernel made a copy again, and "
                "the file's page stays as it is.",
                {
                    "0": "You said frame 1. Who wants to write never gets a page of the file here.",
                    "1": "You said frame 2. Frame 2 is the first copy. Nobody maps it any more.",
                },
            ),
        ),
    ),
    "12 home": Scene(
        "Who brings the page back",
        _HOME,
        "child = fork parent",
        (
            Question(
                "child read 0x30000",
                "The page is on swap. The child brings it back first. anon_vma 1 is the parent's, "
                "anon_vma 2 is the child's.",
                (
                    Asked(
                        choice("Which one does the page name?", "anon_vma 1", "anon_vma 2"),
                        home_after,
                        {"0": "You said the parent's. In March 2010 nobody looked for the oldest."},
                    ),
                ),
                "The page names the anon_vma of the process that brought it back: the child's.",
            ),
            Question(
                "child exit",
                "Both use the page now. The child ends, and its anon_vma goes with it.",
                (
                    Asked(
                        choice("Whom does a walk from the page find then?", "the parent", "nobody"),
                        users_found,
                        {"0": "You said the parent. It uses the page, but no way leads to it."},
                    ),
                ),
                "The page names something that is gone. Here a walk finds nobody. Linux read "
                "memory that it had freed.",
            ),
        ),
        rule="March 2010",
    ),
    "12 home mended": Scene(
        "The oldest one",
        _HOME,
        "parent swap_out 0x30000",
        (
            Question(
                "child read 0x30000",
                "The rule of April 2010. The child brings the page back first, as before.",
                (
                    Asked(
                        choice("Which one does the page name?", "anon_vma 1", "anon_vma 2"),
                        home_after,
                        {"1": "You said the child's. Others may still have the page on swap."},
                    ),
                ),
                "The page names the oldest one. All who could still bring it back hang on it, so "
                "it lives as long as any of them.",
            ),
        ),
        rule="April 2010",
    ),
}

"""Exercise 09a, hidden: swap, everything at once, and what the walks cost."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import Wrong, load_beside
from anonlab.course.judging.families import MACHINE, histories
from anonlab.course.judging.state import machine_state
from anonlab.course.judging.student_design import PlainDesign
from anonlab.formats.history_text import parse
from anonlab.histories.run import run_on
from anonlab.kernel import Kernel

public = load_beside(__file__, "../public/test_ex09a_design.py")
APART = tuple(
    parse(
        "p = spawn\np mmap 0x30000 1\np write 0x30000 7\nc = fork p\np swap_out 0x30000\n"
        f"c mremap 0x30000 1 to {to}\np read 0x30000\nc read {to}\n"
    )
    for to in ("0x50000", "0x20000")
)
"""One page that two processes want at two addresses: the second is above the first, or below."""
TOGETHER = (
    "p = spawn\np mmap 0x30000 1\np write 0x30000 7\nc = fork p\np swap_out 0x30000\n"
    "p read 0x30000\nc read 0x30000\n",
    "p = spawn\np mmap 0x30000 1\np write 0x30000 7\nc = fork p\nd = fork c\nd swap_out 0x30000\n"
    "d read 0x30000\np read 0x30000\nc read 0x30000\n",
)
"""Several processes that read one page back at one address."""
SCALE = (6.0, 3.0)
"""Places looked at for each mapping, as the statement says; the group of the mail needs 1 to 2."""


def test_everything(student: Any, seed: int) -> None:
    """The design survives every kind of history."""
    public.survive(student, [*APART, *histories(public.FAMILIES, seed + 1000, 10, 30)])


def places(student: Any, seed: int, most: float) -> None:
    """The design names at most so many places for each that maps the page."""
    tally = public.survive(student, histories(public.FAMILIES, seed + 2000, 4, 30))
    share = tally.candidates / max(tally.mappings, 1)
    if share > most:
        raise Wrong(
            f"your design names {share:.1f} places for each that maps the page; {most:.0f} are enough",
            guess="Did you name addresses at which the page has never been? Each costs a look.",
        )


def test_at_most_6_places(student: Any, seed: int) -> None:
    """A walk does not look at many places in vain."""
    places(student, seed, SCALE[0])


def test_at_most_3_places(student: Any, seed: int) -> None:
    """A walk looks at few places in vain."""
    places(student, seed, SCALE[1])


def test_no_needless_copy(student: Any, seed: int) -> None:
    """A page that comes back from swap at its old address is not copied."""
    public.survive(student, map(parse, TOGETHER))
    for text in TOGETHER:
        kernel = Kernel(PlainDesign(student.Design()), MACHINE.frames, MACHINE.swap)
        run_on(kernel, parse(text))
        words = machine_state(kernel).words
        frames = {words[who][vpn] >> 12 for who in words for vpn in words[who] if vpn == 0x30}
        if len(frames) > 1:
            raise Wrong(
                f"a page that {len(words)} processes read back at one address has {len(frames)} frames",
                guess="Did clash say True although your design finds the page there? Then it is copied for nothing.",
                history=parse(text),
            )

"""The bugs of copy on write: each shows under the rule of its time, and under no later one."""

from __future__ import annotations

import pytest

from anonlab.histories.run import run
from anonlab.proof.famous_bugs import BUGS, RULES, shortest_bug
from anonlab.proof.invariants import check
from anonlab.proof.shortest import shortest
from anonlab.rmap import AnonGroup

KNOWN = {
    ("leak", "2005"): ("c pin 0x30000 read", "c munmap 0x30000 1", "p write 0x30000 99"),
    **dict.fromkeys(
        [("lost after fork", year) for year in ("2004", "2005", "2020")],
        ("p pin 0x30000", "c = fork p", "p write 0x30000 99"),
    ),
    ("lost alone", "2004"): (
        *("p pin 0x30000", "p mprotect 0x30000 1 r", "p mprotect 0x30000 1 rw"),
        "p write 0x30000 99",
    ),
    ("home", "March 2010"): (
        *("c = fork p", "p swap_out 0x30000", "c read 0x30000", "p read 0x30000", "c exit"),
    ),
    ("dirty cow, a retry that reads", "2004"): (
        *("p pin 0x30000", "t madvise 0x30000 1 dontneed", "p pin 0x30000 read"),
    ),
}
"""As they were told: the child of 2020 calls vmsplice and munmap and waits (Hildenbrand, 2021); the
threads of Dirty COW race with madvise; the child of 2010 swaps in first and exits (LWN 383162)."""
KNOWN["lost alone", "2020"] = KNOWN["lost alone", "2004"]


@pytest.mark.parametrize(("name", "year"), KNOWN)
def test_the_shortest_history_of_a_bug_is_the_one_that_was_told(name: str, year: str) -> None:
    assert shortest_bug(name, year) == KNOWN[name, year]


@pytest.mark.parametrize(
    ("name", "year"),
    [
        *(("leak", year) for year in ("2004", "2020", "2022")),
        ("lost after fork", "2022"),
        *(("lost alone", year) for year in ("2005", "2022")),
        ("home", "April 2010"),
        ("dirty cow, a retry that writes", "2004"),
    ],
)
def test_a_rule_that_mends_a_bug_shows_it_nowhere_near(name: str, year: str) -> None:
    assert shortest_bug(name, year, 4) is None
    lines = (
        KNOWN.get((name, "2005")) or KNOWN.get((name, "2004")) or KNOWN.get((name, "March 2010"))
    )
    if lines is None:
        return
    assert not BUGS[name].happened(
        run(BUGS[name].start + "\n".join(lines) + "\n", RULES[year]()).kernel
    )


def test_a_scan_of_the_page_tables_sees_the_bug_of_2010() -> None:
    story = BUGS["home"].start + "\n".join(KNOWN["home", "March 2010"]) + "\n"
    check(run(story, RULES["April 2010"]()).kernel)
    with pytest.raises(AssertionError, match="names an anon_vma that is gone"):
        check(run(story, RULES["March 2010"]()).kernel)


def test_nothing_shorter_is_passed_over() -> None:
    """Of two ways of one length the first line counts; a longer one is never taken."""
    start = "p = spawn\np mmap 0x30000 2\n"
    lines = ("p write 0x30000 1", "p write 0x31000 1", "p write 0x30000 1 2")
    both = shortest(start, lines, lambda kernel: kernel.mem_map.nfree < 62, AnonGroup, 3)
    assert both == ("p write 0x30000 1 2",)
    assert shortest(start, lines[:2], lambda k: k.mem_map.nfree < 62, AnonGroup, 3) == lines[:2]
    assert shortest(start, lines[:1], lambda k: k.mem_map.nfree < 62, AnonGroup, 3) is None


def test_an_unknown_bug_or_year_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="bug is one of leak, lost"):
        shortest_bug("lea", "2005")
    with pytest.raises(ValueError, match="year is one of 2004, 2005"):
        shortest_bug("leak", "2006")

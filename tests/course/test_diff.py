"""What predictions are compared with is what the processes of the simulated machine see."""

from __future__ import annotations

import pytest

from anonlab.course.asking import diff
from anonlab.formats.history_text import parse
from anonlab.formats.snapshot import Snapshot
from anonlab.histories.run import apply, make_kernel

START = "p = spawn\np mmap 0x30000 4\np write 0x30000 7 2\np read 0x32000\n"


def two(text: str) -> tuple[Snapshot, Snapshot]:
    """The machine before and after the last operation of a history."""
    history = parse(text)
    kernel = make_kernel(history, "anongroup")
    for op in history.ops[:-1]:
        apply(kernel, op)
    before = kernel.snapshot()
    apply(kernel, history.ops[-1])
    return before, kernel.snapshot()


def test_frames_without_the_zero_page() -> None:
    before, after = two(START + "p write 0x32000 1\n")
    assert [diff.frames_used(each) for each in (before, after)] == [2, 3]


def test_words_by_process_and_address() -> None:
    before, after = two(START + "c = fork p\n")
    assert diff.nonzero_words(before) == {"p 0x30000", "p 0x31000", "p 0x32000"}
    assert diff.read_only_words(before) == {"p 0x32000"}
    both = {f"{who} {at}" for who in "pc" for at in ("0x30000", "0x31000", "0x32000")}
    assert diff.read_only_words(after) == diff.nonzero_words(after) == both


def test_a_swap_entry_is_a_word_but_not_a_read_only_page() -> None:
    before, after = two(START + "c = fork p\nc write 0x31000 9\np swap_out 0x30000 2\n")
    assert len(diff.nonzero_words(after)) == 6
    assert diff.read_only_words(after) == {"p 0x32000", "c 0x32000"}
    assert diff.swap_entries_made(before, after) == [2, 1]


def test_the_first_write_fills_a_slot_of_each_table() -> None:
    assert diff.slots_filled(*two("p = spawn\np mmap 0x38000 4\np write 0x3a000 1\n")) == [
        "3",
        "a",
    ]
    assert diff.slots_filled(*two(START + "p write 0x33000 1\n")) == ["3"]


@pytest.mark.parametrize(
    ("history", "who"),
    [
        ("c = fork p\nc write 0x30000 9\n", "c"),
        ("c = fork p\np write 0x30000 9\n", "p"),
        ("c = fork p\nc write 0x30000 9\np write 0x30000 9\n", "nobody"),
        ("p write 0x32000 9\n", "p"),
        ("c = fork p\np read 0x30000\n", "nobody"),
    ],
)
def test_who_has_a_new_frame(history: str, who: str) -> None:
    assert diff.processes_with_new_frames(*two(START + history)) == who


def test_frames_that_move_along_are_kept() -> None:
    moved = START + "c = fork p\nc write 0x31000 9\nc mremap 0x30000 2 to 0x80000\n"
    assert diff.pages_with_same_frames(*two(moved), "c") == {"0x31000", "0x32000"}
    assert diff.pages_with_same_frames(*two(moved), "p") == {"0x30000", "0x31000", "0x32000"}

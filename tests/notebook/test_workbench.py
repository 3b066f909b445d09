"""The bench: a click is a line of the history, and the machine follows from all lines."""

from __future__ import annotations

from pathlib import Path

import pytest

import anonlab
from anonlab import FormatError, check, parse, record
from anonlab.histories import library
from anonlab.notebook.workbench import Workbench

STORY = "a = spawn\na mmap 0x30000 2\na write 0x30000 7\nb = fork a\n"


@pytest.fixture
def bench() -> Workbench:
    return anonlab.explore(STORY)


def test_what_is_done_is_a_history_that_can_be_run_elsewhere(bench: Workbench) -> None:
    bench.do("b write 0x30000 9")
    assert bench.history == parse(bench.text)
    assert record(bench.history).steps[-1].snapshot == bench.kernel.snapshot()
    check(bench.kernel)


@pytest.mark.parametrize(
    ("button", "place", "line"),
    [
        ("write", "mm1-pte-30", "a write 0x30000 100"),
        ("read", "mm2-pte-31", "b read 0x31000"),
        ("swap_out", "mm1-pte-30", "a swap_out 0x30000"),
        ("mremap", "mm2-pte-30", "b mremap 0x30000 1 to 0x80000"),
        ("munmap", "mm1-vma-30", "a munmap 0x30000 1"),
        ("fork", "mm2-head", "p3 = fork b"),
        ("exit", "mm1-pte-30", "a exit"),
    ],
)
def test_a_click_acts_on_what_is_chosen_in_the_picture(
    bench: Workbench, button: str, place: str, line: str
) -> None:
    bench.player.chosen = place
    bench.buttons[button].click()
    assert bench.text.rstrip().split("\n")[-1] == line
    assert bench.trace.steps[-1].text == line


def test_a_click_without_a_choice_says_what_to_do(bench: Workbench) -> None:
    bench.buttons["write"].click()
    assert bench.message.startswith("choose a page in the picture first")
    assert bench.text == STORY


def test_nonsense_is_said_and_changes_nothing(bench: Workbench) -> None:
    before = bench.kernel.snapshot()
    bench.line.value = "a dance 3"
    bench.buttons["do"].click()
    assert "unknown verb 'dance'" in bench.message
    assert (bench.text, bench.kernel.snapshot()) == (STORY, before)
    with pytest.raises(FormatError):
        bench.do("a dance 3")


def test_what_fails_as_programs_fail_is_a_step_with_its_error(bench: Workbench) -> None:
    bench.do("a write 0x90000 1")
    assert bench.message.startswith("It failed: a: SIGSEGV")


def test_undo_takes_back_one_operation_and_the_comments_after_it(bench: Workbench) -> None:
    bench.replay(STORY + "# and now\n\n")
    bench.undo()
    assert bench.text == STORY.rsplit("b = ", 1)[0]
    assert "b" not in bench.kernel.processes


def test_the_same_history_under_another_design(bench: Workbench) -> None:
    bench.design.value = "anon_vma_chain"
    assert bench.kernel.design.name == "anon_vma_chain"
    assert bench.text == STORY
    assert bench.player.frames["lanes"] == ["anon_vma_chain"]


def test_another_machine_is_a_line_of_the_history(bench: Workbench) -> None:
    bench.machine.value = "x86_64"
    assert bench.history.machine.geometry == "x86_64"
    assert bench.text.startswith("machine x86_64 frames 64 swap 16\na = spawn")


def test_saved_and_loaded_it_is_the_same(bench: Workbench, tmp_path: Path) -> None:
    path = bench.save(tmp_path / "mine.history")
    other = anonlab.explore()
    other.path.value = str(path)
    other.buttons["load"].click()
    assert other.history == bench.history
    other.path.value = str(tmp_path / "none")
    other.buttons["load"].click()
    assert "No such file" in other.message


def test_the_library_is_at_hand(bench: Workbench) -> None:
    bench.known.value = "prefork"
    assert bench.history == library.load("prefork")
    assert anonlab.explore("prefork").history == library.load("prefork")
    assert anonlab.explore(library.load("prefork")).history == library.load("prefork")


def test_an_unknown_design_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="design is one of .*anongroup"):
        anonlab.explore(design="magic")

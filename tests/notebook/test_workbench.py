"""The bench: what is typed or clicked is a line of the history, and no change is ever lost."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import anonlab
from anonlab import DESIGNS, FormatError, check, parse, record
from anonlab.formats.history import History, Machine
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import format_op
from anonlab.histories import library
from anonlab.histories.generate import generate
from anonlab.histories.run import apply, run
from anonlab.notebook.completion import hint, offers
from anonlab.notebook.draft import MOST_OPERATIONS
from anonlab.notebook.live_history import COPY_EVERY, LiveHistories, copied, restored
from anonlab.notebook.presets import every, preset
from anonlab.notebook.workbench import Workbench

STORY = "a = spawn\na mmap 0x30000 2\na write 0x30000 7\nb = fork a\n"


@pytest.fixture
def bench() -> Workbench:
    return anonlab.explore(STORY)


def click(bench: Workbench, name: str, /, **more: Any) -> dict[str, Any]:
    """Do what a click or a key does, and return what the widgets show then."""
    bench.acts.heard({"do": name, **more})
    return dict(bench.bar.view)


def whole(bench: Workbench) -> tuple[Any, ...]:
    """Everything that undo must bring back."""
    return bench.text, bench.designs, bench.history, bench.trace, bench.kernel.snapshot()


# The history is the truth


def test_what_is_done_is_a_history_that_can_be_run_elsewhere(bench: Workbench) -> None:
    bench.do("b write 0x30000 9")
    assert bench.history == parse(bench.text)
    assert record(bench.history).steps[-1].snapshot == bench.kernel.snapshot(walks=True)
    check(bench.kernel)


@pytest.mark.parametrize("design", DESIGNS)
def test_whatever_the_way_there_the_trace_is_that_of_the_text(design: str) -> None:
    """Random undos, redos, lines taken out and typed: the machine is always a fresh one's."""
    rng, ops = Random(5), generate(11, 120, frames=24, swap=8)
    lines = history_text(ops).splitlines()
    bench = anonlab.explore("\n".join(lines[:30]), design)
    for line in lines[30:]:
        try:
            act = rng.choice(("do", "do", "do", "undo", "redo", "out"))
            if act == "do":
                bench.do(line, keep=rng.random() < 0.5)
            elif act == "out":
                bench.take_out(rng.randint(1, len(bench.history.ops)))
            else:
                getattr(bench, act)()
        except ValueError:
            pass  # nothing to undo, a name that an undo took away: nothing has changed
    truth = record(bench.text, design)
    assert [step.snapshot for step in bench.trace.steps] == [s.snapshot for s in truth.steps]
    assert [step.operation for step in bench.trace.steps] == [s.operation for s in truth.steps]
    assert bench.kernel.snapshot() == run(bench.text, design).kernel.snapshot()
    check(bench.kernel)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_machine_and_its_copy_go_on_alike_and_apart(design: str) -> None:
    ops = generate(2, 300, frames=24, swap=8).ops
    one = run(History(ops[:150], Machine("lesson", 24, 8)), design).kernel
    before, other = one.snapshot(), restored(copied(one))
    for op in ops[150:]:
        apply(other, op)
    check(other)
    assert one.snapshot() == before
    for op in ops[150:]:
        apply(one, op)
    assert one.snapshot() == other.snapshot()
    assert np.shares_memory(other.mem_map.count, other.mem_map.columns)


def test_the_kernel_of_a_bench_is_a_copy(bench: Workbench) -> None:
    bench.kernel.processes["a"].exit()
    bench.do("a write 0x31000 1")
    assert bench.failed is None
    assert bench.kernel.processes["a"].alive


# Undo and redo


def test_every_change_is_taken_back_and_done_again(bench: Workbench, tmp_path: Path) -> None:
    (tmp_path / "other.history").write_text("x = spawn\n")
    changes = (
        lambda: bench.do("b write 0x30000 9"),
        lambda: bench.use("anon_vma_chain"),
        lambda: bench.compare("anongroup", "pte_chain"),
        lambda: bench.do("b exit"),
        lambda: bench.take_out(3),
        lambda: bench.machine("x86_64"),
        lambda: bench.begin("07"),
        lambda: bench.replay(STORY + "# a remark\n"),
        lambda: bench.load(tmp_path / "other.history"),
        lambda: bench.compare(),
    )
    states = [whole(bench)]
    for change in changes:
        change()
        states.append(whole(bench))
    assert all(one != other for one, other in pairwise(states))
    for state in reversed(states[:-1]):
        bench.undo()
        assert whole(bench) == state
    with pytest.raises(ValueError, match="nothing to undo"):
        bench.undo()
    for state in states[1:]:
        bench.redo()
        assert whole(bench) == state
    with pytest.raises(ValueError, match="nothing to do again"):
        bench.redo()


def test_a_new_change_after_undo_gives_up_what_was_taken_back(bench: Workbench) -> None:
    bench.do("b exit")
    bench.undo()
    bench.do("b read 0x30000")
    assert click(bench, "redo")["message"] == "there is nothing to do again"
    assert bench.text == STORY + "b read 0x30000\n"


# Lines that fail


def test_nonsense_is_said_changes_nothing_and_stays_to_be_mended(bench: Workbench) -> None:
    before = whole(bench)
    view = click(bench, "line", line="a dance 3", number=1)
    assert view["message"].startswith("unknown verb 'dance'")
    assert view["kind"] == "error"
    assert view["answer"] == [1, False]
    assert view["typed"] == ["a dance 3"]
    assert whole(bench) == before
    assert click(bench, "line", line="a read 0x30000", number=2)["answer"] == [2, True]
    with pytest.raises(FormatError):
        bench.do("a dance 3")


def test_what_fails_as_programs_fail_is_kept_out_unless_wanted(bench: Workbench) -> None:
    view = click(bench, "line", line="a write 0x90000 1", number=1)
    assert view["message"].startswith("It failed: a: SIGSEGV")
    assert view["failed"] == ["a write 0x90000 1", bench.failed.error]  # type: ignore[union-attr]
    assert bench.text == STORY
    assert [name for name, *_ in view["choices"]] == ["keep"]
    view = click(bench, "keep")
    assert bench.text == STORY + "a write 0x90000 1\n"
    assert bench.trace.steps[-1].error == view["rows"][-1][2] != ""
    assert view["failed"] is None


def test_out_of_frames_leaves_the_machine_usable() -> None:
    bench = anonlab.explore("machine lesson frames 4 swap 0\np = spawn\np mmap 0x30000 8\n")
    bench.do("p write 0x30000 1 3")
    before = whole(bench)
    bench.do("p write 0x33000 9")
    assert bench.failed
    assert "ENOMEM" in bench.failed.error
    assert whole(bench) == before
    bench.do("p munmap 0x30000 1")
    bench.do("p write 0x33000 9")
    assert bench.failed is None
    check(bench.kernel)


def test_a_value_that_no_page_can_hold_is_said(bench: Workbench) -> None:
    before = whole(bench)
    view = click(bench, "line", line=f"a write 0x30000 {2**63 - 1} 2", number=1)
    assert "the last page would hold more than" in view["message"]
    assert whole(bench) == before
    bench.do("b read 0x30000")
    assert bench.trace == record(bench.text, title=bench.trace.title)


def test_a_line_that_others_need_cannot_be_taken_out(bench: Workbench) -> None:
    view = click(bench, "take_out", operation=1)
    assert view["message"].startswith("line 1: there is no process 'a' yet")
    assert bench.text == STORY


def test_an_error_in_line_1_of_the_text_is_pointed_at(bench: Workbench) -> None:
    assert click(bench, "edit")["text"][1] == STORY
    view = click(bench, "replay", text="machine toy frames 4\na = spawn\n")
    assert view["message"].startswith("line 1: unknown machine 'toy'")
    assert view["text"][2] == 1
    assert bench.text == STORY


# Clicks on what is chosen


@pytest.mark.parametrize(
    ("button", "place", "line"),
    [
        ("write", "p1-48", "a write 0x30000 100"),
        ("read", "p2-49", "b read 0x31000"),
        ("swap_out", "p1-48", "a swap_out 0x30000"),
        ("mremap", "p2-48", "b mremap 0x30000 1 to 0x80000"),
        ("munmap", "p1-48", "a munmap 0x30000 1"),
        ("fork", "m2", "p3 = fork b"),
        ("exit", "m1", "a exit"),
    ],
)
def test_a_click_acts_on_what_is_chosen_in_the_picture(
    bench: Workbench, button: str, place: str, line: str
) -> None:
    bench.player.chosen = place
    click(bench, "on_page", verb=button, value="100", to="0x80000")
    assert bench.text.rstrip().split("\n")[-1] == line
    assert bench.trace.steps[-1].text == line


def test_a_frame_stands_for_the_one_page_that_maps_it(bench: Workbench) -> None:
    bench.player.chosen = "f1"
    assert bench.bar.view["chosen"] == ""  # a and b share it
    bench.do("b write 0x30000 9")
    assert bench.bar.view["chosen"] == "On page 0x30000 of a:"


def test_the_list_follows_the_picture_and_undo_leaves_both_where_they_are(bench: Workbench) -> None:
    bench.do("a write 0x30000 3 2")
    steps = bench.player.frames["steps"]
    parts = [at for at, row in enumerate(steps) if row[1] == 2]
    assert len(parts) > 1
    bench.player.step = parts[0]
    assert bench.side.view["shown"] == 3
    bench.undo()
    assert (bench.player.step, bench.side.view["shown"]) == (parts[0], 3)
    bench.redo()
    assert bench.side.view["shown"] == 5


def test_a_click_without_a_choice_says_what_to_do(bench: Workbench) -> None:
    assert click(bench, "on_page", verb="write", value="1")["message"].startswith("Choose a page")
    assert bench.text == STORY


def test_the_chosen_process_is_named_until_it_is_gone(bench: Workbench) -> None:
    bench.player.chosen = "p2-48"
    assert bench.bar.view["chosen"] == "On page 0x30000 of b:"
    bench.do("b exit")
    assert bench.bar.view["chosen"] == ""


def test_twenty_quick_clicks_are_twenty_operations(bench: Workbench) -> None:
    bench.player.chosen = "p1-48"
    for value in range(20):
        click(bench, "on_page", verb="write", value=value)
    assert len(bench.history.ops) == 24
    for _ in range(20):
        click(bench, "undo")
    assert bench.text == STORY


# Designs, machines, beginnings


def test_designs_beside_it_go_on_with_it(bench: Workbench) -> None:
    click(bench, "compare", name="anon_vma_chain")
    bench.do("b write 0x30000 9")
    designs = [track["design"] for track in bench.player.frames["tracks"]]
    assert designs == ["anongroup", "anon_vma_chain"]
    for design in bench.designs:
        assert bench.trace_of(design) == record(bench.text, design, bench.trace.title)
    click(bench, "design", name="anon_vma_chain")
    assert bench.designs == ("anon_vma_chain",)


def test_another_machine_is_a_line_of_the_history(bench: Workbench) -> None:
    click(bench, "machine", name="x86_64")
    assert bench.history.machine.geometry == "x86_64"
    assert bench.text.startswith("machine x86_64 frames 64 swap 16\na = spawn")


@pytest.mark.parametrize("name", every())
def test_every_preset_runs_and_what_it_says_to_try_works(name: str) -> None:
    bench = anonlab.explore(name)
    assert bench.history == parse(preset(name).text)
    assert bench.designs == (preset(name).designs or ("anongroup",))
    for line in preset(name).tries:
        bench.do(line)
        assert bench.failed is None


def test_the_library_and_the_lessons_are_at_hand(bench: Workbench) -> None:
    click(bench, "preset", name="prefork")
    assert bench.history == library.load("prefork")
    assert anonlab.explore(library.load("prefork")).history == library.load("prefork")
    click(bench, "preset", name="05")
    assert bench.bar.view["tries"][0] == "child write 0x30000 100"


def test_an_unknown_design_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"design is one of .*anongroup"):
        anonlab.explore(design="magic")


# The picture, a few operations at a time


def test_one_can_step_through_everything(bench: Workbench) -> None:
    for value in range(30):
        bench.do(f"b write 0x30000 {value}")
    frames = bench.player.frames
    seen = [(row[1], frames["labels"][row[0]][0]) for row in frames["steps"]]
    assert seen == [(step.operation, step.label) for step in bench.trace.steps]


def test_a_long_history_is_played_in_windows_that_say_so(bench: Workbench) -> None:
    for value in range(100):
        bench.do(f"b write 0x30000 {value}")
    for number in (0, 1, 50, 104):
        click(bench, "show", operation=number)
        frames = bench.player.frames
        assert frames["steps"][bench.player.step][1] == number - 1
        assert "of 104 are here" in frames["note"]


def test_any_operation_can_be_shown(bench: Workbench) -> None:
    for value in range(30):
        bench.do(f"b write 0x30000 {value}")
    for number in (0, 1, 17, 34):
        click(bench, "show", operation=number)
        frames = bench.player.frames
        assert frames["steps"][bench.player.step][1] == number - 1
        assert bench.bar.view["shown"] == number


def test_long_histories_are_listed_in_hundreds() -> None:
    bench = anonlab.explore(history_text(generate(4, 250)))
    view = click(bench, "rows", **{"from": 101})
    assert [row[0] for row in view["rows"]] == list(range(101, 201))
    assert view["count"] == 250
    ops = bench.history.ops
    assert [row[1] for row in view["rows"]] == [format_op(op) for op in ops[100:200]]


def test_what_is_shown_is_listed_with_some_operations_before_it() -> None:
    bench = anonlab.explore(history_text(generate(4, 250)))
    for number in range(1, 251):
        bench.show(number)
        listed = [row[0] for row in bench.side.view["rows"]]
        assert {*range(max(1, number - 19), number + 1)} <= {*listed}


def test_more_than_a_bench_holds_is_refused_with_what_takes_it() -> None:
    with pytest.raises(FormatError, match=r"this has 20,001: anonlab.record"):
        anonlab.explore("a = spawn\n" + "reclaim 1\n" * MOST_OPERATIONS)


def test_one_operation_more_runs_one_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    import anonlab.notebook.live_history as live

    bench = anonlab.explore(STORY + "a read 0x30000\n" * 300)
    done: list[Any] = []
    true_apply = live.apply
    monkeypatch.setattr(live, "apply", lambda *given: done.append(given) or true_apply(*given))
    bench.do("b exit")
    assert len(done) == 1
    done.clear()
    bench.undo()
    bench.do("b read 0x30000")
    assert len(done) <= COPY_EVERY + 1


def test_branches_of_one_history_stay_apart() -> None:
    histories = LiveHistories()
    long, short = parse(STORY + "b exit\n"), parse(STORY + "a exit\n")
    one = histories.after(long, "anongroup")
    other = histories.after(short, "anongroup")
    assert one.steps[: one.ends[4]] == other.steps[: other.ends[4]]
    assert one.kernel.snapshot() == run(long).kernel.snapshot()
    assert other.kernel.snapshot() == run(short).kernel.snapshot()


# Files


def test_saved_and_loaded_it_is_the_same(bench: Workbench, tmp_path: Path) -> None:
    path = bench.save(tmp_path / "mine.history")
    other = anonlab.explore()
    click(other, "load", path=str(path))
    assert other.history == bench.history
    assert "There is no file" in click(other, "load", path=str(tmp_path / "none"))["message"]


@pytest.mark.parametrize("act", ["save", "page"])
def test_a_file_is_written_over_only_if_one_says_so(
    bench: Workbench, tmp_path: Path, act: str
) -> None:
    path = tmp_path / "mine.html"
    path.write_text("work of a night")
    view = click(bench, act, path=str(path))
    assert path.read_text() == "work of a night"
    assert view["kind"] == "ask"
    (name, words, other), (again, _, replacing) = view["choices"]
    assert words == "Save as mine-2.html"
    click(bench, name, **other)
    assert path.read_text() == "work of a night"
    written = (tmp_path / "mine-2.html").read_text()
    assert "a write 0x30000 7" in written
    click(bench, again, **replacing)
    assert path.read_text() == written


def test_saving_twice_the_same_is_no_conflict(bench: Workbench, tmp_path: Path) -> None:
    path = bench.save(tmp_path / "mine.history")
    assert bench.save(path) == path
    bench.do("b exit")
    with pytest.raises(FileExistsError, match=r"left alone; mine-2.history is free"):
        bench.save(path)
    assert path.read_text() == STORY


WRONG = {
    b"a = spawn\na mmap 0x30000 2\na wriet 0x30000 1\n": "line 3: unknown verb 'wriet'",
    b"\x7fELF\x02\x01\x01\n\xff\xfe": "line 2: byte 8 (0xff) is no text",
    b"a = spawn\r\nb = frok a\r\n": "line 2: unknown verb 'frok'",
    b'{"format":"anonlab-trace","version":3}': "this is a trace",
    b'{"format": [': "not JSON",
    b'12 execve("/bin/ls", ["ls"], 0x7ffe) = 0\n12 brk(NULL) = 0x55\n': "a log of strace",
    b"+++ exited\n7 close(-1) = -1 EBADF (Bad file descriptor)\n": "a log of strace",
    b'{"cells": [], "metadata": {}, "nbformat": 4}': "expected an object with format",
    b'{"format":"anonlab-recording","version":1}': "this is a recording",
    b"\x89PNG\r\n\x1a\n": "line 1: byte 0 (0x89) is no text",
    b"name,points\nada,10\n": "line 1: 'name,points' alone says nothing",
}


@pytest.mark.parametrize("content", WRONG, ids=[what[:24] for what in WRONG.values()])
def test_a_file_that_is_no_history_says_where(
    bench: Workbench, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "some.file"
    path.write_bytes(content)
    before = whole(bench)
    view = click(bench, "load", path=str(path))
    assert view["message"].startswith("some.file")
    assert WRONG[content] in view["message"]
    assert whole(bench) == before


def test_a_folder_is_no_file(bench: Workbench, tmp_path: Path) -> None:
    assert click(bench, "load", path=str(tmp_path))["message"].startswith("Is a directory: ")


def test_histories_of_other_editors_are_read(bench: Workbench, tmp_path: Path) -> None:
    path = tmp_path / "windows.history"
    path.write_bytes(b"\xef\xbb\xbf" + STORY.replace("\n", "\r\n").encode())
    bench.load(path)
    assert bench.text == STORY
    path.write_text(library.load("prefork").dumps())
    bench.load(path)
    assert bench.history == library.load("prefork")


# Completion


@pytest.mark.parametrize(
    ("line", "offered", "never"),
    [
        ("ch", "child", "shell"),
        ("child wr", "child write", "child read"),
        ("child write ", "child write 0x30000", "child write any"),
        ("p3 = f", "p3 = fork", "p3 = spawn"),
        ("p3 = fork ", "p3 = fork shell", "p3 = fork libc"),
        ("p3=fork s", "p3=fork shell", "p3=fork child"),
        ("child mremap 0x30000 4 t", "child mremap 0x30000 4 to", "child mremap 0x30000 4 pages"),
        ("child mmap any 4 rw f", "child mmap any 4 rw file", "child mmap any 4 rw shared"),
        ("child mmap any 4 rw file ", "child mmap any 4 rw file libc", "shell"),
        ("rec", "reclaim", "child"),
    ],
)
def test_a_line_is_completed_by_what_may_stand_there(line: str, offered: str, never: str) -> None:
    names = {"shell": "process", "libc": "file", "child": "process"}
    found = offers(line, names, {"child": ["0x30000"], "shell": ["0x50000"]})
    assert offered in found
    assert never not in found
    assert all(one.startswith(line) for one in found)


def test_the_hint_says_how_a_verb_is_written(bench: Workbench) -> None:
    assert hint("a mre") == ""
    assert hint("a munmap") == "WHO munmap ADDR PAGES"
    click(bench, "complete", line="b write ")
    assert bench.bar.offers["items"] == ["b write 0x30000"]


# Strangers


@pytest.mark.parametrize("message", [None, [], {}, {"do": "eval"}, {"do": "_do_line"}, "undo"])
def test_messages_that_nobody_can_click_are_left_alone(bench: Workbench, message: Any) -> None:
    before = whole(bench)
    bench.acts.heard(message)
    assert whole(bench) == before


def test_two_benches_know_nothing_of_each_other(bench: Workbench) -> None:
    other = anonlab.explore(STORY)
    click(other, "line", line="b exit", number=1)
    other.undo()
    assert bench.bar.view["redo"] == ""
    assert bench.bar.view["typed"] == []
    assert other.bar.view["redo"] == "b exit"

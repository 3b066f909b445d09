"""Files, shared memory, borrowed address spaces and pins on the running kernel: what each must show
by the manual, and that the simulated machine shows the same after every operation."""

from __future__ import annotations

import os
import platform
import signal
from pathlib import Path

import pytest
from linux_view import needs_full_view, needs_some_view

from anonlab.errors import FormatError
from anonlab.formats.history_text import parse
from anonlab.formats.observation import file_tags
from anonlab.linux import address_window, pinning, shared_mm_process
from anonlab.linux.address_window import AddressWindow, possible_kinds
from anonlab.linux.oracle import Oracle
from anonlab.live.verify import compare_live, compare_with_kernel

needs_x86 = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="needs x86-64: borrowers run machine code"
)
needs_ring = pytest.mark.skipif(
    bool(pinning.problem()), reason=f"needs CAP_SYS_ADMIN or io_uring: {pinning.problem()}"
)
LIB = "lib = file 6\na = spawn\n"


def effects(oracle, text):
    """What the kernel shows after each operation, once the simulated machine has shown the same."""
    history = parse(text)
    steps = list(oracle.run(history))
    held = compare_with_kernel(history, steps, oracle.view, walked_every=1)
    assert held.failures == []
    assert held.operations == len(history.ops)
    assert held.missed == 0
    return steps


@needs_full_view
def test_shared_memory_is_one_page_for_parent_and_child(oracle) -> None:
    text = "a = spawn\na mmap 0x30000 2 shared\na write 0x30000 7\nb = fork a\nb write 0x30000 9\n"
    *_, before, last = effects(oracle, text + "a read 0x30000\n")
    assert last.values == (9,)
    assert last.observation["a", 0x30] == last.observation["b", 0x30]
    assert last.observation["a", 0x30][0:3] == ("file", 1, 2)
    assert before.observation["b", 0x30].exclusive is None


@needs_full_view
def test_a_private_copy_of_a_file_page_is_seen_by_its_writer_alone(oracle) -> None:
    text = LIB + (
        "a mmap 0x30000 6 rw file lib\nb = spawn\nb mmap 0x40000 6 rw file lib shared\n"
        "a write 0x31000 5\nb read 0x41000\nb write 0x42000 8\na read 0x32000\n"
    )
    steps = effects(oracle, text)
    tags = file_tags("lib", 6)
    assert [steps[number].values for number in (6, 8)] == [(tags[1],), (8,)]
    observation = steps[-1].observation
    assert observation["a", 0x31].state == "page"
    assert observation["a", 0x32].name == observation["b", 0x42].name


@needs_full_view
def test_a_file_that_shrinks_takes_private_copies_along_and_beyond_is_sigbus(oracle) -> None:
    text = LIB + (
        "a mmap 0x30000 6 rw file lib\na write 0x34000 5\ntruncate lib 3\na read 0x34000\n"
        "a read 0x32000\na write 0x60000 1\ntruncate lib 5\na read 0x34000\n"
    )
    errors = [step.error for step in effects(oracle, text)]
    assert errors[4:] == ["", "SIGBUS", "", "SIGSEGV", "", ""]


@needs_full_view
def test_a_read_of_a_file_maps_its_neighbours_and_the_rule_takes_them_out(oracle) -> None:
    history = parse(LIB + "a mmap 0x30000 6 r file lib\na read 0x32000\n")
    *_, last = oracle.run(history)
    assert len(last.observation) == 6  # fault-around, as long as nobody has switched it off
    held = compare_with_kernel(history, oracle.run(history))
    assert held.failures == []
    assert +held.explained == {"fault_around": 1}


@needs_full_view
def test_a_fork_leaves_out_shared_memory_and_the_rule_takes_it_out(oracle) -> None:
    history = parse("a = spawn\na mmap 0x30000 2 shared\na write 0x30000 7 2\nb = fork a\n")
    *_, last = oracle.run(history)
    assert {who for who, _ in last.observation} == {"a"}
    assert +compare_with_kernel(history, oracle.run(history)).explained == {"refault": 1}


@needs_full_view
def test_locked_memory_that_becomes_writable_is_filled(oracle) -> None:
    text = (
        "a = spawn\na mmap 0x30000 2 r\na mmap 0x40000 1\na write 0x40000 7\n"
        "a mprotect 0x40000 1 r\nb = fork a\na mlock 0x30000 1\na mlock 0x40000 1\n"
        "a mprotect 0x30000 2 rw\na mprotect 0x40000 1 rw\n"
    )
    last = effects(oracle, text)[-1].observation
    assert {place: seen.state for place, seen in last.items() if place[1] < 0x40} == {
        ("a", 0x30): "page"
    }
    assert last["a", 0x40].name != last["b", 0x40].name


@needs_ring
@needs_full_view
def test_a_pin_of_what_can_only_be_read_ends_a_history(oracle) -> None:
    history = parse("a = spawn\na mmap 0x30000 1 r\na pin 0x30000\n")
    held = compare_with_kernel(history, oracle.run(history))
    assert held.failures == []
    assert +held.explained == {"read_only_pin": 1}


@needs_full_view
def test_frames_that_one_operation_frees_and_takes_again_have_new_names(oracle) -> None:
    text = (
        "a = spawn\na mmap 0x35000 8\na write 0x36000 1 4\na mlock 0x36000 2\n"
        "a mremap 0x36000 1 pages 3 to 0x37000\na read 0x37000 3\n"
    )
    assert effects(oracle, text)[-1].values == (1, 0, 0)


@needs_x86
@needs_full_view
def test_a_child_by_vfork_runs_in_its_parents_memory_until_execve(oracle) -> None:
    text = (
        "a = spawn\na mmap 0x30000 2\na write 0x30000 7\nb = vfork a\nb write 0x30000 8\n"
        "b mmap 0x50000 1\nb execve sh\na read 0x30000\na write 0x50000 3\nb read 0x30000\n"
    )
    steps = effects(oracle, text)
    born = steps[4].observation
    assert born["a", 0x30] == born["b", 0x30]
    assert born["a", 0x30].mapcount == 1  # one page table, however many processes
    assert [step.error for step in steps[7:]] == ["", "", "SIGSEGV"]
    assert steps[7].values == (8,)


@needs_x86
@needs_full_view
def test_a_fork_in_borrowed_memory_makes_a_process_of_its_own(oracle) -> None:
    text = (
        "a = spawn\na mmap 0x30000 2\na write 0x30000 7\nb = vfork a\nc = fork b\n"
        "c write 0x30000 9\nd = vfork b\nd exit\nb exit\na read 0x30000\nc read 0x30000\n"
        "c execve sh\nc mmap 0x30000 1\nc write 0x30000 1\n"
    )
    steps = effects(oracle, text)
    assert [steps[number].values for number in (9, 10)] == [(7,), (9,)]


@needs_x86
@needs_full_view
def test_memory_lives_as_long_as_one_of_its_processes(oracle) -> None:
    text = (
        "a = spawn\na mmap 0x30000 2\na write 0x30000 7\nb = clone_vm a\nc = clone_vm b\n"
        "c munmap 0x31000 1\na exit\nb execve sh\nc write 0x30000 8\nc read 0x30000\n"
        "c write 0x31000 1\nc exit\n"
    )
    steps = effects(oracle, text)
    assert steps[9].values == (8,)
    assert steps[10].error == "SIGSEGV"
    assert steps[11].observation == {}


@needs_x86
@needs_some_view
def test_borrowers_end_with_the_history_even_those_that_are_waited_for() -> None:
    with Oracle() as asked:
        list(asked.run(parse("a = spawn\nb = vfork a\nc = clone_vm b\nd = vfork b\n")))
        pids = [living.pid for living in asked.processes.living.values()]
        assert len(pids) == 4
        list(asked.run(parse("a = spawn\na mmap 0x30000 1\nb = clone_vm a\n")))
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
        os.kill(asked.processes.living["b"].pid, signal.SIGKILL)
        with pytest.raises((ChildProcessError, BrokenPipeError)):
            asked.processes.call("b", "read", 0x1000, 1)


@needs_ring
@needs_full_view
def test_a_page_that_a_device_holds_stays_with_its_process_at_fork(oracle) -> None:
    text = (
        "a = spawn\na mmap 0x30000 3\na write 0x30000 7 2\na pin 0x30000\nb = fork a\n"
        "a write 0x30000 8\nb read 0x30000\na unpin 0x30000\nc = fork a\na unpin 0x30000\n"
        "b pin 0x31000 2\nb munmap 0x31000 1\nb unpin 0x31000\na pin 0x50000\n"
    )
    steps = effects(oracle, text)
    forked, again = steps[4].observation, steps[8].observation
    assert forked["a", 0x30].name != forked["b", 0x30].name
    assert forked["a", 0x31].name == forked["b", 0x31].name
    assert again["a", 0x30].name == again["c", 0x30].name
    assert [step.error for step in steps[9:]] == ["EINVAL", "", "", "", "SIGSEGV"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("b = vfork a\na mmap 0x30000 1", "a waits until its child by vfork calls execve or exit"),
        ("b = vfork a\nc = fork a", "a waits until its child by vfork"),
        ("b = clone_vm a\nb pin 0x30000", "only in histories without vfork and clone_vm"),
        ("a pin 0x30000 read", "wants to write: leave out read"),
        ("".join(f"f{number} = file 1\n" for number in range(9)), "the oracle has 8 files"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_runs(text, complaint, monkeypatch) -> None:
    for module in (shared_mm_process, pinning):
        monkeypatch.setattr(module, "problem", lambda: "")
    with pytest.raises(FormatError, match=complaint):
        AddressWindow(parse(f"a = spawn\n{text}\n"))


def test_where_a_kind_is_not_possible_the_reason_is_told(monkeypatch) -> None:
    monkeypatch.setattr(shared_mm_process.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(address_window.pinning, "problem", lambda: "needs io_uring")
    assert {"files", "odd", "stacks"} <= {*possible_kinds()} <= {"files", "odd", "stacks", "heap"}
    with pytest.raises(FormatError, match="needs x86-64 for vfork and clone_vm: this is arm64"):
        AddressWindow(parse("a = spawn\nb = vfork a\n"))
    with pytest.raises(FormatError, match="needs io_uring"):
        AddressWindow(parse("a = spawn\na mmap 0x30000 1\na pin 0x30000\n"))


@needs_some_view
def test_what_does_not_fit_the_buffer_of_a_borrower_is_an_error(monkeypatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/x" * 5000)
    with pytest.raises(OSError, match="Argument list too long"):
        shared_mm_process.SharedMmProcess(None, 0, 0x1000).execve(["python3"])  # type: ignore[arg-type]


@pytest.mark.slow
@needs_full_view
def test_random_histories_of_every_kind_equal_the_running_kernel() -> None:
    held = compare_live(3_000, 43)
    assert held.failures == []
    assert held.missed == 0
    assert held.differs == held.copies > 0
    assert held.explained["refault"] > 0
    assert held.explained["fault_around"] > 0

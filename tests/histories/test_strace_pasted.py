"""What people and programs do to a log on its way: read right, or not believed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from anonlab.errors import FormatError
from anonlab.formats.history_text import format_op
from anonlab.histories.strace.log import ImportedLog, read_strace

RW = "PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0"
ONE = f"""\
execve("/bin/sh", ["sh"], 0x7ffc0e146870 /* 9 vars */) = 0
mmap(NULL, 8192, {RW}) = 0x7f44b84ce000
munmap(0x7f44b84ce000, 8192) = 0
getpid() = 71
exit_group(0) = ?
"""
SAID = [
    "p0 = spawn", "p0 execve sh", "p0 mmap 0x7f44b84ce000 2", "p0 munmap 0x7f44b84ce000 2",
    "p0 exit",
]  # fmt: skip


def said(found: ImportedLog) -> list[str]:
    """The operations, without those of the touch rule."""
    assert found.lines == found.used + sum(found.skipped.values())
    ops = enumerate(found.history.ops)
    return [format_op(op) for place, op in ops if place not in found.touches]


def numbered(form: str, first: int, text: str = ONE) -> list[str]:
    return [form.format(n, line) for n, line in enumerate(text.splitlines(), first)]


@pytest.mark.parametrize(
    "lines",
    [
        numbered("{:6}\t{}", 1),  # cat -n
        numbered("{:6}  {}", 1),  # nl
        numbered("{:6} {}", 100, ONE.replace("getpid() = 71\n", "getpid() = 71\n" * 9)),
        numbered("Nov {} 00:00:00 {}", 26),  # a number of each day
        numbered("2026-11-{} 00:00:00 {}", 26),
        numbered("11/28/{} 00:00:00 {}", 2026),
    ],
)
def test_the_number_of_a_line_or_a_day_is_no_process(lines: list[str]) -> None:
    assert said(read_strace(lines)) == SAID


def test_processes_may_count_up_like_the_numbers_of_lines() -> None:
    lines = numbered("{} {}", 100, 'execve("/bin/a", ["a"], 0x7f) = 0\n+++ exited with 0 +++\n' * 9)
    assert len(read_strace(lines).moments) == 18
    assert read_strace(lines).moments[-1].pid == 117


def test_long_lines_of_one_length_are_not_joined_with_what_a_program_wrote() -> None:
    """Nothing was broken: the longest lines are whole, and the program wrote between them."""
    one, two = "fork()".ljust(61) + " = 72", "[pid 71] fork()".ljust(61) + " = 73"
    written = ["4 files", "[pid 72] getpid() = 72"]
    found = read_strace([ONE.splitlines()[0], one, *written, two, *written])
    assert said(found)[2:] == ["p72 = fork p71", "p73 = fork p71"]


def test_a_line_as_long_as_the_others_may_be_half_of_a_call() -> None:
    half = f"wait4({'x' * 57} <unfinished ...>"
    again = f"mmap(NULL, 8192, {RW}) = 0x7f44b84d2000"
    log = [*ONE.splitlines()[:2], half, again, *ONE.splitlines()[2:]]
    found = read_strace([line[n : n + 80] for line in log for n in range(0, len(line), 80)])
    assert said(found) == [*SAID[:3], "p0 mmap 0x7f44b84d2000 2", *SAID[3:]]
    assert found.skipped["part of a call, joined with the rest"] == 2


def test_a_first_line_may_be_longer_than_what_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(ONE.replace('["sh"]', '["sh", "' + "x" * 10_000 + '"]'))
    assert said(read_strace(path)) == SAID


def test_a_page_may_show_one_program_after_the_other() -> None:
    found = read_strace(["$ strace sh", *ONE.splitlines(), "", "$ strace ls", *ONE.splitlines()])
    assert said(found) == SAID + [op.replace("p0", "p0.2") for op in SAID]


def test_what_strace_injected_did_not_happen() -> None:
    lines = [
        *ONE.splitlines()[:2],
        "munmap(0x7f44b84ce000, 8192) = 0 (INJECTED)",
        "fork() = 72 (INJECTED: args, retval)",
        "mprotect(0x7f44b84ce000, 4096, PROT_READ) = 0 (INJECTED: args)",
        "munmap(0x7f44b84ce000, 4096) = 0 (DELAYED) <0.100123>",
    ]
    found = read_strace(lines)
    assert said(found)[3:] == [
        "p0 mprotect 0x7f44b84ce000 1 r",
        "p0 munmap 0x7f44b84ce000 1",
    ]
    assert found.skipped == {"result that strace injected": 2}


@pytest.mark.parametrize(
    "line",
    [
        f"mmap(NULL, 4096, {RW}) = 0xFF390000",
        f"mmap(NULL, 4096, {RW}) = 0777",
        "mmap(NULL, 4096, PROT*READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f1111100000",
        "mprotect(0x7f44b84ce000, 4096, Prot read) = 0",
    ],
)
def test_a_call_that_somebody_spoilt_is_not_believed(line: str) -> None:
    found = read_strace([*ONE.splitlines()[:2], *["getpid() = 71"] * 9, line])
    assert said(found) == SAID[:3]
    assert found.skipped == {"call getpid": 9, "arguments not understood": 1}


@pytest.mark.parametrize("result", ["-", "-1", "-38", "2"])
def test_a_program_starts_only_where_execve_gives_0(result: str) -> None:
    found = read_strace([*ONE.splitlines()[:2], f'execve("/bin/ls", ["ls"], 0x7f) = {result}'])
    assert said(found) == SAID[:3]


def test_a_heap_that_began_before_the_log_is_told_apart_from_a_question() -> None:
    found = read_strace([*ONE.splitlines()[:2], "brk(0x5000) = 0x5000", "brk(0x6000) = 0x6000"])
    assert found.skipped == {"brk of a heap that began before the log": 1}
    assert said(found)[-1] == "p0 brk 0x555555555000"


def test_frames_of_a_stack_are_counted_as_such() -> None:
    frames = [
        " > /lib/libc.so.6(brk+0x1d) [0xdb44d] ../sysdeps/brk.c:30",
        " > /memfd:code (deleted)() [0x1a2]",
        " > unexpected_backtracing_error [0x7ffd0]",
    ]
    assert read_strace([*ONE.splitlines(), *frames]).skipped["stack of a call (-k)"] == 3


# -- harm -----------------------------------------------------------------------------------------


def test_a_small_file_does_not_unpack_to_a_large_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("anonlab.histories.strace.opening.PACKED_SIZE", 1000)
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(ONE.encode() + b"\n" * 1_000_000))
    with pytest.raises(FormatError, match="unpacks to more than 500 times its size"):
        read_strace(path)


def test_living_processes_have_a_bounded_number_of_mappings(monkeypatch) -> None:
    monkeypatch.setattr("anonlab.histories.strace.tasks.MAPPINGS_MAX", 100)
    lines = [f"1 mmap(NULL, 4096, {RW}) = {0x7F0000000000 + n * 8192:#x}" for n in range(10)]
    births = [f"1 fork() = {pid}" for pid in range(2, 12)]
    ends = [f"{pid} exit_group(0) = ?" for pid in range(2, 12)]
    read_strace([*lines, *births, *ends, *births])
    with pytest.raises(FormatError, match="line 41: the living processes have more than 100 map"):
        read_strace([*lines, *births, *ends, *births, "1 fork() = 12"])


def test_locks_of_all_memory_become_a_bounded_number_of_operations(monkeypatch) -> None:
    monkeypatch.setattr("anonlab.histories.strace.memory._CHANGED_MAX", 4)
    lock = ["mlockall(MCL_CURRENT) = 0", "munlockall() = 0"]
    found = read_strace([*ONE.splitlines()[:2], *lock, *lock])  # execve mapped a stack
    assert found.skipped == {"lock of all memory, after a million mappings": 2}

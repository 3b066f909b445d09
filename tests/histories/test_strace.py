from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonlab.errors import FormatError
from anonlab.formats.history import History
from anonlab.formats.history_text import format, format_op, parse  # noqa: A004  a pair
from anonlab.histories import library
from anonlab.histories.run import run
from anonlab.histories.strace.log import ImportedLog, read_strace

NASTY = Path(__file__).parent / "data" / "nasty.log"
EXEC = '1 execve("/bin/sh", ["sh"], 0x7ffc00000000 /* 2 vars */) = 0'


def imported(*lines: str) -> ImportedLog:
    found = read_strace([EXEC, *lines])
    assert_accounted(found)
    return found


def assert_accounted(found: ImportedLog) -> None:
    assert found.lines == found.used + sum(found.skipped.values())
    assert len(found.history.ops) == found.setup + found.operations + len(found.touches)
    assert all(count > 0 for count in found.skipped.values())


def said(found: ImportedLog) -> list[str]:
    """The operations after spawn and execve, touches marked by a +."""
    return [
        ("+" if place in found.touches else "") + format_op(op)
        for place, op in enumerate(found.history.ops)
        if op.verb not in ("spawn", "file") and not (op.verb == "execve" and op.line == 1)
    ]


def errors(history: History) -> list[str]:
    return [outcome.error for outcome in run(history).outcomes if outcome.error]


# -- recorded logs ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", library.logs())
def test_a_recorded_log_is_accounted_for_and_runs_without_an_error(name):
    found = read_strace(library.log(name))
    assert_accounted(found)
    assert found.lines == len(library.log(name).read_text().splitlines())
    assert errors(found.history) == []
    assert parse(format(found.history)) == found.history


def test_the_pipeline_is_a_shell_two_forks_and_two_programs():
    found = read_strace(library.log("bash_pipeline"))
    turns = [(moment.kind, moment.what) for moment in found.moments]
    shell = found.moments[0].name
    assert sorted(turns) == sorted(
        [("execve", "bash"), ("fork", shell), ("fork", shell), ("execve", "ls"), ("execve", "wc")]
        + [("exit", "")] * 3
    )
    for moment in found.moments:
        op = found.history.ops[moment.operation]
        assert (op.verb, op.who, op.line) == (moment.kind, moment.name, moment.line)


def test_the_other_logs_have_threads_and_vforks():
    kinds = {m.kind for name in library.logs() for m in read_strace(library.log(name)).moments}
    assert kinds == {"execve", "fork", "vfork", "clone_vm", "exit"}


def test_programs_that_load_the_same_library_map_the_same_file():
    found = read_strace(library.log("bash_pipeline"))
    users: dict[str, set[str]] = {}
    for op in found.history.ops:
        if op.verb == "mmap" and "file" in op.args:
            users.setdefault(str(op.args["file"]), set()).add(op.who)
    assert max(map(len, users.values())) == 3  # the C library, in bash, ls and wc


LEAKS = re.compile(r"USER|HOME|PWD|SHELL|HOST|@", re.IGNORECASE)
FOLDERS = {"bin", "dev", "etc", "usr"}
"""Where the programs and libraries of every machine lie."""


@pytest.mark.parametrize("name", library.logs())
def test_recorded_logs_tell_nothing_of_the_machine_they_were_recorded_on(name):
    text = library.log(name).read_text(encoding="ascii")
    assert LEAKS.search(text) is None
    assert set(re.findall(r"(?<!\w)/(\w+)", text)) <= FOLDERS
    assert len(text) < 200_000
    # The environment is a number of variables, never their values.
    environments = re.findall(r"execve\(.*\], (.*?)(?:\) +=| <unf)", text)
    assert environments
    assert all(re.fullmatch(r"0x[0-9a-f]+ /\* \d vars \*/", found) for found in environments)


# -- a log with everything in it ----------------------------------------------------------------

NASTY_SKIPPED = {
    "first half of a call, joined with the second": 7,
    "brk that only asks": 2,
    "end of a process that had exited": 2,
    "mapping not in the log": 2,
    "signal": 2,
    "word of strace itself": 2,
    "arguments not understood": 1,
    "blank line": 1,
    "call of a process that is gone": 1,
    "call that never returned": 1,
    "call without a result": 1,
    "failed: execve ENOENT": 1,
    "failed: mmap EEXIST": 1,
    "huge pages (MAP_HUGETLB)": 1,
    "line cut off": 1,
    "line not understood": 1,
    "madvise MADV_FREE": 1,
    "mremap of length 0": 1,
    "second half of a call without the first": 1,
    "shared memory whose size is not in the log": 1,
}
"""Counted by hand, line by line."""


def test_every_odd_line_is_counted_under_its_reason():
    found = read_strace(NASTY)
    assert_accounted(found)
    assert found.lines == 60
    assert found.skipped == NASTY_SKIPPED
    assert errors(found.history) == []


# -- one rule at a time -------------------------------------------------------------------------


def test_anonymous_memory_is_written_up_to_eight_pages():
    rw = "PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)"
    lines = (
        f"1 mmap(NULL, 8193, {rw} = 0x7f0000000000",
        f"1 mmap(NULL, 99999, {rw} = 0x7e0000000000",
    )
    assert said(imported(*lines)) == [
        "p1 mmap 0x7f0000000000 3",
        "+p1 write 0x7f0000000000 8 3",
        "p1 mmap 0x7e0000000000 25",
        "+p1 write 0x7e0000000000 16 8",
    ]


def test_memory_that_may_not_be_written_is_not_touched():
    line = "1 mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000"
    assert said(imported(line)) == ["p1 mmap 0x7f0000000000 1 none"]


def test_a_file_is_read_once_and_written_once_where_it_is_private_and_writable():
    assert said(
        imported(
            "1 mmap(NULL, 40960, PROT_READ, MAP_PRIVATE, 3, 0) = 0x7f0000000000",
            "1 mmap(0x7f0000004000, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED, 3, 0x4000)"
            " = 0x7f0000004000",
        )
    ) == [
        "p1 mmap 0x7f0000000000 10 r file file-40960",
        "+p1 read 0x7f0000000000",
        "p1 mmap 0x7f0000004000 2 file file-40960 offset 4 fixed",
        "+p1 write 0x7f0000004000 8",
    ]


def test_files_are_as_long_as_their_mappings():
    found = imported(
        "1 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 3</x/libc.so.6>, 0x9000) = 0x7f0000000000",
        "1 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 3</x/libc.so.6>, 0) = 0x7f0000010000",
    )
    assert [format_op(op) for op in found.history.ops if op.verb == "file"] == [
        "libc.so.6 = file 10"
    ]


def test_the_heap_begins_where_this_kernel_puts_it_and_moves_by_what_the_log_says():
    lines = [
        "1 brk(NULL) = 0x1000000",
        "1 brk(0x1003000) = 0x1003000",
        "1 brk(0x1001000) = 0x1001000",
    ]
    assert said(imported(*lines)) == [
        "p1 brk 0x555555557000",
        "+p1 write 0x555555554000 8 3",
        "p1 brk 0x555555555000",
    ]
    assert said(imported(*lines, "1 mprotect(0x1000000, 4096, PROT_READ) = 0"))[-1] == (
        "p1 mprotect 0x555555554000 1 r"
    )


def test_after_a_fork_the_child_and_then_the_parent_write_their_stack():
    assert said(imported("1 fork() = 2")) == [
        "p2 = fork p1",
        "+p2 write 0x7fffffffe000 8",
        "+p1 write 0x7fffffffe000 16",
    ]


@pytest.mark.parametrize(
    ("call", "verb"),
    [
        ("fork()", "fork"),
        ("vfork()", "vfork"),
        ("clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD)", "fork"),
        ("clone(child_stack=0x7f, flags=CLONE_VM|CLONE_VFORK|SIGCHLD)", "vfork"),
        ("clone(child_stack=0x7f, flags=CLONE_VM|CLONE_THREAD)", "clone_vm"),
        ("clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD}, 88)", "vfork"),
        ("clone3({flags=CLONE_VM|CLONE_THREAD} => {parent_tid=[2]}, 88)", "clone_vm"),
        ("clone3({flags=0, exit_signal=SIGCHLD}, 88)", "fork"),
    ],
)
def test_a_call_that_makes_a_process_is_told_by_its_flags(call, verb):
    found = imported(f"1 {call} = 2")
    assert [(moment.kind, moment.name, moment.what) for moment in found.moments[1:]] == [
        (verb, "p2", "p1")
    ]


def test_a_child_that_speaks_before_its_parents_fork_returns_is_still_its_child():
    found = imported(
        "1 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>",
        "2 exit(0) = ?",
        "1 <... clone resumed>) = 2",
    )
    assert [op for op in said(found) if not op.startswith("+")] == ["p2 = fork p1", "p2 exit"]
    assert found.skipped == {"first half of a call, joined with the second": 1}


def test_exit_group_ends_all_threads_and_exit_ends_one():
    threads = [f"1 clone(flags=CLONE_VM|CLONE_THREAD) = {pid}" for pid in (2, 3)]
    found = imported(*threads, "1 fork() = 4", "3 exit(0) = ?", "2 exit_group(0) = ?")
    assert [op for op in said(found) if "exit" in op] == ["p3 exit", "p1 exit", "p2 exit"]


def test_a_process_that_is_killed_has_exited_and_one_that_exited_is_not_counted_again():
    found = imported("1 fork() = 2", "2 +++ killed by SIGKILL +++", "1 exit_group(0) = ?",
                     "1 +++ exited with 0 +++")  # fmt: skip
    assert [op for op in said(found) if "exit" in op] == ["p2 exit", "p1 exit"]
    assert found.skipped == {"end of a process that had exited": 1}


def test_a_pid_that_is_used_again_is_another_process():
    found = imported("1 fork() = 2", "2 exit(0) = ?", "1 fork() = 2", "2 exit(0) = ?")
    assert [op for op in said(found) if "p2" in op and not op.startswith("+")] == [
        "p2 = fork p1",
        "p2 exit",
        "p2.2 = fork p1",
        "p2.2 exit",
    ]


def test_a_last_word_of_a_dead_process_does_not_bring_its_successor_to_life():
    last_word = "2 wait4(-1, NULL, 0, NULL) = ?"
    found = imported("1 fork() = 2", "2 exit(0) = ?", last_word, "1 fork() = 2")
    assert [moment.line for moment in found.moments if moment.kind == "fork"] == [2, 5]
    assert found.skipped == {"call of a process that is gone": 1}


def test_a_change_of_pages_of_which_the_log_mapped_only_some_is_left_out():
    ro = "PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)"
    found = imported(
        f"1 mmap(NULL, 4096, {ro} = 0x7f0000000000",
        f"1 mmap(NULL, 4096, {ro} = 0x7f0000002000",
        "1 mprotect(0x7f0000000000, 12288, PROT_READ|PROT_WRITE) = 0",
        "1 munmap(0x7f0000000000, 12288) = 0",
    )
    assert found.skipped == {"mapping not in the log": 1}
    assert said(found)[-1] == "p1 munmap 0x7f0000000000 3"


def test_a_thread_that_execs_takes_the_place_of_its_leader():
    found = imported(
        "1 clone(flags=CLONE_VM|CLONE_THREAD) = 2",
        '2 execve("/bin/ls", ["ls"], 0x7f /* 2 vars */ <unfinished ...>',
        "1 +++ superseded by execve in pid 2 +++",
        "1 <... execve resumed>) = 0",
    )
    assert said(found) == ["p2 = clone_vm p1", "p2 exit", "p1 execve ls"]


def test_a_log_that_begins_in_the_middle_has_processes_from_nowhere():
    lines = ["7 munmap(0x7f0000000000, 4096) = 0", "8 vfork() = 9", "8 exit(0) = ?"]
    found = read_strace(lines)
    assert [format_op(op) for op in found.history.ops] == [
        "p7 = spawn", "p8 = spawn", "p9 = vfork p8", "p8 exit",
    ]  # fmt: skip
    assert found.skipped == {"mapping not in the log": 1}
    assert (found.setup, found.operations) == (2, 2)


def test_a_log_without_pids_is_one_process():
    line = "mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000"
    found = read_strace([EXEC.removeprefix("1 "), "12:00:01.5 " + line])
    assert said(found) == ["p0 mmap 0x7f0000000000 1 r"]


def test_addresses_of_arm64_lose_their_top_bit():
    line = "1 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0xffffa1230000"
    found = imported(line, "1 munmap(0xffffa1230000, 4096) = 0")
    assert said(found) == ["p1 mmap 0x7fffa1230000 1 r", "p1 munmap 0x7fffa1230000 1"]


def test_frames_suffice_when_everything_is_copied_after_many_forks():
    rw = "PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)"
    lines = [f"1 mmap(NULL, 65536, {rw} = 0x7f00{n:02x}000000" for n in range(40)]
    lines += [f"1 fork() = {pid}" for pid in range(2, 12)]
    lines += [
        f"{pid} mmap(NULL, 65536, {rw} = 0x7e00{n:02x}000000"
        for pid in range(2, 12)
        for n in range(40)
    ]
    assert errors(imported(*lines).history) == []


# -- logs that are none -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty log; record with: strace -f -e trace=memory,process -o FILE COMMAND"),
        (b"\n\n", "empty log"),
        (b"\x7fELF\x02\x01\0\0\0", "is a binary file"),
        (b"dear diary\ntoday\n", "none of the 2 lines is of strace"),
        (b"1 wait4(-1, NULL, 0, NULL) = 2\n", "is a call that changes memory or processes"),
        (
            b'1 execve("/x", [""], 0) = 0\n1 mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, 3, 0) = '
            b"0xfff8000100000000\n",
            "line 2: address 0xfff8000100000000 has more than 48 bits",
        ),
    ],
)
def test_what_is_no_log_is_refused_with_what_would_be_right(tmp_path, content, problem):
    path = tmp_path / "log"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=re.escape(problem)):
        read_strace(path)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_strace(tmp_path / "none")


@pytest.mark.parametrize("cut", [1, 2, 5, 12, 20, 40])
def test_a_last_line_that_was_cut_off_is_counted_and_never_believed(tmp_path, cut):
    path = tmp_path / "log"
    line = "1 brk(0x55d2cc13c000)               = 0x55d2cc13c000\n"
    path.write_text(EXEC + "\n" + line[:-cut])
    found = read_strace(path)
    assert_accounted(found)
    assert found.skipped == {"line cut off": 1}


def test_a_last_line_that_is_whole_needs_no_line_feed(tmp_path):
    path = tmp_path / "log"
    path.write_text(EXEC + "\n1 +++ exited with 0 +++")
    assert read_strace(path).skipped == {}


def test_progress_ends_at_the_last_byte(tmp_path):
    path = tmp_path / "log"
    path.write_text(EXEC + "\n" + "1 brk(NULL) = 0x1000\n" * 10_000)
    seen: list[tuple[int, int]] = []
    read_strace(path, progress=lambda done, total: seen.append((done, total)))
    size = path.stat().st_size
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert {total for _, total in seen} == {size}
    assert seen[-1] == (size, size)


# -- anything -----------------------------------------------------------------------------------


def read_or_refuse(source: object) -> None:
    try:
        found = read_strace(source)  # type: ignore[arg-type]
    except FormatError:
        return
    assert_accounted(found)
    assert parse(format(found.history)) == found.history


@settings(deadline=None)
@given(st.lists(st.text()))
def test_any_lines_are_a_log_or_a_format_error(lines):
    read_or_refuse(lines)


@settings(deadline=None, max_examples=60)
@given(content=st.binary())
def test_any_file_is_a_log_or_a_format_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "log"
    path.write_bytes(content)
    read_or_refuse(path)


LINES = NASTY.read_text().splitlines()


@settings(deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=40))
def test_lines_in_any_order_are_accounted_for(lines):
    read_or_refuse(lines)


@settings(deadline=None)
@given(st.data())
def test_lines_with_any_damage_are_accounted_for(data):
    lines = []
    for line in data.draw(st.lists(st.sampled_from(LINES), max_size=12)):
        start = data.draw(st.integers(0, len(line)))
        end = start + data.draw(st.integers(0, 12))
        damage = data.draw(st.text("0123456789abcdefx,()<>= -\0é", max_size=6))
        lines.append(line[:start] + damage + line[end:])
    read_or_refuse(lines)

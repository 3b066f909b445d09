"""Real touches: the log of a program whose touches are known has these, and no rule's."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys

import pytest
from project import ROOT
from test_ordinary_user import as_ordinary_user

from anonlab.formats.history_text import format_op
from anonlab.histories.run import run
from anonlab.histories.strace.log import read_strace
from anonlab.linux import page_faults, program
from anonlab.linux.merge_faults import merge_page_faults
from anonlab.linux.page_faults import MMAP2, SAMPLE, FaultEvent, MappingEvent, PageFaults
from anonlab.linux.program import record_program
from anonlab.machine.words import PAGE_SIZE
from anonlab.proof.replaying import replay

AREA = 0x100000000000
PROGRAM = f"""
import ctypes, os
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap(*map(ctypes.c_ulong, ({AREA}, 8 * 4096, 3, 0x100022, 2**64 - 1, 0)))
def page(number): return (ctypes.c_char * 1).from_address({AREA} + number * 4096)
page(0)[0] = b"a"
page(3)[0] = b"b"
page(5)[0]
page(6)[0]
page(6)[0] = b"c"
page(3)[0] = b"d"
child = os.fork()
if not child:
    page(0)[0] = b"e"
    page(3)[0]
    os._exit(0)
os.waitpid(child, 0)
page(3)[0] = b"f"
"""


def why_not() -> str:
    if shutil.which("strace") is None:
        return "no strace"
    try:
        PageFaults(0).close()
    except OSError as error:
        return f"needs CAP_SYS_ADMIN or page-fault events: {error.strerror}"
    except AttributeError:
        return "needs Linux"
    return ""


needs_faults = pytest.mark.skipif(bool(why_not()), reason=why_not())


@needs_faults
def test_the_log_has_the_touches_of_the_program_and_no_others(tmp_path) -> None:
    status, told = record_program([sys.executable, "-S", "-c", PROGRAM], tmp_path / "log")
    assert (status, told.split(",")[0]) == (0, "with its page faults")
    imported = read_strace(tmp_path / "log")
    assert imported.recorded
    touches = [imported.history.ops[place] for place in imported.touches]
    ours = [op for op in touches if AREA <= op.args["addr"] < AREA + 8 * PAGE_SIZE]
    parent = ours[0].who
    found = [
        (op.verb, (op.args["addr"] - AREA) // PAGE_SIZE, op.who == parent, op.args.get("pages", 1))
        for op in ours
    ]
    unknown = "write" if "but for" in told else "read"  # of a page that is read and never written
    assert found == [
        *[("write", 0, True, 1), ("write", 3, True, 1), (unknown, 5, True, 1)],
        *[("read", 6, True, 1), ("write", 6, True, 1)],
        *[("write", 0, False, 1), ("write", 3, True, 1)],
    ]
    outcomes = run(imported.history, "anon_vma_chain").outcomes
    assert [outcome.error for outcome in outcomes if outcome.error] == []


TRACED = ("unshare", "--mount", "sh", "-c", 'mount -t tracefs none "$0" && exec "$@"')


def has_tracefs() -> bool:
    if shutil.which("unshare") is None or not page_faults.TRACEFS[0].is_dir():
        return False
    command = [*TRACED, str(page_faults.TRACEFS[0]), "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@needs_faults
@pytest.mark.skipif(not has_tracefs(), reason="needs CAP_SYS_ADMIN and tracefs")
def test_where_there_is_tracefs_reads_and_writes_are_told_apart(tmp_path) -> None:
    """Of a private page of a file as well, which no other source can tell."""
    (tmp_path / "file").write_bytes(b"x" * 3 * PAGE_SIZE)
    reader = PROGRAM.split("page(0)")[0].replace("0x100022, 2**64 - 1", "0x100002, fd")
    code = f"import os; fd = os.open({str(tmp_path / 'file')!r}, os.O_RDONLY)\n{reader}"
    code += "page(2)[0] = b'a'; page(1)[0]\n"
    record = (
        "import sys; from pathlib import Path; from anonlab.linux.program import record_program\n"
        "print(record_program([sys.executable, '-S', '-c', sys.argv[1]], Path(sys.argv[2])))\n"
    )
    done = subprocess.run(
        [
            *(*TRACED, str(page_faults.TRACEFS[0]), sys.executable),
            *("-c", record, code, str(tmp_path / "log")),
        ],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert "(0, 'with its page faults')" in done.stdout
    log = (tmp_path / "log").read_text("utf-8")
    assert "touch)" not in log
    found = re.findall(rf"page_fault\(({AREA >> 16:#x}\w+), (\w+)\)", log)
    assert [((int(addr, 16) - AREA) // PAGE_SIZE, kind) for addr, kind in found] == [
        (2, "write"),
        (1, "read"),
    ]


@needs_faults
def test_programs_of_several_processes_replay_with_all_their_faults(tmp_path) -> None:
    assert record_program(["sh", "-c", "ls / | wc -l"], tmp_path / "log")[0] == 0
    imported = read_strace(tmp_path / "log")
    faults = len(re.findall(r"page_fault\(", (tmp_path / "log").read_text()))
    outside = imported.skipped.get("page fault in memory that no line mapped", 0)
    assert len(imported.touches) == faults - outside > 100
    assert outside < 10  # vdso
    assert "mapping not in the log" not in imported.skipped  # the image is there
    outcomes = run(imported.history, "anongroup").outcomes
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    plain = replay(tmp_path / "log").to_json()
    assert plain["operations"] + sum(plain["skipped"].values()) >= plain["lines"]


@needs_faults
def test_an_ordinary_user_has_the_faults_of_programs_without_those_in_calls() -> None:
    told = as_ordinary_user(
        "from pathlib import Path; import tempfile\n"
        "from anonlab.linux.program import record_program\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    print(*record_program(['true'], Path(folder) / 'log'))\n"
    )
    assert told.startswith("0 with its page faults") or "no page faults: perf_event_open" in told
    assert "but for those in system calls" in told or "perf_event_paranoid" in told


def test_where_the_kernel_refuses_the_reason_is_told_and_the_rule_touches(tmp_path, monkeypatch):
    def refuse(pid: int) -> None:
        raise PermissionError(13, "perf_event_open: Permission denied (perf_event_paranoid is 4)")

    if shutil.which("strace") is None:
        pytest.skip("no strace")
    monkeypatch.setattr(program, "PageFaults", refuse)
    told = record_program(["true"], tmp_path / "log")
    assert told == (
        0,
        "no page faults: perf_event_open: Permission denied (perf_event_paranoid is 4)",
    )
    imported = read_strace(tmp_path / "log")
    assert not imported.recorded
    assert imported.touches


def test_a_machine_without_the_events_is_told(monkeypatch) -> None:
    monkeypatch.setattr(page_faults.platform, "machine", lambda: "vax")
    with pytest.raises(OSError, match="no page-fault events on vax"):
        PageFaults(0)


# -- weaving, on hand-made data -----------------------------------------------------------------

EXEC = '7 1.000000000 execve("/bin/true", ["true"], 0x7ffc00000000 /* 1 var */) = 0'


def fault(ns, addr=0x1000, kind="touch", pid=7, tid=0):
    return FaultEvent(1_000_000_000 + ns, pid, tid or pid, addr, kind)


def mapping(ns, name, addr=0x400000, prot=5, flags=2):
    return MappingEvent(1_000_000_000 + ns, 7, 7, addr, 0x2000, 0x1000, prot, flags, name)


def texts(lines):
    return [line.split(" ", 2)[2] for line in lines]


def test_faults_stand_between_the_calls_of_their_time_and_strangers_are_left_out() -> None:
    lines = [EXEC, "7 1.000000500 brk(NULL) = 0x5000", "7 1.000000900 +++ exited with 0 +++"]
    events = [fault(700, 0x2000), fault(100), fault(200, pid=8), fault(-50)]
    assert texts(merge_page_faults(lines, events))[1:] == [
        "page_fault(0x1000, touch) = 0",
        "brk(NULL) = 0x5000",
        "page_fault(0x2000, touch) = 0",
        "+++ exited with 0 +++",
    ]


def test_a_page_that_faults_twice_was_read_first_unless_a_call_came_between() -> None:
    end = "7 1.000000900 +++ exited with 0 +++"
    twice = [fault(100, 0x1000), fault(200, 0x1008)]
    assert "0x1000, read" in merge_page_faults([EXEC, end], twice)[1]
    assert "0x1008, touch" in merge_page_faults([EXEC, end], twice)[2]
    fork = "7 1.000000150 clone(child_stack=NULL, flags=SIGCHLD) = 8"
    assert "0x1000, touch" in merge_page_faults([EXEC, fork, end], twice)[1]


def test_what_execve_maps_becomes_lines_and_what_calls_map_does_not() -> None:
    call = "7 1.000000500 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x9000"
    end = "7 1.000000900 +++ exited with 0 +++"
    events = [
        *(mapping(10, "/bin/true"), mapping(20, "//anon", 0x600000, 3), mapping(30, "[vdso]")),
        *(mapping(40, "[stack]", 0x7FFC00000000, 3), mapping(510, "//anon", 0x9000, 1)),
    ]
    assert texts(merge_page_faults([EXEC, call, end], events))[1:4] == [
        "mmap(0x400000, 8192, PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_FIXED, 3</bin/true>, 0x1000)"
        " = 0x400000",
        "mmap(0x600000, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0)"
        " = 0x600000",
        "stack(0x7ffc00000000, 8192) = 0",
    ]
    assert len(merge_page_faults([EXEC, call, end], events)) == 6


def test_what_follows_an_execve_waits_until_it_has_returned() -> None:
    begun = EXEC.replace(") = 0", " <unfinished ...>")
    lines = [
        *(begun, "8 1.000000300 brk(NULL) = 0x5000", "7 1.000000400 <... execve resumed>) = 0"),
        "7 1.000000900 +++ exited with 0 +++",
    ]
    woven = texts(merge_page_faults(lines, [mapping(100, "/bin/true"), fault(200, 0x400000)]))
    assert [line.split("(")[0] for line in woven] == [
        *("execve", "brk", "<... execve resumed>) = 0", "mmap", "page_fault"),
        "+++ exited with 0 +++",
    ]


def test_a_stack_is_moved_to_the_top_and_grows_with_its_faults() -> None:
    lines = [EXEC.split(" ", 2)[0] + " " + EXEC.split(" ", 2)[2]]
    lines += [
        "7 stack(0x7ffc00000000, 135168) = 0",
        "7 page_fault(0x7ffc00020010, touch) = 0",
        "7 page_fault(0x7ffc0001b010, write) = 0",
        "7 page_fault(0x7ffc0001c010, read) = 0",
        "7 page_fault(0x9000, read) = 0",
        "7 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x9000",
        "7 page_fault(0x9000, touch) = 0",
        "7 page_fault(0x9000, write) = 0",
        "7 page_fault(0x9000, perhaps) = 0",
    ]
    imported = read_strace(lines)
    assert [format_op(imported.history.ops[place])[3:] for place in imported.touches] == [
        *("write 0x7fffffffe000 8", "write 0x7fffffff9000 16", "read 0x7fffffffa000"),
        "read 0x9000",
    ]
    assert imported.skipped == {
        "arguments not understood": 1,
        "page fault against the protection": 1,
        "page fault in memory that no line mapped": 1,
        "where the stack lies": 1,
    }
    outcomes = run(imported.history).outcomes
    assert not any(outcome.error for outcome in outcomes)


def test_records_are_read_across_the_end_of_a_ring() -> None:
    body = struct.pack("=2I2Q", 7, 8, 9, 0x5000)
    record = struct.pack("=IHH", SAMPLE, 0, 8 + len(body)) + body
    other = struct.pack("=IHH", MMAP2, 0, 16) + bytes(8)
    size = 2 * PAGE_SIZE
    head = size - 24
    data = bytearray(size)
    stream = record + other
    for number, byte in enumerate(stream):
        data[(head + number) % size] = byte

    class Ring(bytes):
        pass

    ring = Ring(bytes(PAGE_SIZE) + bytes(data))
    assert list(page_faults._records(ring, head + len(stream), head)) == [
        (SAMPLE, body),
        (MMAP2, bytes(8)),
    ]

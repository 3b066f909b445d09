"""Processes that are gone, names and files that are not there, machines that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from watched import PAGE, A, B, state

import anonlab
from anonlab import AnonGroup, AnonGroupOptions, FormatError, Kernel, NoSuchProcess, Task, check

CALLS: dict[str, Callable[[Task], Any]] = {
    "read": lambda p: p.read(A),
    "write": lambda p: p.write(A, 1),
    "read_range": lambda p: p.read_range(A, PAGE),
    "write_range": lambda p: p.write_range(A, [1]),
    "page": lambda p: p.page(A),
    "mmap": lambda p: p.mmap(PAGE),
    "munmap": lambda p: p.munmap(A, PAGE),
    "mprotect": lambda p: p.mprotect(A, PAGE, "r"),
    "mremap": lambda p: p.mremap(A, PAGE, new=B),
    "madvise": lambda p: p.madvise(A, PAGE),
    "brk": lambda p: p.brk(),
    "mlock": lambda p: p.mlock(A, PAGE),
    "munlock": lambda p: p.munlock(A, PAGE),
    "pin": lambda p: p.pin(A),
    "pin_to_read": lambda p: p.pin_to_read(A),
    "unpin": lambda p: p.unpin(A),
    "swap_out": lambda p: p.swap_out(A),
    "fork": lambda p: p.fork("late"),
    "vfork": lambda p: p.vfork("late"),
    "clone_vm": lambda p: p.clone_vm("late"),
    "execve": lambda p: p.execve("late"),
    "pages_of": lambda p: p.pages_of("read", A, PAGE),
    "exit": lambda p: p.exit(),
}


@pytest.mark.parametrize("call", CALLS)
def test_every_call_after_exit_is_esrch(p, call):
    p.exit()
    before = state(p.kernel)
    with pytest.raises(NoSuchProcess, match=r"p: ESRCH: \w+ after exit: the process is gone"):
        CALLS[call](p)
    assert state(p.kernel) == before
    assert "late" not in p.kernel.processes


def test_every_public_method_of_a_process_is_tried_after_exit():
    public = {name for name in vars(Task) if not name.startswith("_")}
    assert public == set(CALLS)


def test_an_unknown_process_of_a_history_is_named_with_its_line():
    with pytest.raises(FormatError, match="line 2: .*ghost"):
        anonlab.run("shell = spawn\nghost write 0x30000 1\n")
    result = anonlab.run("machine lesson\na = spawn\na exit\na read 0x30000\n")
    assert result.outcomes[-1].error == "a: ESRCH: read after exit: the process is gone"


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda k: k.spawn("p"), ValueError, "already a process 'p'; names are never used twice"),
        (lambda k: k.spawn(""), TypeError, "a process name is a non-empty text, got ''"),
        (lambda k: k.spawn(3), TypeError, "a process name is a non-empty text, got 3"),
        (lambda k: k.processes["p"].fork("child"), ValueError, "already a process 'child'"),
        (lambda k: k.processes["p"].vfork(3), TypeError, "a process name is a non-empty text"),
        (lambda k: k.processes["p"].execve(""), TypeError, "program is a non-empty text, got ''"),
        (lambda k: k.processes["p"].execve(None), TypeError, "program is a non-empty text"),
        (lambda k: k.processes["p"].execve("ls", 0), ValueError, "args must be >= 1, got 0"),
        (lambda k: k.processes["p"].execve("ls", 99), ValueError, "args must be <= 16 pages"),
        (lambda k: k.processes["p"].execve("ls", 1.0), TypeError, "args must be an integer"),
        (lambda k: k.file("libc", 3), ValueError, "a name that no other file has, got 'libc'"),
        (lambda k: k.file("", 3), ValueError, "a file needs a name"),
        (lambda k: k.file(7, 3), ValueError, "a file needs a name"),
        (lambda k: k.file("shmem1", 3), ValueError, "shmem1.* shared anonymous memory"),
        (lambda k: k.file("new", -1), ValueError, "npages must be >= 0, got -1"),
        (lambda k: k.file("new", "3"), TypeError, "npages must be an integer, got '3'"),
        (lambda k: k.truncate("libc", 1), TypeError, "file is a File of this kernel, got 'libc'"),
        (lambda k: k.truncate(None, 1), TypeError, "file is a File of this kernel, got None"),
        (lambda k: k.truncate(Kernel().file("libc", 2), 1), ValueError, "is not a file of this"),
        (lambda k: k.truncate(k.files["libc"], -1), ValueError, "npages must be >= 0, got -1"),
        (lambda k: k.truncate(k.files["libc"], 1.5), TypeError, "npages must be an integer"),
        (lambda k: k.reclaim(-1), ValueError, "nframes must be >= 0, got -1"),
        (lambda k: k.reclaim("all"), TypeError, "nframes must be an integer, got 'all'"),
        (lambda k: k.mappers(64), ValueError, "pfn must be < 64, got 64"),
        (lambda k: k.mappers(-1), ValueError, "pfn must be >= 0, got -1"),
        (lambda k: k.page(1.0), TypeError, "pfn must be an integer, got 1.0"),
    ],
)
def test_calls_of_the_kernel_say_what_is_wrong(p, call, error, sentence):
    before = state(p.kernel)
    with pytest.raises(error, match=sentence):
        call(p.kernel)
    assert state(p.kernel) == before
    check(p.kernel)


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"design": "anonmm2"}, ValueError, "design is one of .*anongroup.*; got 'anonmm2'"),
        ({"design": AnonGroup}, TypeError, "design is a name or an Rmap.*AnonGroup"),
        ({"design": None}, TypeError, "design is a name or an Rmap.*None"),
        ({"frames": 1}, ValueError, "frames must be >= 2, got 1"),
        ({"frames": 64.0}, TypeError, "frames must be an integer, got 64.0"),
        ({"swap": -1}, ValueError, "swap must be >= 0, got -1"),
        ({"swap": None}, TypeError, "swap must be an integer, got None"),
        ({"tables": 0}, ValueError, "tables must be >= 1, got 0"),
        ({"tables": "many"}, TypeError, "tables must be an integer, got 'many'"),
        ({"geometry": "lesson"}, TypeError, "geometry is a Geometry such as LESSON"),
        ({"geometry": (2, 4)}, TypeError, "geometry is a Geometry such as LESSON"),
    ],
)
def test_a_machine_that_cannot_be_says_why(options, error, sentence):
    with pytest.raises(error, match=sentence):
        Kernel(**options)


def test_a_design_belongs_to_one_kernel():
    design = AnonGroup()
    Kernel(design)
    with pytest.raises(ValueError, match="this AnonGroup belongs to another kernel"):
        Kernel(design)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mremap_policy": "refs"}, "mremap_policy is one of count, mapcount; got 'refs'"),
        ({"walk_order": "tail"}, "walk_order is one of append, head; got 'tail'"),
    ],
)
def test_an_unknown_option_of_the_anon_group_names_the_known_ones(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        AnonGroupOptions(**options)

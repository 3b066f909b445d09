"""What today's kernel does where a call is stopped, or is odd: its answer and its VMAs, by the
manual and mm/*.c (v6.18); and that the simulated machine of anon_vma_chain does the same."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest
from linux_view import needs_full_view

from anonlab import Kernel
from anonlab.formats.history import HEAP_VPN
from anonlab.formats.history_text import parse
from anonlab.formats.observation import Areas
from anonlab.histories.run import apply, make_kernel
from anonlab.linux import heap
from anonlab.live.model import areas_of
from anonlab.live.verify import compare_with_kernel

LIB = "lib = file 6\na = spawn\n"
TWO = "mmap 0x30000 2\nmmap 0x33000 2\n"
FOUR = "mmap 0x30000 4\n"
SHARED = "mmap 0x30000 4 shared\nwrite 0x31000 1\n"
CASES = {
    "mprotect stops at a hole": (
        f"{TWO}mprotect 0x31000 4 r",
        "ENOMEM",
        ["30-31 rw-", "31-32 r--", "33-35 rw-"],
    ),
    "mlock stops at a hole": (
        f"{TWO}mlock 0x31000 4",
        "ENOMEM",
        ["30-31 rw-", "31-32 rw-L", "33-35 rw-"],
    ),
    "mlock locks what nobody may touch": (
        "mmap 0x30000 2 none\nmlock 0x30000 2",
        "ENOMEM",
        ["30-32 ---L"],
    ),
    "mlock locks what lies beyond the end of a file": (
        "mmap 0x30000 4 r file lib offset 4\nmlock 0x30000 4",
        "ENOMEM",
        ["30-34 r--L"],
    ),
    "mlock of no byte inside a page locks the page": (
        f"{FOUR}mlock 0x31005 0\nmlock 0x38000 0",
        "",
        ["30-31 rw-", "31-32 rw-L", "32-34 rw-"],
    ),
    "munlock stops at a hole": (
        f"{TWO}mlock 0x30000 2\nmlock 0x33000 2\nmunlock 0x31000 4",
        "ENOMEM",
        ["30-31 rw-L", "31-32 rw-", "33-35 rw-L"],
    ),
    "madvise passes over a hole": (
        f"{TWO}write 0x30000 1\nwrite 0x33000 1\nmadvise 0x30000 4 dontneed",
        "ENOMEM",
        ["30-32 rw-", "33-35 rw-"],
    ),
    "madvise stops at locked memory behind a hole": (
        f"{TWO}write 0x30000 1\nmlock 0x34000 1\nmadvise 0x30000 8 dontneed",
        "EINVAL",
        ["30-32 rw-", "33-34 rw-", "34-35 rw-L"],
    ),
    "mremap moves several VMAs and the hole between them": (
        "mmap 0x30000 2\nmmap 0x32000 1 r\nmmap 0x34000 1\nmmap 0x40000 8 r\n"
        "mremap 0x30000 6 to 0x40000",
        "",
        ["40-42 rw-", "42-44 r--", "44-45 rw-", "45-48 r--"],
    ),
    "mremap of several VMAs does not begin with a hole": (
        f"{TWO}mremap 0x2f000 8 to 0x40000",
        "EFAULT",
        ["30-32 rw-", "33-35 rw-"],
    ),
    "mremap in place asks only for its first page": (
        "mmap 0x30000 1\nmmap 0x31000 1 r\nmmap 0x33000 1\nmremap 0x30000 4 pages 2",
        "",
        ["30-31 rw-", "31-32 r--"],
    ),
    "dontunmap of a part unlocks the whole, and splits nothing": (
        "mmap 0x30000 6\nwrite 0x32000 1\nmlock 0x30000 6\nmremap 0x32000 2 to 0x40000 dontunmap",
        "",
        ["30-36 rw-", "40-42 rw-L"],
    ),
    "dontunmap unlocks its copy where that is the same VMA": (
        "mmap 0x30000 2 r\nmlock 0x30000 2\nmremap 0x30000 2 to 0x32000 dontunmap",
        "",
        ["30-34 r--"],
    ),
    "dontunmap takes files": (
        "mmap 0x30000 4 rw file lib\nwrite 0x31000 1\nmremap 0x31000 2 to 0x40000 dontunmap",
        "",
        ["30-34 rw-", "40-42 rw-"],
    ),
    "dontunmap takes shared memory": (
        f"{SHARED}mremap 0x31000 2 to 0x40000 dontunmap",
        "",
        ["30-34 rw-", "40-42 rw-"],
    ),
    "there is no second mapping of private memory": (
        f"{FOUR}mremap 0x30000 0 pages 1 to 0x40000",
        "EINVAL",
        ["30-34 rw-"],
    ),
    "there is one of shared memory": (
        f"{SHARED}mremap 0x31000 0 pages 3 to 0x40000",
        "",
        ["30-34 rw-", "40-43 rw-"],
    ),
    "a second mapping onto the first unmaps it": (
        f"{SHARED}mremap 0x30000 0 pages 1 to 0x30000",
        "EFAULT",
        ["31-34 rw-"],
    ),
    "a stack grows for an access that it forbids": (
        "mmap 0x38000 1 r growsdown\nwrite 0x36000 1",
        "SIGSEGV",
        ["36-39 r--"],
    ),
}
"""What a process asks for in the end, what the kernel says, and the VMAs that there are then."""


def lines(text: str) -> str:
    """The text of a history: a does all that nobody else does."""
    return LIB + "".join(f"a {line}\n" for line in text.split("\n"))


def borders(areas: Areas | None, who: str = "a") -> list[str]:
    """The VMAs of a process: first page, end, protection, and L where it is locked."""
    return [
        f"{area.start_vpn:x}-{area.end_vpn:x} {area.prot}{'L' * area.locked}"
        for area in (areas or {}).get(who, ())
    ]


@pytest.mark.parametrize("name", CASES)
def test_the_machine_of_anon_vma_chain_does_as_today(name) -> None:
    text, error, right = CASES[name]
    history = parse(lines(text))
    kernel = make_kernel(history, "anon_vma_chain")
    *_, last = (apply(kernel, op) for op in history.ops)
    said = last.error.split(": ")[1] if last.error else ""
    assert (said, borders(areas_of(kernel))) == (error, right)


@needs_full_view
@pytest.mark.parametrize("name", CASES)
def test_the_running_kernel_does_it(oracle, name) -> None:
    text, error, right = CASES[name]
    steps = same(oracle, lines(text))
    assert (steps[-1].error, borders(steps[-1].areas)) == (error, right)


def same(oracle, text):
    """What the kernel shows after each operation, once the model has shown the same."""
    history = parse(text)
    steps = list(oracle.run(history))
    held = compare_with_kernel(history, steps, oracle.view, walked_every=1)
    assert held.failures == []
    assert held.operations == len(history.ops)
    return steps


@needs_full_view
def test_a_child_keeps_the_borders_of_locks_that_it_did_not_inherit(oracle) -> None:
    """Nothing changes where nothing is locked, so nothing merges (mlock_fixup)."""
    text = "a = spawn\na mmap 0x30000 4 r\na mlock 0x31000 1\nb = fork a\nb munlock 0x30000 4\n"
    last = same(oracle, f"{text}b mremap 0x33000 1 pages 3\n")[-1]
    assert borders(last.areas, "b") == ["30-31 r--", "31-32 r--", "32-36 r--"]


@pytest.mark.skipif(bool(heap.problem()), reason=f"brk: {heap.problem()}")
@needs_full_view
def test_the_heap_of_a_real_process_is_put_into_the_window(oracle) -> None:
    start = HEAP_VPN["lesson"] << 12
    steps = same(
        oracle,
        f"a = spawn\na brk {start + 100}\na write {start} 7\nb = fork a\nb brk {start + 0x2000}\n"
        f"b mmap {start + 0x4000} 1\nb brk {start + 0x4000}\nb brk {start - 1}\nb execve sh\n"
        f"b brk {start + 0x1000}\n",
    )
    assert borders(steps[1].areas) == ["10-11 rw-"]
    assert [step.error for step in steps[6:]] == ["ENOMEM", "EINVAL", "", ""]
    assert borders(steps[9].areas) == borders(steps[9].areas, "b") == ["10-11 rw-"]


GROWN = """
import ctypes
libc = ctypes.CDLL(None)
libc.sbrk.restype = libc.malloc.restype = ctypes.c_void_p
ends = [libc.sbrk(0)]
held = [libc.malloc(100_000) for _ in range(500)]
ends.append(libc.sbrk(0))
[libc.free(ctypes.c_void_p(block)) for block in held]
ends.append(libc.sbrk(0))
print(len(set(ends)))
"""
"""Take 50 MB and give them back; print in how many places the end of the heap was seen."""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the environment is that of glibc")
def test_malloc_of_a_real_process_does_not_move_the_end_of_its_heap() -> None:
    """brk would answer with the end of the history's heap, and malloc took that for success: it
    used pages that were not there (SIGSEGV just above the old heap, as an ordinary user)."""

    def ends(more: dict[str, str]) -> int:
        command, env = [sys.executable, "-I", "-S", "-c", GROWN], {**os.environ, **more}
        return int(subprocess.run(command, env=env, capture_output=True, check=True).stdout)

    assert ends({}) > 1
    assert ends(heap.MALLOC) == 1


def test_a_call_that_is_stopped_says_what_is_done_and_other_machines_do_nothing() -> None:
    said = {}
    for design in ("anon_vma_chain", "anongroup"):
        task = Kernel(design).spawn("p")
        task.mmap(8192, at=0x30000)
        with pytest.raises(Exception, match="p: ENOMEM: mprotect of pages that are not") as caught:
            task.mprotect(0x31000, 8192, "r")
        said[design] = str(caught.value).partition("; ")[2], len(task.mm.vmas)
    assert said == {
        "anon_vma_chain": ("what is mapped in 0x31000 to 0x32000 is done", 2),
        "anongroup": ("", 1),
    }

"""The shadow notices what it is there for: each test changes one thing behind the kernel's back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from anonlab import scan
from anonlab.formats.history_text import parse
from anonlab.histories.generate import generate
from anonlab.histories.run import apply, make_kernel
from anonlab.kernel import Kernel
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT
from anonlab.proof.over_time import TransitionChecks
from anonlab.proof.shadow import Cell, Shadow

STORY = """machine lesson frames 32 swap 8
libc = file 4
a = spawn
a execve sh
a mmap 0x30000 4
a write 0x30000 10 3
a mmap 0x40000 2 r file libc offset 1
a read 0x40000 2
a mmap 0x50000 2 shared
a write 0x50000 20
a mlock 0x32000 1
b = fork a
b write 0x30000 30
a swap_out 0x31000
"""


def followed(text: str) -> tuple[Kernel, Shadow]:
    """Run `text` with a shadow beside it."""
    history = parse(text)
    kernel = make_kernel(history)
    shadow = Shadow(kernel)
    for op in history.ops:
        shadow.follow(op, apply(kernel, op))
    return kernel, shadow


def differences(kernel: Kernel, shadow: Shadow) -> list[str]:
    return shadow.compare(kernel, scan(kernel))


def test_nothing_differs_when_nothing_was_changed() -> None:
    assert differences(*followed(STORY)) == []


def page(kernel: Kernel, name: str, vpn: int) -> int:
    """The frame that process `name` maps at `vpn`."""
    mm = kernel.processes[name].mm
    assert mm is not None
    word = int(kernel.tables.lookup(mm.pgd, vpn))
    assert word & PTE_PRESENT
    return word >> PTE_SHIFT


def other_contents(kernel: Kernel) -> None:
    kernel.mem_map.data[page(kernel, "b", 0x30)] = 77


def other_contents_on_swap(kernel: Kernel) -> None:
    kernel.swap.data[1] = 77


def a_write_to_the_cached_file(kernel: Kernel) -> None:
    kernel.mem_map.data[page(kernel, "a", 0x40)] = 77


def a_write_to_shared_memory(kernel: Kernel) -> None:
    kernel.mem_map.data[page(kernel, "a", 0x50)] = 77


def a_lost_page(kernel: Kernel) -> None:
    mm = kernel.processes["a"].mm
    assert mm is not None
    row, slot = kernel.tables.leaf(mm.pgd, 0x30)
    kernel.tables.words[row, slot] = 0


def a_vma_that_is_gone(kernel: Kernel) -> None:
    mm = kernel.processes["a"].mm
    assert mm is not None
    mm.vmas.pop(0)


def a_vma_that_is_too_long(kernel: Kernel) -> None:
    mm = kernel.processes["a"].mm
    assert mm is not None
    mm.vmas[2].end_vpn += 1


def another_protection(kernel: Kernel) -> None:
    mm = kernel.processes["b"].mm
    assert mm is not None
    mm.vmas[0].prot = 1


def a_lock_that_was_inherited(kernel: Kernel) -> None:
    mm = kernel.processes["b"].mm
    assert mm is not None
    mm.vmas[0].locked = True


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (other_contents, "b at 0x30000: 30 was written, memory holds 77"),
        (other_contents_on_swap, "a at 0x31000: 11 was written, memory holds 77"),
        (a_write_to_the_cached_file, "file libc: "),
        (a_write_to_shared_memory, "file shmem1: [20, 0] was written, [77, 0] is there"),
        (a_lost_page, "a at 0x30000: 10 was written, memory holds 0"),
        (a_vma_that_is_gone, "a at 0x30000: right is ('rw-', False"),
        (a_vma_that_is_too_long, "a at 0x34000: right is no VMA, there is ('rw-', False"),
        (another_protection, "b at 0x30000: right is ('rw-', False"),
        (a_lock_that_was_inherited, "b at 0x30000: right is ('rw-', False"),
    ],
)
def test_what_differs_is_said_with_who_and_where(
    harm: Callable[[Kernel], None], sentence: str
) -> None:
    kernel, shadow = followed(STORY)
    harm(kernel)
    found = differences(kernel, shadow)
    assert found
    assert any(line.startswith(sentence) for line in found), found


def test_a_read_of_something_else_is_said_at_once() -> None:
    kernel, shadow = followed(STORY)
    (op,) = parse(STORY + "b read 0x30000 2\n").ops[-1:]
    kernel.mem_map.data[page(kernel, "b", 0x30)] = 77
    with pytest.raises(AssertionError, match=r"b read \[77, 11\], right is \[30, 11\]"):
        shadow.follow(op, apply(kernel, op))


@pytest.mark.parametrize(
    ("more", "vpns"),
    [
        ("a mprotect 0x30000 2 r\na munmap 0x31000 1\n", {0x31: None, 0x30: ("r--", False)}),
        ("a mremap 0x32000 1 to 0x80000\n", {0x32: None, 0x80: ("rw-", True)}),
        ("a mremap 0x32000 1 to 0x80000 dontunmap\n", {0x32: ("rw-", False), 0x80: ("rw-", True)}),
        ("a munlock 0x32000 1\n", {0x32: ("rw-", False)}),
        ("a mremap 0x50000 2 pages 3\n", {0x52: ("rw-", False)}),
        ("a write 0xfc000 5\n", {0xFC: ("rw-", False), 0xFD: ("rw-", False)}),
        ("a brk 0x12000\na brk 0x11000\n", {0x10: ("rw-", False), 0x11: None}),
        ("a write 0xfd000 5\na mlock 0x40000 2\n", {0x40: ("r--", True)}),
    ],
)
def test_the_shadow_follows_areas_without_knowing_any(
    more: str, vpns: dict[int, tuple[str, bool] | None]
) -> None:
    history = parse(STORY + more)
    kernel, shadow = followed(STORY)
    for op in history.ops[-more.count("\n") :]:
        outcome = apply(kernel, op)
        assert not outcome.error
        shadow.follow(op, outcome)
    cells = shadow.spaces["a"].cells
    for vpn, rules in vpns.items():
        cell: Cell | None = cells.get(vpn)
        assert (cell and (cell.prot, cell.locked)) == rules, hex(vpn)
    assert differences(kernel, shadow) == []


def test_a_failed_operation_does_nothing_to_the_shadow() -> None:
    kernel, shadow = followed(STORY)
    before = {name: dict(space.cells) for name, space in shadow.spaces.items()}
    (op,) = parse(STORY + "a write 0x70000 1\n").ops[-1:]
    shadow.follow(op, apply(kernel, op))
    assert {name: dict(space.cells) for name, space in shadow.spaces.items()} == before


# The witness: rules over time


def test_the_witness_sees_nothing_wrong_in_random_histories() -> None:
    history = generate(3, 300, frames=16, swap=40)
    kernel = make_kernel(history)
    witness = TransitionChecks(kernel, scan(kernel))
    for op in history.ops:
        witness.see(op, apply(kernel, op), scan(kernel))


def swap_frames(kernel: Kernel, name: str, vpn: int) -> None:
    """Put an equal copy of a page in its place, which no look at one moment can tell."""
    task = kernel.processes[name]
    value = task.read(vpn << 12)
    task.munmap(vpn << 12, 4096)
    kernel.processes["a"].write(0x33000, 1)  # takes the frame that is free now
    task.mmap(4096, at=vpn << 12)
    task.write(vpn << 12, value)


def test_the_witness_sees_another_frame_with_equal_contents() -> None:
    history = parse(STORY)
    kernel = make_kernel(history)
    for op in history.ops:
        apply(kernel, op)
    witness = TransitionChecks(kernel, scan(kernel))
    (op,) = parse(STORY + "a read 0x33000\n").ops[-1:]
    swap_frames(kernel, "b", 0x30)
    outcome = apply(kernel, op)
    with pytest.raises(AssertionError, match="mm 3 at 0x30000 had pfn .* though it wrote nothing"):
        witness.see(op, outcome, scan(kernel))

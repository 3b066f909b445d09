"""Whatever a caller or a program gets wrong has a clear error, and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from watched import CONST, END, FILE, GAP, PAGE, A, B, C, D, state

from anonlab import (
    LESSON,
    X86_64,
    AddressInUse,
    BadAddress,
    BusError,
    InvalidArgument,
    Kernel,
    OutOfMemory,
    PermissionDenied,
    SegmentationFault,
    SimulatedError,
    Task,
)

RANGE_CALLS: dict[str, Callable[[Task, Any, Any], Any]] = {
    "munmap": lambda p, at, n: p.munmap(at, n),
    "mprotect": lambda p, at, n: p.mprotect(at, n, "r"),
    "mremap": lambda p, at, n: p.mremap(at, n),
    "madvise": lambda p, at, n: p.madvise(at, n),
    "mlock": lambda p, at, n: p.mlock(at, n),
    "munlock": lambda p, at, n: p.munlock(at, n),
    "pin": lambda p, at, n: p.pin(at, n),
    "pin_to_read": lambda p, at, n: p.pin_to_read(at, n),
    "unpin": lambda p, at, n: p.unpin(at, n),
    "swap_out": lambda p, at, n: p.swap_out(at, n),
    "read": lambda p, at, n: p.read_range(at, n),
}
"""Calls that take an address and a length."""

ROUNDING = ("mlock", "munlock")
"""They take any address, and lock the pages that the bytes lie in."""
NOTHING_TO_DO = ("mprotect", "madvise", *ROUNDING)
"""They do nothing to a range of length 0, and that works, wherever it is."""

BEYOND = {
    "munmap": InvalidArgument,
    "mremap": BadAddress,
    **dict.fromkeys(("mprotect", "madvise", "mlock", "munlock"), OutOfMemory),
    **dict.fromkeys(("pin", "pin_to_read", "unpin", "swap_out", "read"), SegmentationFault),
}
"""What each of them says of a range that leaves user space, as Linux does."""

UNMAPPED = {
    "swap_out": BadAddress,
    **dict.fromkeys(("mprotect", "madvise", "mlock", "munlock"), OutOfMemory),
    **dict.fromkeys(("pin", "read"), SegmentationFault),
    "unpin": InvalidArgument,
}
"""What they say of a range with a hole; munmap does not mind."""


@pytest.mark.parametrize("call", [call for call in RANGE_CALLS if call not in ROUNDING])
@pytest.mark.parametrize("addr", [A + 1, A + 0x800, A - 1])
def test_an_unaligned_address_is_einval_with_the_address_that_would_be_right(p, call, addr):
    right = f"{addr // PAGE * PAGE:#x}"
    sentence = rf"p: EINVAL: {call} address {addr:#x} is not page-aligned; {right} would be"
    with pytest.raises(InvalidArgument, match=sentence):
        RANGE_CALLS[call](p, addr, PAGE)


@pytest.mark.parametrize("call", [call for call in RANGE_CALLS if call not in NOTHING_TO_DO])
def test_length_zero_is_einval(p, call):
    with pytest.raises(InvalidArgument, match=rf"p: EINVAL: {call} .*length 0"):
        RANGE_CALLS[call](p, A, 0)


@pytest.mark.parametrize("call", NOTHING_TO_DO)
@pytest.mark.parametrize("addr", [A, A + PAGE, GAP])
def test_length_zero_changes_nothing_where_linux_says_so(p, call, addr):
    before = state(p.kernel)
    RANGE_CALLS[call](p, addr, 0)
    assert state(p.kernel) == before


def test_mlock_and_munlock_take_the_pages_in_which_the_bytes_lie(p):
    p.mlock(A + PAGE - 1, 2)
    assert [(vma.npages, vma.locked) for vma in p.mm.vmas[:2]] == [(2, True), (2, False)]
    p.munlock(A + 5, 0)
    assert [(vma.npages, vma.locked) for vma in p.mm.vmas[:2]] == [(1, False), (1, True)]


@pytest.mark.parametrize("call", RANGE_CALLS)
@pytest.mark.parametrize(("addr", "length"), [(-PAGE, PAGE), (A, -1), (A, -PAGE)])
def test_a_negative_address_or_length_is_the_callers_mistake(p, call, addr, length):
    with pytest.raises(ValueError, match=rf"{call} \w+ must be >= 0, got -\d+"):
        RANGE_CALLS[call](p, addr, length)


@pytest.mark.parametrize("call", RANGE_CALLS)
@pytest.mark.parametrize("bad", [1.0, "0x30000", None, True, [A], np.float64(A)])
def test_an_address_or_length_that_is_no_integer_is_a_type_error(p, call, bad):
    message = re.escape(f"must be an integer, got {bad!r}")
    with pytest.raises(TypeError, match=rf"{call} address {message}"):
        RANGE_CALLS[call](p, bad, PAGE)
    with pytest.raises(TypeError, match=rf"{call} length {message}"):
        RANGE_CALLS[call](p, A, bad)


@pytest.mark.parametrize("call", RANGE_CALLS)
@pytest.mark.parametrize(("addr", "length"), [(END - PAGE, 2 * PAGE), (END, PAGE), (A, 1 << 70)])
def test_a_range_that_leaves_user_space_says_where_that_ends(p, call, addr, length):
    error = InvalidArgument if (call, addr) == ("mremap", A) else BEYOND[call]
    with pytest.raises(error) as caught:
        RANGE_CALLS[call](p, addr, length)
    assert str(caught.value).startswith(f"p: {error.errno}: {call} of ")
    if call != "mremap":
        assert "0x100000" in str(caught.value)


@pytest.mark.parametrize("call", UNMAPPED)
@pytest.mark.parametrize(("addr", "length"), [(GAP, PAGE), (A + 2 * PAGE, 3 * PAGE)])
def test_a_range_with_a_hole_says_where_the_hole_begins(p, call, addr, length):
    if call == "unpin":
        p.pin(A, 4 * PAGE)
    with pytest.raises(UNMAPPED[call]) as caught:
        RANGE_CALLS[call](p, addr, length)
    message = str(caught.value)
    assert message.startswith(f"p: {UNMAPPED[call].errno}: ")
    assert call in message
    assert f"{GAP if addr == GAP else A + 4 * PAGE:#x}" in message


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"length": 0}, InvalidArgument, "p: EINVAL: mmap of length 0; 1 or more is right"),
        ({"length": -1}, ValueError, "mmap length must be >= 0, got -1"),
        ({"length": 1.5}, TypeError, "mmap length must be an integer, got 1.5"),
        ({"at": B + 8}, InvalidArgument, "mmap address 0x50008 is not page-aligned; 0x50000"),
        ({"at": -PAGE}, ValueError, "mmap address must be >= 0, got -4096"),
        ({"at": "B"}, TypeError, "mmap address must be an integer, got 'B'"),
        ({"at": A + PAGE}, AddressInUse, "EEXIST: mmap of 1 pages at 0x31000: .*0x30000-0x34000"),
        ({"at": END}, OutOfMemory, "ENOMEM: mmap of 0x100000 to 0x101000 leaves user space"),
        ({"length": END + 1}, OutOfMemory, "ENOMEM: mmap: no 257 free pages of address space"),
        ({"length": 0xB0000}, OutOfMemory, "ENOMEM: mmap: no 176 free pages of address space"),
        ({"prot": "rwz"}, ValueError, "prot is some of the letters r, w, x, or 'none', got 'rwz'"),
        ({"prot": ""}, ValueError, "prot is some of the letters r, w, x, or 'none', got ''"),
        ({"prot": 3}, ValueError, "prot is some of the letters r, w, x, or 'none', got 3"),
        ({"prot": None}, ValueError, "prot is some of the letters r, w, x, or 'none', got None"),
        ({"offset": 5}, InvalidArgument, "mmap offset 0x5 is not page-aligned; 0x0 would be"),
        ({"offset": -PAGE}, ValueError, "mmap offset must be >= 0, got -4096"),
        ({"file": "libc"}, TypeError, "file is a File of this kernel, got 'libc'"),
        ({"growsdown": True, "shared": True}, InvalidArgument, "only private anonymous memory"),
    ],
)
def test_mmap_says_what_is_wrong(p, arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        p.mmap(**{"length": PAGE, **arguments})


def test_mmap_refuses_a_file_of_another_kernel(p):
    with pytest.raises(ValueError, match="is not a file of this kernel"):
        p.mmap(PAGE, file=Kernel().file("libc", 2))


@pytest.mark.parametrize("prot", ["w", "rw", "rwx"])
def test_a_shared_writable_mapping_of_a_read_only_file_is_eacces(p, prot):
    const = p.kernel.files["const"]
    with pytest.raises(PermissionDenied, match="p: EACCES: const is read-only.*shared=False"):
        p.mmap(PAGE, file=const, shared=True, prot=prot)
    with pytest.raises(PermissionDenied, match="p: EACCES: const is read-only.*0x70000 cannot"):
        p.mprotect(CONST + PAGE, PAGE, prot)
    private = p.mmap(PAGE, file=const, prot=prot)
    p.write(private, 5)
    assert p.read(private) == 5


def test_a_write_to_a_read_only_file_mapping_is_a_segmentation_fault(p):
    with pytest.raises(SegmentationFault, match="p: SIGSEGV: write to 0x71000: .*r--s const"):
        p.write(CONST + PAGE, 1)


@pytest.mark.parametrize("prot", ["q", "", "RW", 7, None, b"rw", ["r"]])
def test_mprotect_refuses_an_unknown_prot(p, prot):
    with pytest.raises(ValueError, match="prot is some of the letters r, w, x, or 'none', got"):
        p.mprotect(A, PAGE, prot)


@pytest.mark.parametrize(
    ("addr", "length", "options", "error", "sentence"),
    [
        (A, PAGE, {"new": A}, InvalidArgument, "from 0x30000 to 0x30000: source and destination"),
        (A, 2 * PAGE, {"new": A + PAGE}, InvalidArgument, "to 0x31000: source and destination"),
        (
            A + PAGE,
            PAGE,
            {"new_length": 2 * PAGE, "new": A},
            InvalidArgument,
            "destination overlap",
        ),
        (A, PAGE, {"new": B + 1}, InvalidArgument, "new address 0x50001 is not page-aligned"),
        (A, PAGE, {"new": END}, InvalidArgument, "leaves user space, which ends at 0x100000"),
        (A, PAGE, {"new": -PAGE}, ValueError, "mremap new address must be >= 0"),
        (A, PAGE, {"new": "B"}, TypeError, "mremap new address must be an integer, got 'B'"),
        (A, PAGE, {"new_length": 0}, InvalidArgument, "mremap of length 0"),
        (A, PAGE, {"new_length": -1}, ValueError, "mremap length must be >= 0, got -1"),
        (A, PAGE, {"new_length": 2.0}, TypeError, "mremap length must be an integer, got 2.0"),
        (A, PAGE, {"new_length": END + PAGE}, InvalidArgument, "leaves user space, which has 256"),
        (A, END, {"new_length": PAGE}, InvalidArgument, "EINVAL: mremap of 256 -> 1 pages at"),
        (A, PAGE, {"new_length": 200 * PAGE}, OutOfMemory, "mremap: no 200 free pages"),
        (A, 0, {"new_length": PAGE}, InvalidArgument, "EINVAL: mremap of .*rw-p.* is private"),
        (
            A,
            5 * PAGE,
            {"new": B},
            BadAddress,
            "mremap of 0x30000, 5 pages: .*0x30000-0x34000.*ends before",
        ),
        (GAP, PAGE, {}, BadAddress, "EFAULT: mremap of 0x38000, 1 pages: no VMA there"),
        (D - PAGE, 2 * PAGE, {"new": B}, BadAddress, "EFAULT: mremap of 0x9f000, 2 pages: no VMA"),
        (A, PAGE, {"new_length": 2 * PAGE, "dontunmap": True}, InvalidArgument, "keeps the length"),
    ],
)
def test_mremap_says_what_is_wrong(p, addr, length, options, error, sentence):
    with pytest.raises(error, match=sentence):
        p.mremap(addr, length, **options)


@pytest.mark.parametrize("new", [A, A - PAGE])
def test_a_duplicate_of_nothing_may_not_replace_its_own_source(p, new):
    """mremap with length 0 duplicates a shared mapping; where would its source be?"""
    p.mmap(2 * PAGE, at=A, shared=True, fixed=True)
    with pytest.raises(InvalidArgument, match="source and destination overlap"):
        p.mremap(A, 0, 2 * PAGE, new=new)


@pytest.mark.parametrize("advice", ["willneed", "", None, 4])
def test_madvise_knows_one_advice(p, advice):
    with pytest.raises(ValueError, match="advice is 'dontneed'; .* is not part of this machine"):
        p.madvise(A, PAGE, advice)


@pytest.mark.parametrize("length", [4 * PAGE, 8 * PAGE])
@pytest.mark.parametrize("addr", [A, A - 4 * PAGE])
def test_madvise_of_locked_memory_says_to_unlock_it(p, addr, length):
    """A hole before it does not hide it: the walk remembers ENOMEM, and EINVAL ends it."""
    p.mlock(A + PAGE, PAGE)
    length += A - addr
    with pytest.raises(
        InvalidArgument, match="p: EINVAL: madvise.*0x31000-0x32000.*munlock it first"
    ):
        p.madvise(addr, length)


@pytest.mark.parametrize(
    ("addr", "error", "sentence"),
    [
        (PAGE, InvalidArgument, "brk to 0x1000, below the start of the heap 0x10000"),
        (-1, ValueError, "brk address must be >= 0, got -1"),
        (1.5, TypeError, "brk address must be an integer, got 1.5"),
        (END + 1, OutOfMemory, "brk of 0x10000 to 0x101000 leaves user space"),
        (A + 1, OutOfMemory, "brk to 0x30001: <Vma 0x30000-0x34000 rw-p> is in the way"),
    ],
)
def test_brk_says_what_is_wrong(p, addr, error, sentence):
    with pytest.raises(error, match=sentence):
        p.brk(addr)


@pytest.mark.parametrize(
    ("access", "error", "sentence"),
    [
        (lambda p: p.read(GAP), SegmentationFault, "p: SIGSEGV: read of 0x38000: no VMA there"),
        (lambda p: p.write(GAP, 1), SegmentationFault, "write to 0x38000: no VMA there"),
        (lambda p: p.read(A - 1), SegmentationFault, "read of 0x2f000: no VMA there"),
        (lambda p: p.read(END + 5), SegmentationFault, "read of 0x100000 .*leaves user space"),
        (lambda p: p.write(1 << 80, 5), SegmentationFault, "leaves user space, .* 0x100000"),
        (
            lambda p: p.write(D, 1),
            SegmentationFault,
            "write to 0xa0000: .*r--p.* does not allow it",
        ),
        (lambda p: p.read(C), SegmentationFault, "read of 0x80000: .*---p.* does not allow it"),
        (lambda p: p.write(C, 1), SegmentationFault, "write to 0x80000: .*---p.* does not allow"),
        (lambda p: p.read_range(A, 5 * PAGE), SegmentationFault, "read of 0x34000: no VMA there"),
        (lambda p: p.write_range(D - PAGE, [1, 2]), SegmentationFault, "write to 0x9f000: no VMA"),
        (
            lambda p: p.read(FILE + 2 * PAGE),
            BusError,
            "0x62000 is beyond .* libc, which has 2 pages",
        ),
        (lambda p: p.write_range(FILE, [1, 2, 3]), BusError, "p: SIGBUS: 0x62000 is beyond"),
        (lambda p: p.pin(D - PAGE, 2 * PAGE), SegmentationFault, "0x9f000: no VMA there"),
        (lambda p: p.pin(C), SegmentationFault, "0x80000: .*does not allow it"),
        (lambda p: p.pin(FILE, 3 * PAGE), BusError, "0x62000 is beyond"),
        (lambda p: p.mlock(FILE, 3 * PAGE), OutOfMemory, "0x62000 in .*libc.* cannot be touched"),
        (lambda p: p.mlock(C, PAGE), OutOfMemory, "0x80000 in .*---p.* cannot be touched"),
        (lambda p: p.unpin(A), InvalidArgument, "unpin of 0x30000: nothing was pinned there"),
        (lambda p: p.read(-1), ValueError, "address must be >= 0, got -1"),
        (lambda p: p.write(1.5, 1), TypeError, "address must be an integer, got 1.5"),
        (lambda p: p.page("x"), TypeError, "address must be an integer, got 'x'"),
        (lambda p: p.page(-1), ValueError, "address must be >= 0, got -1"),
    ],
)
def test_an_access_that_is_not_allowed_says_where(p, access, error, sentence):
    with pytest.raises(error, match=sentence):
        access(p)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [[1, 2]],
        7,
        ["a"],
        ["7"],
        [None],
        [1.5],
        [2.0],
        [True],
        [1 << 63],
        [-(1 << 63) - 1],
        np.array([1 << 63], dtype=np.uint64),
        np.array([1.0]),
    ],
)
def test_content_tags_are_integers_that_fit_64_bits(p, values):
    with pytest.raises((ValueError, TypeError), match="values are .*tag"):
        p.write_range(A, values)
    if isinstance(values, list) and len(values) == 1:
        with pytest.raises((ValueError, TypeError), match="values are .*tag"):
            p.write(A, values[0])


@pytest.mark.parametrize(
    "values", [[1], (2, 3), range(4), np.arange(4), np.array([5], dtype=np.uint64), [-(1 << 63)]]
)
def test_any_sequence_of_such_integers_will_do(p, values):
    p.write_range(A, values)
    assert p.read_range(A, len(values) * PAGE).tolist() == [int(value) for value in values]


@pytest.mark.parametrize("call", ["read_range", "pin"])
@pytest.mark.parametrize(("offset", "first"), [(0, 2), (1, 1), (2, 0), (3, 0)])
def test_the_end_of_a_file_is_counted_from_the_offset_of_its_mapping(p, call, offset, first):
    p.mmap(3 * PAGE, at=B, file=p.kernel.files["libc"], offset=offset * PAGE)
    if first:
        getattr(p, call)(B, first * PAGE)
    with pytest.raises(BusError, match=f"SIGBUS: {B + first * PAGE:#x} is beyond the end of libc"):
        getattr(p, call)(B, 3 * PAGE)


def test_every_simulated_error_names_its_errno_in_its_message(p):
    for call in (
        lambda: p.read(GAP),
        lambda: p.read(FILE + 3 * PAGE),
        lambda: p.munmap(1, 1),
        lambda: p.mmap(PAGE, at=A),
        lambda: p.mremap(GAP, PAGE),
        lambda: p.mlock(GAP, PAGE),
        lambda: p.mmap(PAGE, file=p.kernel.files["const"], shared=True),
    ):
        with pytest.raises(SimulatedError) as caught:
            call()
        assert f"p: {caught.value.errno}: " in str(caught.value)


def test_addresses_are_written_as_wide_as_the_geometry_makes_them():
    for geometry, text in ((LESSON, "0x03000"), (X86_64, "0x000000003000")):
        task = Kernel(geometry=geometry).spawn("p")
        with pytest.raises(SegmentationFault, match=f"read of {text}: no VMA there"):
            task.read(0x3000)

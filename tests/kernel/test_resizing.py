"""mremap that shortens or lengthens, as Linux does it (the running kernel was asked)."""

from __future__ import annotations

import pytest
from watched import PAGE, A

from anonlab import BadAddress, Kernel
from anonlab.machine.words import X86_64


def test_what_is_only_cut_off_may_be_several_mappings_with_holes():
    p = Kernel().spawn("p")
    p.mmap(4 * PAGE, at=A)
    p.mprotect(A + PAGE, PAGE, "r")
    p.munmap(A + 2 * PAGE, PAGE)
    assert p.mremap(A, 4 * PAGE, PAGE) == A
    assert [(vma.start_vpn, vma.end_vpn) for vma in p.mm.vmas] == [(A // PAGE, A // PAGE + 1)]


def test_a_move_takes_one_mapping_and_what_is_cut_off_does_not_count():
    p = Kernel().spawn("p")
    p.mmap(4 * PAGE, at=A)
    p.mprotect(A + 2 * PAGE, PAGE, "r")
    with pytest.raises(BadAddress, match="ends before that"):
        p.mremap(A, 3 * PAGE, new=A + 0x10 * PAGE)
    assert p.mremap(A, 3 * PAGE, 2 * PAGE, new=A + 0x10 * PAGE) == A + 0x10 * PAGE


@pytest.mark.parametrize("place", [None, A + 0x10 * PAGE])
def test_a_locked_mapping_that_grows_has_its_new_pages_in_memory(place):
    p = Kernel().spawn("p")
    p.mmap(PAGE, at=A)
    p.mlock(A, PAGE)
    at = p.mremap(A, PAGE, 3 * PAGE, new=place)
    pages = [p.page(at + n * PAGE) for n in range(3)]
    assert [page.mapcount for page in pages if page] == [1, 1, 1]


def test_a_locked_mapping_grows_even_if_there_is_no_memory_for_its_new_pages():
    kernel = Kernel(frames=3, swap=0, geometry=X86_64)
    p = kernel.spawn("p")
    p.mmap(PAGE, at=A)
    p.mlock(A, PAGE)
    assert p.mremap(A, PAGE, 4 * PAGE) == A
    assert p.page(A + PAGE) is None

"""The scan of 2.4: how many entries it looks at, worked out by hand."""

from __future__ import annotations

import pytest

from anonlab.histories.before_rmap import scanned_until_free, shared_by, walked_until_free


@pytest.mark.parametrize(("processes", "entries"), [(1, 1), (2, 5), (10, 100)])
def test_the_second_round_ends_at_the_last_users_entry(processes: int, entries: int) -> None:
    """One round clears every bit; in the second the last process's first entry is the page's."""
    kernel = shared_by(processes, entries)
    pfn = kernel.processes["p0"].page(0x30000).pfn
    assert kernel.page(pfn).mapcount == processes
    assert scanned_until_free(kernel, pfn) == processes * entries + (processes - 1) * entries + 1
    assert kernel.page(pfn).mapcount == processes, "only looked at"
    assert walked_until_free(kernel, pfn) == 2 * processes
    assert kernel.page(pfn).mapcount == 0


def test_a_page_that_is_used_before_the_scan_is_through_is_never_free() -> None:
    kernel = shared_by(10, 100)
    pfn = kernel.processes["p0"].page(0x30000).pfn
    found = {every: scanned_until_free(kernel, pfn, every) for every in (1050, 1900, 1901, 1950)}
    assert found == {1050: None, 1900: None, 1901: 1901, 1950: 1901}


def test_too_many_processes_are_refused() -> None:
    with pytest.raises(ValueError, match="processes must be from 1 to 100, got 0"):
        shared_by(0, 5)
    with pytest.raises(ValueError, match="entries must be from 1 to 1000"):
        shared_by(1, 2000)

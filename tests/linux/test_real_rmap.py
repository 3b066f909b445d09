"""The running kernel's own reverse map: it misses nobody, and looks as the model's does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from linux_view import needs_full_view

from anonlab.formats.history_text import parse
from anonlab.linux import real_rmap
from anonlab.linux.address_window import WINDOW_VPN
from anonlab.linux.kernel_memory import BtfTypes
from anonlab.linux.recordings import load_recording
from anonlab.live.verify import history_of

pytestmark = needs_full_view


@pytest.fixture(scope="module")
def real() -> Iterator[real_rmap.RealRmap]:
    try:
        rmap = real_rmap.RealRmap()
    except (OSError, ValueError) as error:
        pytest.skip(f"needs CAP_SYS_ADMIN and a kernel that lets BPF read its memory: {error}")
    yield rmap
    rmap.close()


def pages(oracle):
    """Every anonymous page of the window: frame number -> real (pid, page number)."""
    found = {}
    for living in oracle.processes.living.values():
        for number, word in enumerate(living.pagemap.words(WINDOW_VPN, 0x100)):
            pfn = word & ((1 << 55) - 1)
            if word >> 63 and oracle.frames.flags(pfn) >> 12 & 1:
                found.setdefault(pfn, set()).add((living.pid, WINDOW_VPN + number))
    return found


def test_no_sharer_is_missed_after_random_histories(real, oracle) -> None:
    mappings = candidates = 0
    for number in range(20):
        list(oracle.run(history_of(13, number)))
        for pfn, places in pages(oracle).items():
            found = set(real.candidates(pfn))
            assert places <= found
            assert len(places) == oracle.frames.mapcount(pfn)
            mappings += len(places)
            candidates += len(found)
    assert mappings > 100
    assert candidates < 3 * mappings


def test_the_worked_example_is_the_models(real, oracle) -> None:
    """Three generations: homes with 3, 2 and 1 VMAs, each the child of the one before."""
    list(oracle.run(load_recording("three_generations").history))
    homes = {real.home(pfn) for pfn in pages(oracle)}
    root, middle, leaf = sorted(homes, key=lambda home: -home.nvmas)
    assert [home.nvmas for home in (root, middle, leaf)] == [3, 2, 1]
    assert (root.parent, middle.parent, leaf.parent) == (root.number, root.number, middle.number)
    assert [home.num_children for home in (root, middle, leaf)] == [2, 1, 0]
    assert {home.root for home in homes} == {root.number}
    assert {home.num_active_vmas for home in homes} == {1}


def test_a_page_that_moved_keeps_its_index_and_is_found(real, oracle) -> None:
    text = (
        "a = spawn\na mmap 0x3f000 1\na write 0x3f000 1\nb = fork a\nb mremap 0x3f000 1 to 0x60000"
    )
    list(oracle.run(parse(text)))
    ((pfn, places),) = pages(oracle).items()
    assert set(real.candidates(pfn)) == places
    assert len(places) == 2


def test_what_this_kernel_does_not_have_is_told() -> None:
    types = BtfTypes()
    with pytest.raises(ValueError, match="struct page has no member colour on this kernel"):
        types.offset("page", "colour")
    with pytest.raises(ValueError, match="there is no struct unicorn on this kernel"):
        types.size("unicorn")


def test_without_a_known_place_of_struct_pages_the_reason_is_told(monkeypatch, real) -> None:
    monkeypatch.setattr(real_rmap, "VMEMMAP_BASES", (0xFFFF000000000000,))
    with pytest.raises(ValueError, match="addresses are randomised"):
        real_rmap.RealRmap()


def test_a_file_that_is_no_btf_is_refused(tmp_path) -> None:
    (tmp_path / "btf").write_bytes(b"\0" * 64)
    with pytest.raises(ValueError, match="no BTF"):
        BtfTypes(tmp_path / "btf")

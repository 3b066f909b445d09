"""What differs between two snapshots, in the form in which predictions are made: the truths of
`reveal`.
"""

from __future__ import annotations

from anonlab.formats.snapshot import Snapshot
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT, PTE_WRITE, is_swap
from anonlab.view.story.reading import read

PageOfProcess = tuple[str, int]
"""(process, page number)."""


def frames_used(snapshot: Snapshot) -> int:
    """Return how many frames are in use; frame 0, the zero page, does not count."""
    return sum(pfn > 0 for pfn in snapshot.pfn.tolist())


def page_table_words(snapshot: Snapshot) -> dict[PageOfProcess, int]:
    """Return every page-table word that is not 0, by process and page number."""
    spaces = read(snapshot).spaces
    return {
        (process.name, vpn): word
        for process in snapshot.processes
        if process.mm in spaces
        for vpn, word in spaces[process.mm].words.items()
    }


def _addresses(snapshot: Snapshot, which: list[PageOfProcess]) -> set[str]:
    """Return words as one writes them in a prediction: 'shell 0x30000'."""
    return {f"{who} {snapshot.geometry.address(vpn)}" for who, vpn in which}


def read_only_words(snapshot: Snapshot) -> set[str]:
    """Return the present words without W: {'shell 0x30000', …}."""
    words = page_table_words(snapshot).items()
    return _addresses(snapshot, [at for at, w in words if w & PTE_PRESENT and not w & PTE_WRITE])


def nonzero_words(snapshot: Snapshot) -> set[str]:
    """Return all words that are not 0: {'shell 0x30000', …}."""
    return _addresses(snapshot, list(page_table_words(snapshot)))


def slots_filled(before: Snapshot, after: Snapshot) -> list[str]:
    """Return the slots that are no longer empty, as hex digits, the top table's first."""
    empty = dict.fromkeys(zip(before.row.tolist(), before.slot.tolist(), strict=True))
    both = zip(after.row.tolist(), after.slot.tolist(), strict=True)
    return [f"{slot:x}" for row, slot in both if (row, slot) not in empty]


def processes_with_new_frames(before: Snapshot, after: Snapshot) -> str:
    """Return the process with a word that names another frame; 'nobody' if there is none."""
    old, new = page_table_words(before), page_table_words(after)
    moved = {
        who
        for (who, vpn), word in new.items()
        if word & PTE_PRESENT and old.get((who, vpn), 0) >> PTE_SHIFT != word >> PTE_SHIFT
    }
    return " and ".join(sorted(moved)) or "nobody"


def swap_entries_made(before: Snapshot, after: Snapshot) -> list[int]:
    """Return for each page number how many words became swap entries, ascending by page number."""
    old, new = page_table_words(before), page_table_words(after)
    made = [at[1] for at, w in new.items() if is_swap(w) and not is_swap(old.get(at, 0))]
    return [made.count(vpn) for vpn in sorted(set(made))]


def pages_with_same_frames(before: Snapshot, after: Snapshot, who: str) -> set[str]:
    """Return the pages of `who`, by their old address, whose frames it still maps somewhere."""
    old, new = page_table_words(before), page_table_words(after)
    now = {word >> PTE_SHIFT for (name, _), word in new.items() if name == who}
    mine = [vpn for (name, vpn), w in old.items() if name == who and w >> PTE_SHIFT in now]
    return {before.geometry.address(vpn) for vpn in mine}

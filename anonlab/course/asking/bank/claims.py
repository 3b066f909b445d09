"""Claims about every history, some of them false: what holds always, and what only often?"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from anonlab.course.asking.measures import always
from anonlab.course.asking.questions import BankQuestion, Table, TableRow
from anonlab.course.judging.state import MachineState
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT, PTE_WRITE


def _words(state: MachineState) -> list[tuple[str, int, int]]:
    """Return (process, page number, word) of every present word."""
    return [
        (who, vpn, word)
        for who, words in state.words.items()
        for vpn, word in words.items()
        if word & PTE_PRESENT
    ]


def _named(state: MachineState) -> Counter[int]:
    """Return how many present words name each frame; the zero page is left out."""
    named = Counter(word >> PTE_SHIFT for _, _, word in _words(state))
    del named[0]
    return named


def words_lie_in_areas(state: MachineState) -> bool:
    """Every word, an entry of swap too, lies in a VMA."""
    return all(state.area(who, vpn) for who, words in state.words.items() for vpn in words)


def areas_are_full(state: MachineState) -> bool:
    """Every page of a VMA has a word."""
    return all(
        vpn in state.words[who]
        for who, areas in state.areas.items()
        for area in areas
        for vpn in range(area.start, area.end)
    )


def areas_do_not_overlap(state: MachineState) -> bool:
    """No page lies in two VMAs of one process."""
    return all(
        one.end <= other.start for areas in state.areas.values() for one, other in pairwise(areas)
    )


def _allows(state: MachineState, who: str, vpn: int) -> bool:
    area = state.area(who, vpn)
    return area is not None and "w" in area.prot


def writable_words_are_allowed(state: MachineState) -> bool:
    """A word with W lies in a VMA that allows writing."""
    return all(_allows(state, who, vpn) for who, vpn, word in _words(state) if word & PTE_WRITE)


def allowed_words_are_writable(state: MachineState) -> bool:
    """A present word in a VMA that allows writing has W."""
    return all(word & PTE_WRITE for who, vpn, word in _words(state) if _allows(state, who, vpn))


def mapcount_counts_words(state: MachineState) -> bool:
    """As many words name a frame as its mapcount says."""
    named = _named(state)
    return all(named[pfn] == count for pfn, count in enumerate(state.mapcount) if pfn)


def count_is_mapcount(state: MachineState) -> bool:
    """count and mapcount of a frame are equal."""
    return state.count[1:] == state.mapcount[1:]


def unnamed_frames_are_free(state: MachineState) -> bool:
    """A frame that no word names is free."""
    named = _named(state)
    return all(named[pfn] or not count for pfn, count in enumerate(state.count) if pfn)


def writable_frames_have_one_word(state: MachineState) -> bool:
    """No other word names the frame of a word with W in private memory."""
    named = _named(state)
    private = [word for who in state.words for word in state.private(who).values()]
    may_write = [word for word in private if word & PTE_PRESENT and word & PTE_WRITE]
    return all(named[word >> PTE_SHIFT] == 1 for word in may_write)


_AREAS = ("areas", "files", "lone", "forked")
_FAMILIES = ("family", "swapped", "pinned")

CLAIMS: dict[str, BankQuestion] = {
    "02 always": Table(
        "What holds always, after every operation of every history?",
        always(words_lie_in_areas, *_AREAS),
        ("always", "no"),
        (
            TableRow(
                "Every page-table entry lies in a VMA.",
                "",
                "munmap clears the entries of the pages that it takes.",
            ),
            TableRow(
                "Every page of a VMA has a page-table entry.",
                "",
                "A page that nobody has touched has none.",
                always(areas_are_full, *_AREAS),
            ),
            TableRow(
                "No page lies in two VMAs of one process.",
                "",
                "mmap first removes what is in its place.",
                always(areas_do_not_overlap, *_AREAS),
            ),
            TableRow(
                "An entry with W lies in a VMA that allows writing.",
                "",
                "A fault looks at the VMA before it gives W. mprotect takes W out of the entries.",
                always(writable_words_are_allowed, *_AREAS),
            ),
            TableRow(
                "A present entry in a VMA that allows writing has W.",
                "",
                "An entry of the zero page has no W. The VMA allows W, but a fault must give it.",
                always(allowed_words_are_writable, *_AREAS),
            ),
        ),
    ),
    "08 always": Table(
        "What holds after every operation of every history, with pins and swap? This is about "
        "private memory, without the zero page.",
        always(mapcount_counts_words, *_FAMILIES),
        ("always", "no"),
        (
            TableRow(
                "as many present entries name a frame as its mapcount says",
                "",
                "mapcount counts exactly these entries.",
            ),
            TableRow(
                "count and mapcount of a frame are equal",
                "",
                "Pins and the swap cache add to count only.",
                always(count_is_mapcount, *_FAMILIES),
            ),
            TableRow(
                "a frame that no entry names is free",
                "",
                "A device may still hold it with a pin.",
                always(unnamed_frames_are_free, *_FAMILIES),
            ),
            TableRow(
                "no other entry names the frame of an entry with W",
                "",
                "fork takes W away. Only a fault that finds nobody else at the page gives it back.",
                always(writable_frames_have_one_word, *_FAMILIES),
            ),
        ),
    ),
}

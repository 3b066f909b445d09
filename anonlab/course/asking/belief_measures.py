"""More of what a history shows, as one short word or number: what questions about beliefs ask.

As in measures.py, a measure takes the text of a history; what is right comes from the machine.
"""

from __future__ import annotations

from anonlab.course.asking.measures import decision
from anonlab.course.judging.state import MachineState, before_after
from anonlab.formats.history_text import parse
from anonlab.histories.costs import compare
from anonlab.histories.run import make_kernel, run_on
from anonlab.kernel import Kernel
from anonlab.kernel.walk import places_of, walk
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT
from anonlab.recording.recorder import record

PAGE = 0x30000
"""The address of the page that these questions are about."""


def _after(text: str, design: str = "anongroup") -> Kernel:
    history = parse(text)
    kernel = make_kernel(history, design)
    run_on(kernel, history)
    return kernel


def _pfn(kernel: Kernel, who: str) -> int:
    page = kernel.processes[who].page(PAGE)
    assert page is not None, "a question about a page that is not there"
    return page.pfn


def outcome(text: str) -> str:
    """What became of the last operation, a write: 'copy', 'reuse', 'nothing', or the error."""
    error = record(parse(text)).steps[-1].error
    if not error:
        return decision(text)
    return "ENOMEM" if "ENOMEM" in error else "signal"


def words_of_the_shared_frame(state: MachineState, pfn: int) -> list[str]:
    """Return the processes whose words name a frame."""
    return [
        who
        for who, words in state.words.items()
        if any(word & PTE_PRESENT and word >> PTE_SHIFT == pfn for word in words.values())
    ]


def who_maps_frame_1(text: str) -> str:
    """Which processes map frame 1 in the end; 'nobody' if none does."""
    state = before_after(parse(text))[-1].after
    return " and ".join(sorted(words_of_the_shared_frame(state, 1))) or "nobody"


def mapcount_of_frame_1(text: str) -> str:
    """The mapcount of frame 1 in the end."""
    return str(before_after(parse(text))[-1].after.mapcount[1])


def what_mapcount_tells(text: str) -> str:
    """Whether mapcount of frame 1 differs with who did the last operation: 'who' if it does, 'how
    many' if it is the same whoever did it."""
    *rest, last = text.strip().splitlines()
    who = last.split()[0]
    counts = {
        mapcount_of_frame_1("\n".join([*rest, last.replace(who, other, 1)]))
        for other in _after("\n".join(rest)).processes
    }
    return "how many" if len(counts) == 1 else "who"


def count_above_mapcount(text: str) -> str:
    """By how much count of frame 1 is more than its mapcount in the end."""
    state = before_after(parse(text))[-1].after
    return str(state.count[1] - state.mapcount[1])


def address_after(text: str) -> str:
    """Whether the page of the last operation's process has the 'same' address after it, or
    'another' one."""
    last = before_after(parse(text))[-1]
    was, now = (set(state.words[last.op.who]) for state in (last.before, last.after))
    return "same" if was == now else "another"


def what_the_first_touch_needs(text: str) -> str:
    """What the last operation needed: 'disk', a page 'fault' without one, or 'nothing'."""
    steps = record(parse(text)).steps
    labels = {step.label for step in steps if step.operation == steps[-1].operation}
    if any("swap_in" in label for label in labels):
        return "disk"
    return "fault" if any(label.startswith("fault.") for label in labels) else "nothing"


def value_read(text: str) -> str:
    """The value that the last operation, a read, finds."""
    last = parse(text).ops[-1]
    return str(_after(history_before(text)).processes[last.who].read(int(last.args["addr"])))


def history_before(text: str) -> str:
    """Return a history without its last line."""
    return "\n".join(text.strip().splitlines()[:-1]) + "\n"


def fork_takes(text: str) -> str:
    """What the last operation, a fork, takes at once: 'image', 'tables' or 'nothing'."""
    last = before_after(parse(text))[-1]
    used = [sum(count > 0 for count in state.count[1:]) for state in (last.before, last.after)]
    if used[1] > used[0]:
        return "image"
    before = len(_after(history_before(text)).tables.words)
    tables = _rows(_after(text)) - _rows(_after(history_before(text)))
    return "tables" if before and tables else "nothing"


def _rows(kernel: Kernel) -> int:
    """Return how many rows of page tables are in use."""
    return int((kernel.tables.words != 0).any(axis=1).sum())


def notes_at_fork(text: str) -> str:
    """How many objects the group of the mail makes at the last operation, a fork."""
    costs = compare(parse(text), "anongroup").table("allocs")[0]
    return str(costs["fork"])


def processes_on_the_anon_vma(text: str) -> str:
    """How many processes' VMAs the anon_vma of 2004 names for the page of the last operation."""
    kernel = _after(text, "anon_vma")
    places = places_of(kernel, _pfn(kernel, parse(text).ops[-1].who))
    return str(len(set(places.mms.tolist())))


def places_that_map_it(text: str) -> str:
    """How many of the places that the anon_vma of 2004 names for frame 1 map it."""
    return str(walk(_after(text, "anon_vma"), 1).mms.size)


def index_by_design(text: str) -> str:
    """The index of frame 1 in the end: one number if the mail's group and the anon_vma of 2004
    agree, else 'both'."""
    found = [int(_after(text, design).mem_map.index[1]) for design in ("anongroup", "anon_vma")]
    return f"{found[0]:#x}" if found[0] == found[1] else "both"

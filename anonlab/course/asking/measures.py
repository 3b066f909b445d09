"""What a history shows, as one short word or number: the truth of questions comes from here.

A measure takes the text of a history and says what its *last* operation did, or what the machine is
like after it. Nothing is typed by hand: the simulated kernel runs, and a scan reads the tables.
"""

from __future__ import annotations

from collections.abc import Callable

from anonlab.course.judging.families import histories
from anonlab.course.judging.state import BeforeAfter, MachineState, before_after, machine_state
from anonlab.formats.history_text import parse
from anonlab.histories.costs import compare
from anonlab.histories.run import make_kernel, run_on
from anonlab.histories.scenarios import SCENARIOS
from anonlab.kernel import Kernel
from anonlab.kernel.walk import walk
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT, is_swap
from anonlab.recording.recorder import record

Measure = Callable[[str], str]
ALWAYS_SEED = 2004


def _last(text: str) -> BeforeAfter:
    return before_after(parse(text))[-1]


def _after(text: str, design: str) -> Kernel:
    history = parse(text)
    kernel = make_kernel(history, design)
    run_on(kernel, history)
    return kernel


def _used(state: MachineState) -> int:
    return sum(count > 0 for count in state.count[1:])


def _frames(state: MachineState) -> set[tuple[str, int, int]]:
    """Return (process, vpn, pfn) of every present word."""
    return {
        (who, vpn, word >> PTE_SHIFT)
        for who, words in state.words.items()
        for vpn, word in words.items()
        if word & PTE_PRESENT
    }


def frames_used(text: str) -> str:
    """How many frames are in use after the last operation; the zero page does not count."""
    return str(_used(_last(text).after))


def frames_taken(text: str) -> str:
    """How many frames the last operation took."""
    last = _last(text)
    return str(_used(last.after) - _used(last.before))


def frames_freed(text: str) -> str:
    """How many frames the last operation gave back."""
    return str(-int(frames_taken(text)))


def processes_with_new_frames(text: str) -> str:
    """Whose words name another frame after the last operation; 'nobody' if there is none."""
    last = _last(text)
    new = {who for who, _, _ in _frames(last.after) - _frames(last.before)}
    return " and ".join(sorted(new)) or "nobody"


def swap_entries_made(text: str) -> str:
    """How many words the last operation turned into swap entries."""
    last = _last(text)
    counts = [
        sum(is_swap(word) for words in state.words.values() for word in words.values())
        for state in (last.before, last.after)
    ]
    return str(counts[1] - counts[0])


def areas(text: str) -> str:
    """How many VMAs the process of the last operation has after it."""
    last = _last(text)
    return str(len(last.after.areas[last.op.who]))


def own_pages(text: str) -> str:
    """How many anonymous pages the process of the last operation has mapped after it."""
    last = _last(text)
    words = last.after.private(last.op.who).values()
    return str(sum(bool(word & PTE_PRESENT and word >> PTE_SHIFT) for word in words))


def decision(text: str) -> str:
    """What the last operation, a write, did: 'copy', 'reuse', or 'nothing', for want of a fault."""
    trace = record(parse(text))
    mine = {step.label for step in trace.steps if step.operation == trace.steps[-1].operation}
    return next((word for word in ("copy", "reuse") if f"fault.wp_{word}" in mine), "nothing")


def copied_in_all(text: str) -> str:
    """How many pages copy on write has copied from the first operation to the last."""
    return str(_after(text, "anongroup").design.cost.copies_cow)


def merges(text: str) -> str:
    """Under which of two designs the process ends with one VMA: both, none, or 'group', that of
    the mail, or 'chain', that of today."""
    who = parse(text).ops[-1].who
    one = [
        name
        for name, design in (("group", "anongroup"), ("chain", "anon_vma_chain"))
        if len(machine_state(_after(text, design)).areas[who]) == 1
    ]
    return one[0] if len(one) == 1 else "both" if one else "none"


def places_visited(text: str) -> str:
    """How many places the walk for the last operation's page looks at, the mail's design."""
    return str(_walk(text)[0])


def places_in_vain(text: str) -> str:
    """How many of them do not map the page."""
    looked, found = _walk(text)
    return str(looked - found)


def _walk(text: str) -> tuple[int, int]:
    kernel, op = _after(text, "anongroup"), parse(text).ops[-1]
    page = kernel.processes[op.who].page(int(op.args["addr"]))
    assert page is not None, "a question about a page that is not there"
    before = kernel.design.cost.probes
    found = walk(kernel, page.pfn)
    return kernel.design.cost.probes - before, int(found.mms.size)


def cheapest(counter: str, operation: str, designs: str) -> Measure:
    """Return a measure: which of `designs` needs the least of `counter` for `operation`.

    It takes the text of a history, or the name and size of a scenario: 'prefork 20'.
    """

    def measure(text: str) -> str:
        name, _, size = text.partition(" ")
        history = SCENARIOS[name](int(size)) if name in SCENARIOS else text
        costs = {row["design"]: row[operation] for row in compare(history, designs).table(counter)}
        least = min(costs.values())
        return " and ".join(name for name, cost in costs.items() if cost == least)

    return measure


def always(claim: Callable[[MachineState], bool], *families: str) -> Measure:
    """Return a measure: does `claim` hold 'always', or 'no', once and again not?

    It is asked after every operation of random histories, whatever the text says.
    """

    def measure(text: str) -> str:
        every = (step for each in histories(families, ALWAYS_SEED) for step in before_after(each))
        return "always" if all(claim(step.after) for step in every) else "no"

    return measure

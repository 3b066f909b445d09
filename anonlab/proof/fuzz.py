"""A kernel on which everything is checked after every operation, and random histories to run on it:
against a brute-force scan, the invariants, a shadow memory and checks of what changes over time,
on machines that run out of everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import attrgetter
from zlib import crc32

from anonlab.formats.history import History, Machine, Op
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.histories.generate import generate
from anonlab.histories.run import Outcome, apply, make_kernel
from anonlab.kernel.syscalls import HALF_DONE
from anonlab.proof.incremental import IncrementalCheck
from anonlab.proof.over_time import TransitionChecks
from anonlab.proof.shadow import Shadow
from anonlab.proof.shrink import shrink
from anonlab.rmap import Rmap

OPS_PER_HISTORY = 200
MACHINES = (
    Machine("lesson", 512, 256),
    Machine("x86_64", 512, 256),
    Machine("lesson", 22, 6),
    Machine("lesson", 16, 64),
    Machine("x86_64", 22, 6),
    Machine("lesson", 40, 0),
    Machine("lesson", 64, 64, tables=9),
    Machine("x86_64", 64, 64, tables=20),
)
"""In turn: two with room for everything, then some that are short of frames, swap or tables."""


@dataclass
class Tally:
    """What the histories of one design showed.

    failures  the histories that went wrong, as text up to the operation that showed it, with what
              was wrong as a comment
    outcomes  how each operation of the last history ended, for comparison with other designs
    """

    operations: int = 0
    violations: int = 0
    missed: int = 0
    mismatches: int = 0
    candidates: int = 0
    mappings: int = 0
    failures: list[str] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add the numbers and failures of `other`."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        self.outcomes = other.outcomes


CONTENTS = frozenset(("frames", "tables", "swap", "rss"))
"""Facts of a machine that the next page fault changes: the design's graph is not drawn for each."""
_PROCESS = attrgetter("name", "pid", "parent", "mm", "program")
_SPACE = attrgetter("number", "pgd", "brk", "rmap")
_AREA = attrgetter(
    *("start_vpn", "end_vpn", "prot", "shared", "file", "pgoff", "locked", "growsdown")
)


@lru_cache(256)
def history_of(seed: int, number: int, nops: int = OPS_PER_HISTORY) -> History:
    """Return history `number` of the run that begins with `seed`."""
    machine = MACHINES[number % len(MACHINES)]
    history = generate(
        seed * 1_000_003 + number, nops, machine.geometry, machine.frames, machine.swap
    )
    return replace(history, machine=machine)


def run_checked(history: History, design: Callable[[], Rmap]) -> Tally:
    """Run `history` under a new `design()` and check everything after every operation; stop at the
    first thing that is wrong."""
    tally = Tally()
    checked = CheckedKernel(history, design(), tally)
    try:
        for op in history.ops:
            tally.outcomes.append(seen_by_programs(op, checked.do(op)))
        checked.look_at_everything()
    except Exception as error:  # noqa: BLE001  a crash is a finding too, and wants its history
        tally.violations += 1
        tally.missed += str(error).startswith("the walk for pfn") and "misses" in str(error)
        prefix = replace(history, ops=history.ops[: len(tally.outcomes) + 1])
        tally.failures.append(f"{history_text(prefix)}# {_sentence(error)}\n")
    return tally


def seen_by_programs(op: Op, outcome: Outcome) -> str:
    """Return what a program sees of an operation: its error, or a digest of what it returned.

    Frame numbers and how much reclaim could free are not for programs.
    """
    if outcome.error:
        return outcome.error
    value = outcome.value if op.verb in ("read", "mmap", "mremap", "brk") else None
    return "" if value is None else f"{crc32(repr(value).encode()):08x}"


def shortest(text: str, design: Callable[[], Rmap]) -> str:
    """Return the failure `text` with as few operations as still go wrong."""
    history = shrink(parse(text), lambda shorter: goes_wrong(shorter, design))
    failures = run_checked(history, design).failures
    return failures[0] if failures else text


def goes_wrong(history: History, design: Callable[[], Rmap]) -> bool:
    """Return whether something is wrong before or after the last operation of `history`: quicker
    than to check after each, and enough for a history that ends where it went wrong."""
    checked = CheckedKernel(history, design(), Tally())
    try:
        for op in history.ops[:-1]:
            checked.do_unchecked(op)
        checked.look_at_everything()
        for op in history.ops[-1:]:
            checked.do(op)
        checked.look_at_everything()
    except Exception:  # noqa: BLE001  a crash is a finding too
        return True
    return False


class CheckedKernel:
    """A kernel on which everything is checked after every operation.

    history  says what the machine is like; its operations are not run
    tally    is told what the checks counted
    """

    def __init__(self, history: History, design: Rmap, tally: Tally) -> None:
        self.kernel = make_kernel(history, design)
        self.shadow = Shadow(self.kernel)
        self.incremental = IncrementalCheck(self.kernel)
        self.transitions = TransitionChecks(self.kernel, self.incremental.part.truth)
        if design.stays_in_family:
            self.incremental.families = self.transitions.families
        self.tally = tally
        self.spaces: dict[int, tuple[object, ...]] = {}
        self.shown = self._shown()
        self.graph: object | None = None

    def do(self, op: Op) -> Outcome:
        """Do `op` and return how it ended.

        raises  AssertionError if an invariant of `check` or a rule of `over_time` is broken, if
                memory differs from the shadow, if `op` failed and left a trace, or if mremap
                copied pages that the design keeps
        """
        outcome = self.do_unchecked(op)
        self.tally.operations += 1
        walks, part = self.incremental.check(), self.incremental.part
        self.tally.candidates += walks.candidates
        self.tally.mappings += walks.mappings
        if outcome.error and not outcome.error.endswith(HALF_DONE):
            self._left_no_trace(outcome)
            return outcome
        self._keep_what_is_shown()
        self._compare_with_shadow(self._memory(op))
        design = self.kernel.design
        copied = design.cost.copies_mremap
        assert design.copies_on_mremap or not copied, (
            f"{design.name} keeps what mremap moves, but {copied} pages were copied"
        )
        self.transitions.see(op, outcome, part.truth)
        return outcome

    def do_unchecked(self, op: Op) -> Outcome:
        """Do `op`, let the shadow do it too, and return how it ended."""
        outcome = apply(self.kernel, op)
        self.transitions.join_families(op)
        self.shadow.follow(op, outcome)
        return outcome

    def look_at_everything(self) -> None:
        """Check the machine as it is, whatever was done since the last check."""
        self.incremental.check_everything()
        self._compare_with_shadow(None)
        self.transitions.look(self.incremental.part.truth)
        self.shown = self._shown()
        self.graph = None

    def _compare_with_shadow(self, mms: AbstractSet[int] | None) -> None:
        wrong = self.shadow.compare(self.kernel, self.incremental.part.truth, mms)
        self.tally.mismatches += len(wrong)
        assert not wrong, wrong[0]

    def _memory(self, op: Op) -> AbstractSet[int] | None:
        """Return the address spaces whose memory `op` can have changed, or what is right there."""
        memory = self.incremental.part.memory
        actor = self.kernel.processes.get(op.who)
        if memory is None or actor is None or op.who not in self.shadow.spaces:
            return None
        return memory | {actor.mm.number} if actor.mm else memory

    def _left_no_trace(self, outcome: Outcome) -> None:
        """After an operation that failed everything is as it was: columns, words and versions, what
        else is shown, and the design's graph if nothing has changed since it was drawn."""
        failed = f"the machine changed, though: {outcome.error}"
        assert not self.incremental.part.changed, failed
        assert self._shown() == self.shown, failed
        assert self.graph is None or self.graph == self.kernel.design.graph(), failed

    def _keep_what_is_shown(self) -> None:
        """Remember what the next operation, should it fail, must leave as it is."""
        changed = self.incremental.part.changed
        if not changed <= CONTENTS:
            self.shown = self._shown(self.incremental.part.mms)
        if changed:
            self.graph = self.kernel.design.graph() if "design" in changed else None

    def _shown(self, mms: Iterable[int] | None = None) -> tuple[object, ...]:
        """Return what a snapshot shows beside columns and page-table words, which the incremental
        check compares, and the design's graph.

        mms  address spaces that may differ from those in `shown`; None for all
        """
        kernel = self.kernel
        spaces = {} if mms is None else {n: self.spaces[n] for n in kernel.mms if n in self.spaces}
        for number in kernel.mms if mms is None else mms:
            mm = kernel.mms[number]
            spaces[number] = *_SPACE(mm), [_AREA(vma) for vma in mm.vmas]
        self.spaces = spaces
        return (
            [_PROCESS(task) for task in kernel.processes.values()],
            spaces,
            [(file.name, file.npages, file.cache.tobytes()) for file in kernel.files.values()],
            list(kernel.design.mapping_names()),
        )


def _sentence(error: Exception) -> str:
    """Return what was wrong in one line; for a crash, with the kind of error."""
    first = (str(error).splitlines() or [""])[0]
    return first if isinstance(error, AssertionError) else f"{type(error).__name__}: {first}"

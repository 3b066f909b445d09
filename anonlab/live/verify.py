"""The simulated machine compared with a Linux kernel, the running one or a recorded one.

Under anon_vma_chain with today's rule for reuse it must show the same after every operation: which
page stands where, followed over time, how often it is mapped, its exclusive mark and its contents.
Under the anon memory group it must differ exactly where that copies what mremap moves.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from anonlab.formats.history import History, Op
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.formats.recording import FULL, WEAK, OpEffect, Recording
from anonlab.histories.for_real_kernel import random_history_for_kernel
from anonlab.live.compare import KernelComparer
from anonlab.live.copies import Division, GroupCopies
from anonlab.live.model import ModelKernel
from anonlab.proof import replaying as replay
from anonlab.proof.mutants import MUTANTS, OF_ANSWERS, planted
from anonlab.proof.shrink import shrink
from anonlab.proof.workers import map_processes, ncpus
from anonlab.rmap import DESIGNS

OPS_PER_HISTORY = 50
BATCH = 10
"""So many histories share their real processes' nursery."""
WALKED_EVERY = 5
"""After so many operations every live page is walked, and compared with who really maps it."""
MIXTURES = (
    *((), ("files", "sharing"), ("odd",), ("files", "pins")),
    *(
        ("odd", "files"),
        ("odd", "stacks", "heap"),
        ("files",),
        ("odd", "files", "sharing", "stacks"),
    ),
)
"""What histories hold, in turn: see KINDS of histories.for_real_kernel."""
SHOWN = 3
Progress = Callable[[int, int], None]


@dataclass
class KernelComparison:
    """What came out when histories were compared with a kernel.

    explained      differences with a reason, by the name of the rule
    failures       histories that differ without a reason, as text with the difference as a comment
    differs        histories in which the anon memory group differs · copies  in which it copies
    divisions      of the last history: where the group differs, operation by operation
    example        a history in which it differs, as text with that as comments
    """

    histories: int = 0
    operations: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    differs: int = 0
    copies: int = 0
    missed: int = 0
    divisions: list[Division] = field(default_factory=list)
    example: str = ""

    def add(self, other: KernelComparison) -> None:
        """Add the numbers and failures of `other`."""
        for name in ("histories", "operations", "failures", "differs", "copies", "missed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.explained.update(other.explained)
        self.divisions = other.divisions
        self.example = self.example or other.example

    def to_json(self) -> dict[str, Any]:
        """Return what `anonlab verify --live --json` prints under "live"."""
        return {
            "histories": self.histories,
            "operations": self.operations,
            "unexplained": len(self.failures),
            "explained": {rule: n for rule, n in sorted(self.explained.items()) if n},
            "anongroup_differs": self.differs,
            "anongroup_mremap_copies": self.copies,
            "missed_sharers": self.missed,
        }

    @property
    def ok(self) -> bool:
        """True if nothing differs without a reason and no sharer was missed."""
        return not self.failures and not self.missed and self.differs == self.copies


def compare_with_kernel(
    history: History,
    effects: Iterable[OpEffect],
    view: str = FULL,
    design: str = "anon_vma_chain",
    walked_every: int = WALKED_EVERY,
) -> KernelComparison:
    """Run `history` under `design` and under the anon memory group, and compare both with the
    `effects` that a kernel showed; stop at the first difference without a reason."""
    comparison = KernelComparison(histories=1)
    modern, comparer = ModelKernel(history, design), KernelComparer(view)
    group = GroupBesideKernel(history) if view == FULL else None
    for number, (op, real) in enumerate(zip(history.ops, effects, strict=False)):
        ours = modern.do(op)
        wrong = comparer.compare(op, ours, real)
        comparer.explained.update(modern.rules)
        if comparer.ended_by:
            break
        if not wrong and view == FULL and not (number + 1) % walked_every:
            comparison.missed += modern.missed(real.observation, ours.observation)
        if group is not None and not wrong:
            wrong = group.follow(op, real)
        comparison.operations += 1
        if wrong:
            prefix = replace(history, ops=history.ops[: number + 1])
            comparison.failures.append(f"{history_text(prefix)}# {wrong}\n")
            break
    comparison.explained = comparer.explained
    if group is not None:
        comparison.divisions = group.copies.divisions
        ended_by = group.copies.ended_by
        comparison.explained[ended_by or "merged_vmas"] += bool(ended_by)
        comparison.differs = any(each.differ for each in comparison.divisions)
        comparison.copies = group.copies.copied
        if comparison.differs:
            lines = "".join(f"# {line}\n" for line in division_lines(comparison))
            comparison.example = f"{history_text(history)}# the anon memory group:\n{lines}"
    return comparison


class GroupBesideKernel:
    """The anon memory group beside a kernel; not where there is swap or where devices hold pages,
    for which it has rules of its time."""

    def __init__(self, history: History) -> None:
        self.model = ModelKernel(history, "anongroup")
        self.copies = GroupCopies()
        self.aside = any(op.verb in ("swap_out", "pin") for op in history.ops)
        self._before = 0

    def follow(self, op: Op, real: OpEffect) -> str:
        """Do `op`, return what differs without a reason, or ''."""
        if self.aside or self.copies.ended_by:
            return ""
        ours = self.model.do(op)
        ncopies = self.model.kernel.design.cost.copies_mremap
        wrong = self.copies.follow(op, ours, real, ncopies - self._before)
        self._before = ncopies
        return f"anongroup: {wrong}" if wrong else ""


def compare_with_recording(
    recording: Recording, design: str = "anon_vma_chain"
) -> KernelComparison:
    """Compare the simulated machine with a recorded kernel."""
    return compare_with_kernel(
        recording.history, recording.effects, recording.view, design, walked_every=1
    )


def killing_recording(name: str, recordings: Iterable[Recording]) -> int:
    """Plant the mutant `name` and hold it against recorded kernels until one shows that something
    is wrong; return the number of the recording, from 1, or 0 if the mutant survives.

    Mutants of the kernel and of the anon memory group are looked for under anon_vma_chain and the
    group. Those of other designs are compared with recordings that the design itself equals.
    """
    mutant = {**MUTANTS, **OF_ANSWERS}[name]
    design = "anon_vma_chain" if mutant.design == "anongroup" else mutant.design
    swaps = DESIGNS[design].cow_rule == "exclusive"
    for number, recording in enumerate(recordings, 1):
        swapped = any(op.verb == "swap_out" for op in recording.history.ops)
        if swapped and not swaps:
            continue
        with planted(mutant):
            try:
                if not compare_with_recording(recording, design).ok:
                    return number
            except Exception:  # noqa: BLE001  a crash shows it as well
                return number
    return 0


def compare_live(
    operations: int = 10_000,
    seed: int = 1,
    progress: Progress | None = None,
    view: str = "",
    allow_settings: bool = False,
    length: int = OPS_PER_HISTORY,
) -> KernelComparison:
    """Run random histories on the running kernel and hold the simulated machine against it.

    operations  compared in all, in histories of `length`; where one ends early, others follow
    view        FULL or WEAK; '' for as much as this process may see
    progress    called with (operations done, operations in all)
    allow_settings  have swap while it runs, so that histories swap, and take it back afterwards.
                    Swap that is there already may read ahead, or go away: it is not used
    raises      ValueError if the running kernel cannot be the witness: it says why
    """
    if operations < 1 or length < 1:
        raise ValueError(f"operations must be >= 1, got {min(operations, length)}")
    from anonlab.linux.oracle import Oracle
    from anonlab.linux.settings import swap_on

    comparison = KernelComparison()
    with swap_on() if allow_settings else nullcontext():
        with Oracle(view) as oracle:
            view = oracle.view
        while comparison.operations < operations and not comparison.failures:
            batches = _jobs(operations - comparison.operations, length, comparison.histories)
            jobs = [[seed, view, allow_settings, *batch] for batch in batches]
            for result in map_processes(compare_batch, jobs):
                comparison.add(result)
                if progress is not None:
                    progress(comparison.operations, operations)
        shown = [shrink_failure(text, view) for text in comparison.failures[:SHOWN]]
        comparison.failures[:SHOWN] = shown
    return comparison


def _jobs(operations: int, length: int, first: int) -> list[tuple[int, list[int], int]]:
    """Return batches of histories: number of the first, operations of each, number of the CPU."""
    sizes = [length] * (operations // length)
    if operations % length:
        sizes.append(operations % length)
    return [
        (first + at, sizes[at : at + BATCH], number % ncpus())
        for number, at in enumerate(range(0, len(sizes), BATCH))
    ]


def compare_batch(
    seed: int, view: str, swap: bool, first: int, sizes: list[int], cpu: int
) -> KernelComparison:
    """Be a worker: some histories, from number `first` on, on one CPU."""
    from anonlab.linux.address_window import possible_kinds
    from anonlab.linux.oracle import Oracle

    comparison, kinds = KernelComparison(), possible_kinds()
    with Oracle(view, sorted(os.sched_getaffinity(0))[cpu]) as oracle:
        for number, nops in enumerate(sizes, first):
            history = history_of(seed, number, nops, swap, kinds)
            comparison.add(compare_with_kernel(history, oracle.run(history), view))
    comparison.divisions = []
    return comparison


def record_on_kernel(
    command: Sequence[str] = (),
    output: Path | None = None,
    history: Path | None = None,
    renew: Path | None = None,
    allow_settings: bool = False,
) -> str:
    """Record a program, what the running kernel does with a history, or a folder of recordings
    anew; return in a sentence what was written.

    raises  ValueError unless exactly one of the three is asked for, and for what cannot be done
    """
    from anonlab.linux import program, recordings
    from anonlab.linux.settings import swap_on

    if (bool(command), history is not None, renew is not None).count(True) != 1:
        raise ValueError("record a COMMAND, or a --history, or --renew a folder: one of the three")
    if renew is None and output is None:
        raise ValueError("say where to write, before the command: -o FILE")
    with swap_on() if allow_settings else nullcontext():
        if renew is not None:
            return f"{recordings.record_anew(renew)} recordings renewed in {renew}"
        assert output is not None, "an output was asked for above"
        if history is not None:
            made = recordings.record_to_file(replay.read(history, "anongroup").history, output)
            return f"{len(made.effects)} operations, {made.view} view, in {output}"
    status, faults = program.record_program(command, output)
    how = f"exit status {status}" if status >= 0 else f"ended by signal {-status}"
    return f"{how}; the log is in {output}, {faults}: anonlab replay {output}"


def history_of(
    seed: int,
    number: int,
    nops: int = OPS_PER_HISTORY,
    swap: bool = False,
    kinds: Collection[str] = (),
) -> History:
    """Return history `number` of the run that begins with `seed`; every third swaps if it can, and
    most have what is asked for beside private memory, as far as `kinds` allows."""
    wanted = MIXTURES[number % len(MIXTURES)]
    some = [kind for kind in kinds if kind in wanted]
    return random_history_for_kernel(
        seed * 1_000_003 + number, nops, swap and number % 3 == 2, some
    )


def shrink_failure(text: str, view: str) -> str:
    """Return the failure `text` with as few operations as still differ on the running kernel."""
    from anonlab.linux.oracle import Oracle

    with Oracle(view) as oracle:

        def failures(history: History) -> list[str]:
            return compare_with_kernel(history, oracle.run(history), view).failures

        history = shrink(parse(text), lambda shorter: bool(failures(shorter)))
        return next(iter(failures(history)), text)


def division_lines(comparison: KernelComparison) -> Iterator[str]:
    """Yield where the group differs in the last history, one sentence per operation."""
    for each in comparison.divisions:
        copied = f"copies {len(each.copied)} pages, " if each.copied else ""
        yield f"operation {each.operation + 1}, {each.text}: {copied}{len(each.differ)} differ"


__all__ = [
    "FULL",
    "WEAK",
    "KernelComparison",
    "compare_live",
    "compare_with_kernel",
    "compare_with_recording",
]

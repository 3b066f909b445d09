"""A history on two machines, operation by operation: what each shows, and whether it is the same,
or differs by a rule that has a name, or differs without a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from anonlab.formats.history import Op
from anonlab.formats.history_text import format_op
from anonlab.formats.observation import PAGE, SWAP, ZERO, PageSeen, without_names
from anonlab.formats.recording import FULL, OpEffect
from anonlab.live.compare import KernelComparer
from anonlab.live.copies import GroupCopies
from anonlab.live.model import ModelKernel
from anonlab.live.source import LiveOrRecorded
from anonlab.machine.words import PAGE_SHIFT

TODAY, GROUP = "anon_vma_chain", "anongroup"
RULES = {
    "mremap_copy": (
        "one address per page: mremap has copied what others share, and today's kernel does not"
    ),
    "still_divided": "what mremap has copied before is two pages here and one page there",
    "zero_page": (
        "fork leaves out an area that was never written: the child has no zero page there yet, and "
        "no program can tell"
    ),
    "skipped_pageout": "the kernel does not page out, for one process, what others map as well",
    "direct_swapin": (
        "a swap device in memory needs no swap cache: what comes back to its only owner is marked "
        "exclusive at once"
    ),
    "lru_batch": (
        "the page waits in a CPU's batch, which holds a reference: a write or a pin may copy it"
    ),
    "chosen_address": "the kernel chose an address that is not looked at here",
    "read_only_pin": "a device here may hold what can only be read; an io_uring buffer may not",
    "fault_around": "a read of a file maps its neighbours too, if the page cache has them",
    "refault": (
        "pages of the page cache come into a page table when they are touched, not at fork, and "
        "paging out takes them away; no program can tell"
    ),
    "several_vmas": "moving several mappings at once is possible since Linux 6.17 only",
    "half_range": "a call that fails has done nothing here; a kernel has done what comes before",
    "merged_vmas": "the group merges areas that today's kernel keeps apart, so a move works here",
}
"""Why two machines may differ, by the name of the rule."""
CODE = '<code style="white-space:nowrap">'
KEY = "1×2 is page 1, mapped twice; z is the zero page; s1 is a swap slot; · is nothing"


class ComparedOp(NamedTuple):
    """One operation: what is seen after it on both machines, by process; the names of the rules
    by which they differ, and `wrong`: a difference without a reason, or ''."""

    number: int
    text: str
    ours: tuple[tuple[str, str], ...]
    real: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]
    wrong: str

    def pages(self, who: str) -> list[str]:
        """Return the names of the pages that the real kernel showed of process `who`."""
        text = dict(self.real).get(who, "")
        return [word.partition("×")[0] for word in text.split() if "×" in word]

    @property
    def verdict(self) -> str:
        """In a word or a sentence."""
        if self.wrong:
            return f"differs without a reason: {self.wrong}"
        reasons = [f"{rule}: {RULES.get(rule, 'see anonlab.live.compare')}" for rule in self.rules]
        return "; ".join(reasons) or "the same"


@dataclass(frozen=True)
class StepComparison:
    """How a history went on the simulated machine under `design` and on a kernel."""

    design: str
    kernel: str
    source: str
    steps: tuple[ComparedOp, ...]

    @property
    def unexplained(self) -> int:
        """How many operations differ without a reason."""
        return sum(bool(step.wrong) for step in self.steps)

    @property
    def explained(self) -> dict[str, int]:
        """How many operations differ by each rule."""
        return dict(sorted(Counter(rule for step in self.steps for rule in step.rules).items()))

    @property
    def differ(self) -> tuple[int, ...]:
        """The numbers of the operations after which the two differ."""
        return tuple(step.number for step in self.steps if step.rules or step.wrong)

    def _repr_html_(self) -> str:
        heads = ("", "operation", f"simulated: {self.design}", f"real: {self.kernel}")
        rows = "".join(_row(step) for step in self.steps)
        cells = "".join(
            f'<th scope="col" style="text-align:left">{escape(head)}</th>' for head in heads
        )
        return (
            f"<p>{escape(self._summary())}</p>"
            f'<div style="max-width:100%;overflow-x:auto"><table>'
            f"<thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>"
            f"<p>{escape(KEY)}. The kernel's side: {escape(self.source)}.</p>"
        )

    def __repr__(self) -> str:
        lines = [self._summary(), f"The kernel's side: {self.source}.", f"{KEY}."]
        for step in self.steps:
            lines.append(f"{step.number}. {step.text}: {step.verdict}.")
            lines.append(f"   simulated  {_line(step.ours)}")
            lines.append(f"   real       {_line(step.real)}")
        return "\n".join(lines)

    def _summary(self) -> str:
        differ = f"{len(self.differ)} differ" if self.differ else "all the same"
        reason = f", {self.unexplained} without a reason" if self.differ else ""
        return f"{len(self.steps)} operations on {self.design} and {self.kernel}: {differ}{reason}"


def compare_steps(seen: LiveOrRecorded, design: str = TODAY) -> StepComparison:
    """Run the history of `seen` under `design` and hold it against what the kernel showed.

    design  anon_vma_chain, which is to be the same, or anongroup, which copies on mremap
    raises  ValueError for another design, and for anongroup where swap or pins are used, or no
            frame numbers can be seen
    """
    recording = seen.recording
    if design not in (TODAY, GROUP):
        raise ValueError(f"compared with a kernel are {TODAY} and {GROUP}, got {design!r}")
    apart = any(op.verb in ("swap_out", "pin") for op in recording.history.ops)
    if design == GROUP and (apart or recording.view != FULL):
        raise ValueError(
            f"{GROUP} is compared without swap and pins, for which it has rules of its time, and "
            "where frame numbers can be seen"
        )
    follow = _steps_of_group if design == GROUP else _steps_of_today
    return StepComparison(design, seen.kernel, seen.source, tuple(follow(seen)))


def _steps_of_today(seen: LiveOrRecorded) -> Iterator[ComparedOp]:
    history, view = seen.recording.history, seen.recording.view
    model, comparer = ModelKernel(history, TODAY), KernelComparer(view)
    for number, (op, real) in enumerate(zip(history.ops, seen.recording.effects, strict=True), 1):
        ours, before = model.do(op), Counter(comparer.explained)
        wrong = comparer.compare(op, ours, real)
        rules = [rule for rule, n in comparer.explained.items() if n > before[rule]]
        rules += sorted(model.rules)
        observation = ours.observation if view == FULL else without_names(ours.observation)
        yield _step(number, op, ours._replace(observation=observation), real, rules, wrong)
        if wrong or comparer.ended_by:
            return


def _steps_of_group(seen: LiveOrRecorded) -> Iterator[ComparedOp]:
    history = seen.recording.history
    model, copies, copied = ModelKernel(history, GROUP), GroupCopies(), 0
    for number, (op, real) in enumerate(zip(history.ops, seen.recording.effects, strict=True), 1):
        ours = model.do(op)
        now = model.kernel.design.cost.copies_mremap
        wrong = copies.follow(op, ours, real, now - copied)
        rules = [copies.ended_by] * bool(copies.ended_by)
        last = copies.divisions[-1] if copies.divisions else None
        if last is not None and last.operation == number - 1:
            rules.append("mremap_copy" if last.copied else "still_divided")
        copied = now
        yield _step(number, op, ours, real, rules, wrong)
        if wrong or copies.ended_by:
            return


def _step(
    number: int, op: Op, ours: OpEffect, real: OpEffect, rules: list[str], wrong: str
) -> ComparedOp:
    return ComparedOp(
        number, format_op(op), _by_process(ours), _by_process(real), tuple(rules), wrong
    )


def _by_process(effects: OpEffect) -> tuple[tuple[str, str], ...]:
    """Return what is seen of each process, as text; an error or what was read comes first."""
    out = [("", effects.error)] if effects.error else []
    out += [("read", " ".join(map(str, effects.values)))] if effects.values else []
    runs: dict[str, list[str]] = {}
    last: tuple[str, int] | None = None
    for (who, vpn), seen in sorted(effects.observation.items()):
        words = runs.setdefault(who, [])
        if last != (who, vpn - 1):
            words.append(f"{vpn << PAGE_SHIFT:#x}")
        words.append(_word(seen))
        last = (who, vpn)
    return (*out, *((who, " ".join(words)) for who, words in runs.items()))


def _word(seen: PageSeen) -> str:
    if seen.state == PAGE:
        return f"{seen.name}×{seen.mapcount}"
    return {ZERO: "z", SWAP: f"s{seen.name}" if seen.name else "s"}.get(seen.state, seen.state)


def _line(board: tuple[tuple[str, str], ...]) -> str:
    return "; ".join(f"{who} {text}".strip() for who, text in board) or "·"


def _row(step: ComparedOp) -> str:
    left = 'style="text-align:left;white-space:nowrap"'
    mine, theirs = dict(step.ours), dict(step.real)
    cells = ""
    for board, other in ((step.ours, theirs), (step.real, mine)):
        texts = [
            f"{escape(who)} {CODE}{escape(text)}</code>"
            if other.get(who) == text
            else f"<b>≠ {escape(who)} {CODE}{escape(text)}</code></b>"
            for who, text in board
        ]
        cells += f"<td {left}>{'<br>'.join(texts) or '·'}</td>"
    rule, colon, why = escape(step.verdict).partition(": ")
    verdict = f"<b>{rule}</b>{colon}{why}" if colon else rule
    return (
        f'<tr><td>{step.number}</td><td style="text-align:left;max-width:20em">'
        f"<code>{escape(step.text)}</code><br>{verdict}</td>{cells}</tr>"
    )

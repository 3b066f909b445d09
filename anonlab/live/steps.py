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
from anonlab.formats.observation import PAGE, SWAP, ZERO, Seen, weaken
from anonlab.formats.recording import FULL, Shown
from anonlab.live.compare import Judge
from anonlab.live.copies import Copies
from anonlab.live.model import Simulated
from anonlab.live.source import Witness
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
    "lru_batch": "the page waits in a CPU's batch, which holds a reference: a write may copy it",
    "several_vmas": "moving several mappings at once is possible since Linux 6.17 only",
    "chosen_address": "the kernel chose an address that is not looked at here",
    "half_range": "a kernel touches a range up to the first page that is forbidden",
    "locked_writable": "locked memory that becomes writable gets pages of its own at once",
    "dontunmap_file": "MREMAP_DONTUNMAP of a file or of shared memory is possible since Linux 5.13",
    "read_only_pin": "a device here may hold what can only be read; an io_uring buffer may not",
    "fault_around": "a read of a file maps its neighbours too, if the page cache has them",
    "refault": (
        "pages of the page cache come into a page table when they are touched, not at fork, and "
        "paging out takes them away; no program can tell"
    ),
    "merged_vmas": "the group merges areas that today's kernel keeps apart, so a move works here",
}
"""Why two machines may differ, by the name of the rule."""
CODE = '<code style="white-space:nowrap">'
KEY = "1×2 is page 1, mapped twice; z is the zero page; s1 is a swap slot; · is nothing"


class Step(NamedTuple):
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
        told = [f"{rule}: {RULES.get(rule, 'see anonlab.live.compare')}" for rule in self.rules]
        return "; ".join(told) or "the same"


@dataclass(frozen=True)
class Steps:
    """How a history went on the simulated machine under `design` and on a kernel."""

    design: str
    kernel: str
    source: str
    steps: tuple[Step, ...]

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


def steps(seen: Witness, design: str = TODAY) -> Steps:
    """Run the history of `seen` under `design` and hold it against what the kernel showed.

    design  anon_vma_chain, which is to be the same, or anongroup, which copies on mremap
    raises  ValueError for another design, and for anongroup where swap or pins are used, or no
            frame numbers can be seen
    """
    recording = seen.recording
    if design not in (TODAY, GROUP):
        raise ValueError(f"held against a kernel are {TODAY} and {GROUP}, got {design!r}")
    apart = any(op.verb in ("swap_out", "pin") for op in recording.history.ops)
    if design == GROUP and (apart or recording.view != FULL):
        raise ValueError(
            f"{GROUP} is compared without swap and pins, for which it has rules of its time, and "
            "where frame numbers can be seen"
        )
    follow = _group if design == GROUP else _today
    return Steps(design, seen.kernel, seen.source, tuple(follow(seen)))


def _today(seen: Witness) -> Iterator[Step]:
    history, view = seen.recording.history, seen.recording.view
    simulated, judge = Simulated(history, TODAY), Judge(view)
    for number, (op, real) in enumerate(zip(history.ops, seen.recording.shown, strict=True), 1):
        ours, before = simulated.do(op), Counter(judge.explained)
        wrong = judge.see(op, ours, real)
        rules = [rule for rule, n in judge.explained.items() if n > before[rule]]
        rules += sorted(simulated.rules)
        sight = ours.sight if view == FULL else weaken(ours.sight)
        yield _step(number, op, ours._replace(sight=sight), real, rules, wrong)
        if wrong or judge.over:
            return


def _group(seen: Witness) -> Iterator[Step]:
    history = seen.recording.history
    simulated, copies, copied = Simulated(history, GROUP), Copies(), 0
    for number, (op, real) in enumerate(zip(history.ops, seen.recording.shown, strict=True), 1):
        ours = simulated.do(op)
        now = simulated.kernel.design.cost.copies_mremap
        wrong = copies.see(op, ours, real, now - copied)
        rules = [copies.over] * bool(copies.over)
        last = copies.told[-1] if copies.told else None
        if last is not None and last.operation == number - 1:
            rules.append("mremap_copy" if last.copied else "still_divided")
        copied = now
        yield _step(number, op, ours, real, rules, wrong)
        if wrong or copies.over:
            return


def _step(number: int, op: Op, ours: Shown, real: Shown, rules: list[str], wrong: str) -> Step:
    return Step(number, format_op(op), _board(ours), _board(real), tuple(rules), wrong)


def _board(shown: Shown) -> tuple[tuple[str, str], ...]:
    """Return what is seen of each process, as text; an error or what was read comes first."""
    out = [("", shown.error)] if shown.error else []
    out += [("read", " ".join(map(str, shown.values)))] if shown.values else []
    runs: dict[str, list[str]] = {}
    last: tuple[str, int] | None = None
    for (who, vpn), seen in sorted(shown.sight.items()):
        words = runs.setdefault(who, [])
        if last != (who, vpn - 1):
            words.append(f"{vpn << PAGE_SHIFT:#x}")
        words.append(_word(seen))
        last = (who, vpn)
    return (*out, *((who, " ".join(words)) for who, words in runs.items()))


def _word(seen: Seen) -> str:
    if seen.state == PAGE:
        return f"{seen.name}×{seen.mapcount}"
    return {ZERO: "z", SWAP: f"s{seen.name}" if seen.name else "s"}.get(seen.state, seen.state)


def _line(board: tuple[tuple[str, str], ...]) -> str:
    return "; ".join(f"{who} {text}".strip() for who, text in board) or "·"


def _row(step: Step) -> str:
    left = 'style="text-align:left;white-space:nowrap"'
    mine, theirs = dict(step.ours), dict(step.real)
    cells = ""
    for board, other in ((step.ours, theirs), (step.real, mine)):
        told = [
            f"{escape(who)} {CODE}{escape(text)}</code>"
            if other.get(who) == text
            else f"<b>≠ {escape(who)} {CODE}{escape(text)}</code></b>"
            for who, text in board
        ]
        cells += f"<td {left}>{'<br>'.join(told) or '·'}</td>"
    rule, colon, why = escape(step.verdict).partition(": ")
    verdict = f"<b>{rule}</b>{colon}{why}" if colon else rule
    return (
        f'<tr><td>{step.number}</td><td style="text-align:left;max-width:20em">'
        f"<code>{escape(step.text)}</code><br>{verdict}</td>{cells}</tr>"
    )

"""Every operation in any order, on small and scarce machines, shrunk to a history of few lines.

After each operation everything is checked that `anonlab.proof.verification` checks: the invariants,
memory and rules of every page against the shadow, frames over time, and that a failed operation
left no trace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from anonlab.errors import FormatError
from anonlab.formats.history import ADVICES, ANY, PROTS, VERBS, Arg, History, Machine, Op
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.histories.places import HEAP_VPN, TOP_VPN, WINDOWS
from anonlab.kernel import Kernel
from anonlab.machine.words import PAGE_SHIFT, PAGE_SIZE
from anonlab.proof.fuzz import CheckedKernel, Tally, run_checked, shortest
from anonlab.proof.mutants import MUTANTS, planted
from anonlab.rmap import AnonGroup

SETTINGS = settings(
    max_examples=100,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
PROCESSES_MAX = 6
MACHINES = st.builds(
    Machine,
    st.sampled_from(("lesson", "lesson", "x86_32", "x86_64")),
    st.sampled_from((40, 40, 24, 14, 8, 3)),
    st.sampled_from((16, 16, 6, 1, 0)),
    st.sampled_from((0, 0, 0, 12, 5)),
)


def places(geometry: str) -> list[int]:
    """Addresses of pages that collide, then of heap and stack, then some that cannot be right."""
    first, top = WINDOWS[geometry][0].start, TOP_VPN[geometry]
    if geometry == "x86_64":
        first = (1 << 27) - 3  # both sides of a boundary of every upper level
    vpns = [*range(first, first + 8), HEAP_VPN[geometry] + 2, top - 2, top - 1, top - 3]
    end = top << PAGE_SHIFT
    wrong = [(first << PAGE_SHIFT) + 8, 0, end, end - PAGE_SIZE // 2, (1 << 63) - PAGE_SIZE]
    return [vpn << PAGE_SHIFT for vpn in vpns] + wrong


WRONG = 12
"""The first place that cannot be right."""
USUAL = (0, 0, 1, 2, 3, 4, 5, 6)
VALUES: dict[str, tuple[Any, ...]] = {
    "addr": (*USUAL, *range(WRONG + 5)),
    "where": (*USUAL, *range(WRONG + 5), ANY),
    "pages": (1, 1, 1, 2, 2, 3, 4, 8, 5, 0, 40, 1 << 50),
    "int": (0, 1, 2, 3, 4, 5, 6),
    "name": tuple(range(10)),
    "prot": (*PROTS, "r", "rw"),
    "advice": ADVICES,
    "flag": (True,),
}
SMALL = {("execve", "args"): (1, 2, 3, 0), ("file", "pages"): (3, 2, 1, 6, 0)}
"""Numbers that stand for a choice of page, process or program are given their meaning later."""


def drawn(verb: str, arg: Arg) -> st.SearchStrategy[Any]:
    """What may stand for `arg`, None to leave it out."""
    values = SMALL.get((verb, arg.name), VALUES[arg.kind])
    return st.sampled_from((None,) * (2 * len(values) + 3) + values if arg.optional else values)


class Histories(RuleBasedStateMachine):
    """One history in the making, on a kernel that runs it."""

    def __init__(self) -> None:
        super().__init__()
        self.history = History(())
        self.processes: list[str] = []
        self.files: list[str] = []
        self.tag = 0

    @initialize(machine=MACHINES, npages=st.sampled_from((0, 4, 4, 8, 8)))
    def make(self, machine: Machine, npages: int) -> None:
        """Most histories begin with memory that is already in use."""
        self.history = History((), machine)
        self.checked = CheckedKernel(self.history, AnonGroup(), Tally())
        self.places = places(machine.geometry)
        self.step(Op("spawn", "p1", {}))
        if npages:
            place = {"addr": self.places[0]}
            self.step(Op("mmap", "p1", {**place, "pages": npages}))
            self.step(Op("write", "p1", {**place, "value": 1, "pages": npages - 2}))

    def do(self, verb: str, who: int, drawn: dict[str, Any]) -> None:
        name = {"who": self.process(who), "new": self.new(verb), "machine": ""}[VERBS[verb].form]
        args = {
            arg.name: self.meant(name, arg, drawn[arg.name])
            for arg in VERBS[verb].args
            if drawn[arg.name] is not None
        }
        if verb == "brk":
            args["addr"] = self.heap_end(drawn["addr"])
        if verb == "write":
            self.tag += 100
            args["value"] = self.tag
        self.step(Op(verb, name, args))

    def step(self, op: Op) -> None:
        longer = replace(self.history, ops=(*self.history.ops, op))
        before = facts(self.checked.kernel)
        try:
            self.checked.do(op)
        except FormatError:
            # No program could have asked for this: it is refused, and not part of the history.
            assert facts(self.checked.kernel) == before, f"refused, but it changed something: {op}"
            return
        except Exception as error:
            first = (str(error).splitlines() or [repr(error)])[0]
            raise AssertionError(f"{first}\n{history_text(longer)}") from error
        self.history = longer
        if VERBS[op.verb].form == "new":
            (self.files if op.verb == "file" else self.processes).append(op.who)

    def mapped(self, who: str) -> list[int]:
        """The first pages of every VMA of `who`, or places where one could be."""
        task = self.checked.kernel.processes.get(who)
        vmas = task.mm.vmas if task and task.mm else []
        vpns = [
            v for vma in vmas for v in range(vma.start_vpn, min(vma.start_vpn + 4, vma.end_vpn))
        ]
        return [vpn << PAGE_SHIFT for vpn in vpns] or self.places

    def heap_end(self, number: int) -> int:
        """The shadow has a cell for each page, so the heap stays small."""
        heap = HEAP_VPN[self.history.machine.geometry] << PAGE_SHIFT
        wrong = (0, heap - PAGE_SIZE, heap + 100, (1 << 63) - PAGE_SIZE, heap + 1)
        return heap + number * PAGE_SIZE if number < WRONG else wrong[number - WRONG]

    def new(self, verb: str) -> str:
        names = self.files if verb == "file" else self.processes
        return f"{'f' if verb == 'file' else 'p'}{len(names) + 1}"

    def alive(self) -> list[str]:
        return [name for name, task in self.checked.kernel.processes.items() if task.alive]

    def process(self, number: int) -> str:
        """Most numbers mean somebody who is alive."""
        alive = self.alive()
        names = alive if alive and number < 9 else self.processes
        return names[number % len(names)] if names else ""

    def meant(self, who: str, arg: Arg, value: Any) -> Any:
        if arg.kind == "addr" and value < len(USUAL):
            return self.mapped(who)[value % len(self.mapped(who))]
        if arg.kind in ("addr", "where"):
            return ANY if value == ANY else self.places[value]
        if arg.kind != "name":
            return value
        if arg.name == "file":
            return self.files[value % len(self.files)]
        return self.process(value) if arg.name == "parent" else f"program{value}"


def possible(verb: str) -> Callable[[Histories], bool]:
    """When `verb` has everybody that it needs."""
    names = {arg.name for arg in VERBS[verb].args if not arg.optional}
    born = VERBS[verb].form == "new" and verb != "file"

    def now(machine: Histories) -> bool:
        return (
            (bool(machine.processes) or not (VERBS[verb].form == "who" or "parent" in names))
            and (bool(machine.files) or "file" not in names)
            and (len(machine.alive()) < PROCESSES_MAX or not born)
            and (len(machine.alive()) > 1 or verb != "exit")
            and (len(machine.files) < 2 or verb != "file")
        )

    return now


def add_rule(verb: str, name: str) -> None:
    """Give the machine a rule for `verb`, with arguments by the table of verbs."""
    args = VERBS[verb].args
    strategies = {f"{arg.name}_": drawn(verb, arg) for arg in args}

    def act(self: Histories, who: int, **values: Any) -> None:
        plain = {key[:-1]: value for key, value in values.items()}
        if "file" in plain and not self.files:
            plain["file"] = None
        self.do(verb, who, plain)

    act.__name__ = act.__qualname__ = name
    made = precondition(possible(verb))(rule(who=st.integers(0, 9), **strategies)(act))
    setattr(Histories, name, made)


for verb in VERBS:
    add_rule(verb, f"rule_{verb}")
for verb in (
    "write",
    "write",
    "mmap",
    "fork",
    "read",
    "mremap",
    "swap_out",
):  # more of what matters
    add_rule(verb, f"rule_{verb}_{len([n for n in vars(Histories) if n.startswith('rule_')])}")


def facts(kernel: Kernel) -> tuple[object, ...]:
    """What no operation may change that was refused before it began, cheap to take."""
    arrays = (kernel.mem_map.columns, kernel.swap.columns, kernel.tables.words)
    versions = {mm.number: mm.version for mm in kernel.mms.values()}
    files = {file.name: file.version for file in kernel.files.values()}
    return *(each.tobytes() for each in arrays), kernel.version, versions, files


def run_machine(phases: tuple[Phase, ...] = SETTINGS.phases) -> None:
    """Run the machine on whatever the kernel is now.

    phases  without shrinking, which takes minutes, the history is made short only by leaving out
            operations

    raises  AssertionError with the shortest history that goes wrong: Hypothesis makes one short,
            then operations go that only its choices needed
    """
    try:
        run_state_machine_as_test(Histories, settings=settings(SETTINGS, phases=phases))
    except AssertionError as error:
        _, _, text = str(error).partition("\n")
        raise AssertionError(
            f"{error}\n\nas short as it gets:\n{shortest(text, AnonGroup)}"
        ) from error


def test_every_verb_has_a_rule() -> None:
    assert {name.split("_", 1)[1] for name in vars(Histories) if name.startswith("rule_")} >= set(
        VERBS
    )


@pytest.mark.slow
def test_no_history_breaks_anything() -> None:
    run_machine()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "fork leaves the parent writable",
        "exit leaks references",
        "swap-out writes no data",
    ],
)
def test_a_mutant_is_found_and_its_history_is_short(name: str) -> None:
    with planted(MUTANTS[name]):
        with pytest.raises(AssertionError, match="as short as it gets") as caught:
            run_machine((Phase.generate,))
        text = str(caught.value).partition("as short as it gets:\n")[2]
        assert run_checked(parse(text), AnonGroup).failures
    assert len([line for line in text.splitlines() if not line.startswith("#")]) <= 6
    assert not run_checked(parse(text), AnonGroup).failures

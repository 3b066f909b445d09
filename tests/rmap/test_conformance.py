"""What every reverse-map design must do: those in DESIGNS, and the one that README.md shows.

A design that is added to DESIGNS is taken in by itself.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from watched import PAGE, A, B, C, state, truth, walked

from anonlab import DESIGNS, Kernel, Places, Rmap, Task, check, parse, scan
from anonlab import rmap as rmap_package
from anonlab.formats.history import Op
from anonlab.histories.run import Outcome, apply, make_kernel, run_on
from anonlab.kernel.syscalls import HALF_DONE
from anonlab.machine.words import PG_ANON
from anonlab.proof import golden
from anonlab.proof.fuzz import MACHINES, history_of, run_checked
from anonlab.proof.shadow import Shadow
from anonlab.rmap.base import COW_RULES

README = Path(rmap_package.__file__).with_name("README.md")
NOPS = 80


def example() -> type[Rmap]:
    """The design that the first Python block of README.md defines."""
    blocks = re.findall(
        r"^```python\n(.*?)^```", README.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert blocks, f"{README.name} shows no design"
    names: dict[str, type[Rmap]] = {}
    exec(compile(blocks[0], str(README), "exec"), names)
    found = [
        value
        for value in names.values()
        if isinstance(value, type) and issubclass(value, Rmap) and value is not Rmap
    ]
    assert len(found) == 1, f"the first block of {README.name} defines {len(found)} designs"
    return found[0]


ALL = {**DESIGNS, "README": example()}


@pytest.fixture(params=ALL)
def design(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[Rmap]:
    """Each design, registered under its name."""
    found = ALL[request.param]
    monkeypatch.setitem(DESIGNS, found.name, found)
    return found


@pytest.fixture
def busy(design: type[Rmap]) -> Kernel:
    """All sorts of pages: shared, private, moved, copies of a file's, on swap, in its cache."""
    kernel = Kernel(design.name)
    libc = kernel.file("libc", 4)
    parent = kernel.spawn("parent")
    parent.mmap(6 * PAGE, at=A)
    parent.write_range(A, range(6))
    parent.mmap(4 * PAGE, at=C, file=libc)
    parent.write_range(C, [70, 71])
    child = parent.fork("child")
    child.write_range(A + PAGE, [11, 12])
    child.mremap(A + 2 * PAGE, 2 * PAGE, new=B)
    grandchild = child.fork("grandchild")
    parent.swap_out(A + 4 * PAGE, 2 * PAGE)
    grandchild.read(A + 4 * PAGE)
    grandchild.write(B, 21)
    child.munmap(A, PAGE)
    parent.fork("other").execve("ls")
    check(kernel)
    return kernel


def anonymous(kernel: Kernel) -> list[int]:
    """Every anonymous page that is mapped."""
    mem = kernel.mem_map
    return np.flatnonzero((mem.mapcount > 0) & ((mem.flags & PG_ANON) != 0)).tolist()


# What a design says of itself


def test_a_design_is_made_by_its_name_and_says_what_it_is(design):
    kernel = Kernel(design.name)
    assert type(kernel.design) is design
    assert kernel.design.cow_rule in COW_RULES
    assert all(small <= large for small, large in design.sizes.values())


@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_of_the_kit_tells_its_year_its_lock_and_what_it_cannot(name):
    found = DESIGNS[name]
    assert found.name == name
    assert str(found.year) in (sys.modules[found.__module__].__doc__ or "")
    assert found.lock
    assert found.__doc__
    assert all(found.cannot.values()), "and why"


@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_of_the_kit_has_golden_counts(name):
    """Random histories do not see a longer way to the same pages: only counts do."""
    for counts in ("PREFORK", "IN_PLACE", "FORK_CHAIN"):
        assert name in getattr(golden, counts), f"anonlab/proof/golden.py: {counts} lacks {name}"
    assert golden.faults(DESIGNS[name]) == []


class EveryMm(example()):
    """What the least design does: it names every live address space, related or not."""

    name, exact = "every_mm", False

    def __init__(self, **options):
        super().__init__(**options)
        self.live: list[int] = []

    def new_mm(self, mm):
        self.live.append(mm.number)

    def fork_mm(self, child, parent):
        self.live.append(child.number)

    def drop_mm(self, mm):
        self.live.remove(mm.number)

    def candidates(self, pfn):
        _, vpns, _ = super().candidates(pfn)
        places = [(mm, vpn) for mm in self.live for vpn in dict.fromkeys(vpns.tolist())]
        return Places(*np.array(places, dtype=np.int64).T)


@pytest.mark.parametrize("number", range(len(MACHINES)))
def test_a_design_that_names_every_address_space_is_right_and_pays(number):
    tally = run_checked(history_of(1, number, NOPS), EveryMm)
    assert tally.failures == []
    assert tally.candidates > 1.5 * tally.mappings


def test_a_design_that_promises_to_stay_in_the_family_is_held_to_it():
    class Liar(EveryMm):
        stays_in_family = True

    strangers = parse("a = spawn\na mmap 0x30000 1\na write 0x30000 7\nb = spawn\n")
    assert run_checked(strangers, EveryMm).failures == []
    (failure,) = run_checked(strangers, Liar).failures
    assert failure.splitlines()[-1].endswith("though every_mm says stays_in_family")


def test_a_design_serves_one_kernel(design):
    one = design()
    Kernel(one)
    with pytest.raises(ValueError, match="belongs to another kernel"):
        Kernel(one)


# Random histories


@pytest.mark.parametrize("number", range(len(MACHINES)))
def test_random_histories_break_nothing(design, number):
    """After every operation: all invariants, the walk against the scan, memory against the shadow,
    page identity, and no trace of what failed. A design that promises it names nothing else."""
    tally = run_checked(history_of(1, number, NOPS), design)
    assert tally.failures == []
    assert tally.operations == NOPS
    assert tally.mappings > 0
    assert tally.candidates >= tally.mappings
    if design.exact:
        assert tally.candidates == tally.mappings


LEVELS = ("bytes32", "bytes64")
"""Counters that fall again."""


@pytest.mark.parametrize("number", [0, 3])
def test_counters_never_fall_and_nothing_is_given_back_twice(design, number):
    history = history_of(2, number, NOPS)
    kernel = make_kernel(history, design())
    before = dict(kernel.design.cost.items())

    def grown(op: Op, outcome: Outcome) -> None:
        now = dict(kernel.design.cost.items())
        fallen = [name for name in now if name not in LEVELS and now[name] < before[name]]
        assert not fallen, (op, fallen)
        assert min(now.values()) >= 0, op
        assert now["frees"] <= now["allocs"], op
        assert now["unlinks"] <= now["links"], op
        assert now["hits"] <= now["probes"], op
        before.update(now)

    run_on(kernel, history, after=grown)
    assert before["copies_cow"] > 0


@pytest.mark.parametrize("number", range(len(MACHINES)))
def test_after_the_last_exit_nothing_is_left(design, number):
    history = history_of(3, number, NOPS)
    kernel = make_kernel(history, design())
    run_on(kernel, history)
    for task in kernel.processes.values():
        if task.alive:
            task.exit()
    for file in list(kernel.files.values()):
        kernel.truncate(file, 0)
    check(kernel)
    nodes, edges = kernel.design.graph()
    assert (nodes, edges, list(kernel.design.mapping_names())) == ([], [], [])
    cost = kernel.design.cost
    assert (cost.allocs - cost.frees, cost.bytes32, cost.bytes64) == (0, 0, 0)
    assert (kernel.mem_map.nfree, kernel.tables.nused) == (kernel.mem_map.nframes - 1, 0)
    assert kernel.swap.nused == 0


# The walk


def test_a_walk_finds_what_a_scan_of_all_page_tables_finds(busy):
    pfns = anonymous(busy)
    assert len(pfns) >= 12
    for pfn in pfns:
        _, _, mappers = walked(busy, pfn)
        assert mappers == sorted(truth(busy, pfn))
        assert len(mappers) == busy.mem_map.mapcount[pfn]


def test_candidates_are_places_without_repetition_and_asking_changes_nothing(busy):
    before, cost = state(busy), busy.design.cost.items()
    for pfn in anonymous(busy):
        mms, vpns, nodes = busy.design.candidates(pfn)
        assert (mms.dtype, vpns.dtype, mms.shape) == (np.int64, np.int64, vpns.shape)
        assert len(set(zip(mms.tolist(), vpns.tolist(), strict=True))) == mms.size
        assert set(mms.tolist()) <= set(busy.mms), "dead address spaces have no page tables"
        assert nodes is None or (nodes.size == mms.size + 1 and (np.diff(nodes) >= 0).all())
    assert (state(busy), busy.design.cost.items()) == (before, cost)


def test_asking_whether_pages_may_move_changes_nothing(busy):
    before, cost = state(busy), busy.design.cost.items()
    found = scan(busy)
    for mm in busy.mms.values():
        for vma in mm.vmas:
            mine = found.present & (found.mms == mm.number)
            mine &= (found.vpns >= vma.start_vpn) & (found.vpns < vma.end_vpn)
            pages = np.isin(found.pfns[mine], anonymous(busy))
            pfns, vpns = found.pfns[mine][pages], found.vpns[mine][pages]
            copied = busy.design.move(pfns, vma, vpns)
            assert (copied.dtype, copied.shape) == (np.bool_, pfns.shape)
    assert (state(busy), busy.design.cost.items()) == (before, cost)


def test_early_stop_saves_probes_and_finds_the_same(design):
    kernel = Kernel(design())
    parent = kernel.spawn("parent")
    parent.mmap(PAGE, at=A)
    parent.write(A, 1)
    for n in range(4):
        parent.fork(f"c{n}").write(A, n)
    pfn = parent.page(A).pfn
    stopped = walked(kernel, pfn)
    kernel.design.early_stop = False
    whole = walked(kernel, pfn)
    assert stopped[2] == whole[2] == [("parent", A)]
    assert stopped[0] <= whole[0]
    assert stopped[1] <= whole[1]


# Pictures


def test_the_graph_has_no_loose_ends_and_every_home_is_in_it(busy):
    nodes, edges = busy.design.graph()
    ids = [node.id for node in nodes]
    assert len(set(ids)) == len(ids)
    assert {end for edge in edges for end in (edge.tail, edge.head)} <= set(ids)
    homes = {busy.design.home(mm) for mm in busy.mms.values()} - {""}
    assert homes <= set(ids)
    assert (nodes, edges) == busy.design.graph(), "the same whenever it is asked"


@pytest.mark.parametrize("name", DESIGNS)
def test_every_page_of_a_design_of_the_kit_names_an_object_that_has_a_name(name):
    kernel = Kernel(name)
    parent = kernel.spawn("parent")
    parent.mmap(2 * PAGE, at=A)
    parent.write_range(A, [1, 2])
    parent.fork("child").write(A, 3)
    named = dict(kernel.design.mapping_names())
    assert len(set(named.values())) == len(named)
    for pfn in anonymous(kernel):
        mapping = int(kernel.mem_map.mapping[pfn])
        assert mapping in named or mapping == 0, f"pfn {pfn} names {mapping}"


# Ranges


def touched(p: Task) -> None:
    p.mmap(N * PAGE, at=A)


def written(p: Task) -> None:
    touched(p)
    p.write_range(A, range(N))


def shared(p: Task) -> None:
    written(p)
    p.fork("child").fork("grandchild")


def on_swap(p: Task) -> None:
    shared(p)
    p.swap_out(A, N * PAGE)


def in_the_swap_cache(p: Task) -> None:
    on_swap(p)
    child = p.kernel.processes["child"]
    child.mremap(A, N * PAGE, new=B)
    child.read_range(B, N * PAGE)


def of_a_file(p: Task) -> None:
    p.mmap(N * PAGE, at=A, file=p.kernel.file("f", N))
    p.write_range(A + PAGE, [1, 2])
    p.fork("child")


N = 6
CALLS: dict[str, Callable[[Task, int, int], object]] = {
    "read": lambda p, at, n: p.read_range(at, n * PAGE),
    "write": lambda p, at, n: p.write_range(at, range(n)),
    "swap_out": lambda p, at, n: p.swap_out(at, n * PAGE),
    "madvise": lambda p, at, n: p.madvise(at, n * PAGE),
    "pin": lambda p, at, n: p.pin(at, n * PAGE),
}
"""Calls that leave VMAs alone: page by page, the others cut them into pieces, and pay for that."""
STARTS = (touched, written, shared, on_swap, in_the_swap_cache, of_a_file)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.__name__)
def test_a_range_costs_what_its_pages_cost_one_at_a_time(design, start, call):
    costs = []
    for step in (N, 1):
        kernel = Kernel(design())
        p = kernel.spawn("p")
        start(p)
        for page in range(0, N, step):
            CALLS[call](p, A + page * PAGE, step)
        costs.append(dict(kernel.design.cost.items()))
    assert costs[0] == costs[1]


# All designs together


def errno(outcome: Outcome) -> str:
    """'' or what happened to the process: 'ENOMEM', 'SIGSEGV', …"""
    return outcome.error.split(": ")[1] if outcome.error else ""


def differs_by_rule(op: Op, outcomes: list[Outcome]) -> bool:
    """True if designs may end `op` so differently. One may need frames that another does not
    (ENOMEM); and VMAs that merge under one may stay two under another, where mremap of a range over
    both is an error (EFAULT)."""
    kinds = {errno(outcome) for outcome in outcomes} - {""}
    return kinds == {"ENOMEM"} or (op.verb == "mremap" and kinds <= {"ENOMEM", "EFAULT"})


SEEN = ("read", "mmap", "mremap", "brk")
"""Calls whose value a program sees, and that no design may change."""


def together(number: int) -> tuple[int, set[str]]:
    """Run one history under all designs at once, up to the first operation that ends differently;
    return how many operations that were, and which errors ended it."""
    history = history_of(4, number)
    kernels = [make_kernel(history, made()) for made in ALL.values()]
    shadow = Shadow(kernels[0])
    ended: set[str] = set()
    done = 0
    for op in history.ops:
        done += 1
        outcomes = [apply(kernel, op) for kernel in kernels]
        shadow.follow(op, outcomes[0])
        errors = [errno(outcome) for outcome in outcomes]
        half = [HALF_DONE in outcome.error for outcome in outcomes]
        if any(half):  # what today's kernel has done before it failed stays: it is another memory
            kernels = [kernel for kernel, some in zip(kernels, half, strict=True) if not some]
            ended = {"half done"}
            break
        if len(set(errors)) > 1:
            assert differs_by_rule(op, outcomes), (op, [outcome.error for outcome in outcomes])
            alike = [error == errors[0] for error in errors]
            kernels = [kernel for kernel, same in zip(kernels, alike, strict=True) if same]
            ended = set(errors) - {""}
            break
        if op.verb in SEEN:
            assert all(outcome.value == outcomes[0].value for outcome in outcomes), op
    for kernel in kernels:
        assert shadow.compare(kernel, scan(kernel)) == []
    return done, ended


@pytest.mark.slow
def test_all_designs_show_programs_the_same_memory():
    """One history, one memory: all values read, all addresses, all contents in the end. What may
    differ is told above; where it does, the history ends."""
    roomy = [8 * n + machine for n in range(8) for machine in (0, 1)]
    short = [2, 3, 4, 5, 6, 7]
    found = [together(number) for number in (*roomy, *short)]
    assert sum(done for done, _ in found) > 3000
    assert {error for _, ended in found for error in ended} == {
        *("ENOMEM", "EFAULT"),
        "half done",
    }

"""A recorded step keeps what changed, and its snapshot is the one taken beside it, however read."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from anonlab import DESIGNS, Kernel, Recorder, Trace
from anonlab.formats.deltas import KEY_STEPS, NEAR
from anonlab.formats.history import History
from anonlab.formats.snapshot import Snapshot
from anonlab.histories.generate import generate
from anonlab.histories.run import make_kernel, run_on
from anonlab.machine.words import X86_64, Vpns
from anonlab.mm import Mm
from anonlab.recording.changes import SMALL
from anonlab.recording.snapshot import snapshot
from anonlab.rmap import AnonGroupOptions, AnonMm, AnonVmaChain, PteChain, Rmap


class Beside(Recorder):
    """Takes a whole snapshot beside every step."""

    def __init__(self, kernel: Kernel, walks: bool | None = None) -> None:
        super().__init__(kernel, walks)
        self.whole = [snapshot(kernel, self.walks)]

    def step(self, label: str, process: str, vpns: Sequence[int] | Vpns, n: int, what: str) -> None:
        super().step(label, process, vpns, n, what)
        self.whole.append(snapshot(self.kernel, self.walks))


def recorded(
    history: History, design: str | Rmap, walks: bool | None = None
) -> tuple[Trace, list[Snapshot]]:
    kernel = make_kernel(history, design)
    with Beside(kernel, walks) as recorder:
        run_on(kernel, history)
    return recorder.trace(), recorder.whole


def same(one: Snapshot, other: Snapshot) -> bool:
    return one == other and one.walks == other.walks


def differing(trace: Trace, whole: list[Snapshot]) -> list[tuple[int, str]]:
    assert len(trace.steps) == len(whole)
    pairs = enumerate(zip(trace.steps, whole, strict=True))
    return [(at, step.label) for at, (step, taken) in pairs if not same(step.snapshot, taken)]


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("seed", range(6))
def test_what_changed_adds_up_to_the_snapshot_beside_every_step(design: str, seed: int) -> None:
    """All verbs, swap, files, pins, threads and failures; every second history with walks."""
    sizes: dict[str, Any] = {"frames": 24, "swap": 12} if seed % 3 else {"faulty": 0.2}
    trace, whole = recorded(generate(seed, 150, **sizes), design, walks=seed % 2 == 0)
    assert differing(trace, whole) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: AnonGroupOptions(owner="mm", rehome_on_reuse=True, early_stop=False),
        lambda: AnonMm(chained=True),
        lambda: AnonMm(rehome_on_mremap=True, rehome_on_reuse=True),
        lambda: AnonVmaChain(avc_reuse=False, walk_order="head"),
        lambda: PteChain(nrpte=1),
    ],
    ids=["home", "chained", "rehome", "no reuse", "one pointer"],
)
@pytest.mark.parametrize("seed", range(2))
def test_options_of_designs_count_their_changes_too(make: Callable[[], Rmap], seed: int) -> None:
    assert differing(*recorded(generate(seed, 150, frames=24, swap=12), make(), True)) == []


@pytest.mark.parametrize("design", DESIGNS)
def test_four_levels_and_frames_that_nobody_looks_at(design: str) -> None:
    """The machine has more frames than are compared, and comes to use more than those."""
    kernel = Kernel(design, frames=3 * SMALL, swap=2 * SMALL, geometry=X86_64)
    with Beside(kernel) as recorder:
        a = kernel.spawn("a")
        heap = a.mmap((SMALL + 100) * 4096)
        a.write_range(heap, range(100))
        b = a.fork("b")
        a.write_range(heap, range(SMALL + 100))
        b.write(heap, 3)
        a.swap_out(heap, 50 * 4096)
        a.munmap(heap, SMALL * 4096)
        a.read(heap + SMALL * 4096)
        a.exit()
    assert kernel.mem_map.high_pfn > SMALL
    assert differing(recorder.trace(), recorder.whole) == []


def test_page_referenced_puts_chains_in_order() -> None:
    kernel = Kernel("pte_chain")
    with Beside(kernel, walks=True) as recorder:
        a = kernel.spawn("a")
        heap = a.mmap(4096)
        a.write(heap, 1)
        a.fork("b").exit()
        page = a.page(heap)
        assert page is not None
        kernel.page_referenced(page.pfn)
        kernel.spawn("c")
    assert differing(recorder.trace(), recorder.whole) == []


class Family(Rmap):
    """A design from elsewhere, which never counts its changes."""

    name = "family"

    def __init__(self) -> None:
        super().__init__()
        self.mms: list[int] = []

    def new_mm(self, mm: Mm) -> None:
        self.mms.append(mm.number)
        mm.rmap = self

    def fork_mm(self, child: Mm, parent: Mm) -> None:
        self.new_mm(child)

    def home(self, mm: Mm) -> str:
        return f"one of {len(self.mms)}"

    def mapping_names(self) -> list[tuple[int, str]]:
        return [(mm, f"mm {mm}") for mm in self.mms]


def test_a_design_that_does_not_count_its_changes_is_asked_every_time() -> None:
    kernel = Kernel(Family())
    with Beside(kernel) as recorder:
        shell = kernel.spawn("shell")
        kernel.design.mms.append(9)  # type: ignore[attr-defined]
        shell.mmap(4096)
        kernel.spawn("another")
    assert differing(recorder.trace(), recorder.whole) == []
    assert recorder.trace().steps[2].snapshot.mappings == ((1, "mm 1"), (9, "mm 9"))


@pytest.fixture(scope="module")
def long() -> tuple[Trace, list[Snapshot]]:
    return recorded(generate(3, 1200, frames=24, swap=12), "anon_vma_chain", walks=False)


def test_steps_are_the_same_read_backwards_and_at_random(
    long: tuple[Trace, list[Snapshot]],
) -> None:
    trace, whole = pickle.loads(pickle.dumps(long[0])), long[1]
    assert len(whole) > 4 * KEY_STEPS
    for at in reversed(range(len(whole))):
        assert same(trace.steps[at].snapshot, whole[at]), at
    trace = pickle.loads(pickle.dumps(long[0]))
    for at in random.Random(1).choices(range(len(whole)), k=400):
        assert same(trace.steps[at].snapshot, whole[at]), at


def test_steps_in_another_order_and_out_of_another_trace_are_still_themselves(
    long: tuple[Trace, list[Snapshot]],
) -> None:
    trace, whole = long
    other, taken = recorded(generate(4, 30), "anongroup")
    mixed = Trace("mixed", (trace.steps[900], other.steps[9], trace.steps[3], trace.steps[4]))
    expected = [whole[900], taken[9], whole[3], whole[4]]
    assert [step.snapshot for step in mixed.steps] == expected
    again = Trace.loads(mixed.dumps())
    assert again == mixed
    assert again.dumps() == mixed.dumps()


def test_who_holds_a_snapshot_gets_the_same_one_again(long: tuple[Trace, list[Snapshot]]) -> None:
    steps = long[0].steps
    held = steps[5].snapshot
    for step in steps[6 : 20 + NEAR]:
        assert step.snapshot is step.snapshot
    assert steps[5].snapshot is held


def test_a_trace_does_not_change_when_more_is_recorded() -> None:
    kernel = Kernel()
    with Recorder(kernel) as recorder:
        shell = kernel.spawn("shell")
        shell.write(shell.mmap(4096), 7)
        trace = recorder.trace()
        text = trace.dumps()
        shell.fork("child").exit()
        assert len(recorder.trace().steps) > len(trace.steps)
        assert trace.dumps() == text

"""Random histories held against the truth: brute-force scan, invariants, shadow memory, a witness
of what changes over time, and machines that run out of everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from anonlab.check import check
from anonlab.formats.history import History, Machine, Op
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.formats.snapshot import FRAME_COLUMNS
from anonlab.histories.generate import generate
from anonlab.histories.run import Outcome, apply, make_kernel
from anonlab.histories.shadow import Shadow
from anonlab.histories.shrink import shrink
from anonlab.histories.witness import Witness
from anonlab.rmap import DESIGNS, Rmap
from anonlab.scan import scan

OPS_PER_HISTORY = 200
SHRUNK = 3
"""So many failures of a design are made as short as possible; one is enough to start with."""
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
    """What the histories of one design showed. `failures` holds the histories that went wrong, as
    text up to the operation that showed it, with what was wrong as a comment."""

    operations: int = 0
    violations: int = 0
    missed: int = 0
    mismatches: int = 0
    candidates: int = 0
    mappings: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add the numbers of `other`."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True)
class Report:
    """The tallies of all designs; `to_json` is what `anonlab verify --json` prints."""

    seed: int
    operations: int
    tallies: dict[str, Tally]

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "seed": self.seed,
            "operations": self.operations,
            "designs": {
                name: {
                    "violations": tally.violations,
                    "missed": tally.missed,
                    "candidates_per_mapping": round(tally.candidates / max(tally.mappings, 1), 3),
                }
                for name, tally in self.tallies.items()
            },
            "content_mismatches": sum(tally.mismatches for tally in self.tallies.values()),
        }

    @property
    def failures(self) -> list[str]:
        """The histories that went wrong, as text."""
        return [text for tally in self.tallies.values() for text in tally.failures]


_PROCESS = attrgetter("name", "pid", "parent", "mm", "program")
_SPACE = attrgetter("number", "pgd", "brk", "rmap")
_AREA = attrgetter(
    *("start_vpn", "end_vpn", "prot", "shared", "file", "pgoff", "locked", "growsdown")
)

Job = tuple[str, int, int, int]
"""(design, seed, number of the history, operations in it)."""


def verify(
    designs: str = "all",
    operations: int = 10_000,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Run `operations` random operations under each design, checking everything after every one.

    designs   a name, several joined by commas, or 'all'
    seed      of the first history; the others follow from it
    progress  called with (histories done, histories in all)
    raises    ValueError for an unknown design, or less than one operation
    """
    names = list(DESIGNS) if designs == "all" else [name.strip() for name in designs.split(",")]
    unknown = [name for name in names if name not in DESIGNS]
    if unknown:
        raise ValueError(f"design is 'all' or some of {', '.join(DESIGNS)}; got {unknown[0]!r}")
    if operations < 1:
        raise ValueError(f"operations must be >= 1, got {operations}")
    sizes = [OPS_PER_HISTORY] * (operations // OPS_PER_HISTORY)
    if operations % OPS_PER_HISTORY:
        sizes.append(operations % OPS_PER_HISTORY)
    jobs = [(name, seed, number, size) for name in names for number, size in enumerate(sizes)]
    tallies = {name: Tally() for name in names}
    with _workers(min(_ncpus(), len(jobs))) as results:
        for done, (job, tally) in enumerate(zip(jobs, results(jobs), strict=True), 1):
            tallies[job[0]].add(tally)
            if progress is not None:
                progress(done, len(jobs))
    for name, tally in tallies.items():
        shown = [shortest(text, DESIGNS[name]) for text in tally.failures[:SHRUNK]]
        tally.failures[:SHRUNK] = shown
    return Report(seed, operations, tallies)


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
    checked = Checked(history, design(), tally)
    for number, op in enumerate(history.ops):
        try:
            checked.do(op)
        except Exception as error:  # noqa: BLE001  a crash is a finding too, and wants its history
            tally.violations += 1
            tally.missed += str(error).startswith("the walk for pfn") and "misses" in str(error)
            prefix = replace(history, ops=history.ops[: number + 1])
            tally.failures.append(f"{history_text(prefix)}# {_sentence(error)}\n")
            break
    return tally


def shortest(text: str, design: Callable[[], Rmap]) -> str:
    """Return the failure `text` with as few operations as still go wrong."""
    history = shrink(parse(text), lambda shorter: bool(run_checked(shorter, design).failures))
    failures = run_checked(history, design).failures
    return failures[0] if failures else text


class Checked:
    """A kernel on which everything is checked after every operation.

    history  says what the machine is like; its operations are not run
    tally    is told what the checks counted
    """

    def __init__(self, history: History, design: Rmap, tally: Tally) -> None:
        self.kernel = make_kernel(history, design)
        self.shadow = Shadow(self.kernel)
        self.witness = Witness(self.kernel, scan(self.kernel))
        self.tally = tally
        self.state = self._state()

    def do(self, op: Op) -> Outcome:
        """Do `op` and return how it ended.

        raises  AssertionError if an invariant of `check` or a rule of the witness is broken, if
                memory differs from the shadow, or if `op` failed and left a trace
        """
        outcome = apply(self.kernel, op)
        before, self.state = self.state, self._state()
        self.tally.operations += 1
        truth = scan(self.kernel)
        walks = check(self.kernel, truth=truth)
        self.tally.candidates += walks.candidates
        self.tally.mappings += walks.mappings
        self.shadow.follow(op, outcome)
        wrong = self.shadow.compare(self.kernel, truth)
        self.tally.mismatches += len(wrong)
        assert not wrong, wrong[0]
        if outcome.error:
            assert self.state == before, f"the machine changed, though: {outcome.error}"
        self.witness.see(op, outcome, truth)
        return outcome

    def _state(self) -> tuple[object, ...]:
        """Return all that a snapshot shows, without the cost of looking for things, and pins: raw,
        because only a failed operation has it compared."""
        kernel = self.kernel
        mem, swap = kernel.mem_map, kernel.swap
        frames = (getattr(mem, name) for name in FRAME_COLUMNS)
        return (
            [column.tobytes() for column in (*frames, swap.map, swap.data, swap.cache)],
            kernel.tables.words.tobytes(),
            [_PROCESS(task) for task in kernel.processes.values()],
            [(*_SPACE(mm), [_AREA(vma) for vma in mm.vmas]) for mm in kernel.mms.values()],
            [(file.name, file.npages, file.cache.tobytes()) for file in kernel.files.values()],
            {place: tuple(pfns) for place, pfns in kernel.pins.items()},
            list(kernel.design.mapping_names()),
            kernel.design.graph(),
        )


def _sentence(error: Exception) -> str:
    """Return what was wrong in one line; for a crash, with the kind of error."""
    first = (str(error).splitlines() or [""])[0]
    return first if isinstance(error, AssertionError) else f"{type(error).__name__}: {first}"


# Workers. They are plain Python processes that are told what to do line by line: this works alike
# in scripts, in notebooks and under pytest, whatever start method multiprocessing prefers, and no
# process with threads is forked.


def _ncpus() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextmanager
def _workers(nworkers: int) -> Iterator[Callable[[list[Job]], Iterator[Tally]]]:
    """Yield a function that runs jobs and returns their tallies in order; one worker needs no
    process of its own. Workers end with the block, whatever they are at."""
    if nworkers < 2:
        yield lambda jobs: map(_run_job, jobs)
        return
    with ExitStack() as stack:
        idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
        pool = stack.enter_context(ThreadPoolExecutor(nworkers))
        for _ in range(nworkers):
            worker = stack.enter_context(_start())
            stack.callback(worker.kill)
            idle.put(worker)
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)

        def run(job: Job) -> Tally:
            worker = idle.get()
            try:
                return _ask(worker, job)
            finally:
                idle.put(worker)

        yield lambda jobs: pool.map(run, jobs)


def _start() -> subprocess.Popen[str]:
    """Start a worker that imports this very anonlab."""
    path = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-c", "from anonlab.verify import work; work()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,  # Ctrl-C is for the caller, who then ends the workers
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
    )


def _ask(worker: subprocess.Popen[str], job: Job) -> Tally:
    """Let `worker` do one job."""
    assert worker.stdin is not None, "workers have a standard input"
    assert worker.stdout is not None, "workers have a standard output"
    worker.stdin.write(json.dumps(job) + "\n")
    worker.stdin.flush()
    answer = worker.stdout.readline()
    if not answer:
        raise RuntimeError(f"a worker of verify ended with status {worker.wait()}")
    return Tally(**json.loads(answer))


def work() -> None:
    """Be a worker: read jobs from standard input until it ends, write their tallies."""
    try:
        for line in sys.stdin:
            sys.stdout.write(json.dumps(asdict(_run_job(json.loads(line)))) + "\n")
            sys.stdout.flush()
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(1)  # whoever asked has gone: nothing is left to say


def _run_job(job: Job) -> Tally:
    design, seed, number, size = job
    return run_checked(history_of(seed, number, size), DESIGNS[design])

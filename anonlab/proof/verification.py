"""Random histories held against the truth, designs against each other, checks against mutants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from anonlab.formats.history_text import format as history_text
from anonlab.kernel.syscalls import HALF_DONE
from anonlab.proof import golden
from anonlab.proof.fuzz import OPS_PER_HISTORY, Tally, history_of, run_checked, shortest
from anonlab.proof.mutants import MUTANTS, planted
from anonlab.proof.workers import map_processes
from anonlab.rmap import DESIGNS

SHRUNK = 3
"""So many failures of a design are made as short as possible; one is enough to start with."""
HISTORIES = 300
"""A mutant that survives so many histories is a gap in the checks."""
FEW = 10
Progress = Callable[[int, int], None]

EXPLAINED = (
    ("ENOMEM", "a design that copies more needs more frames"),
    ("ends before that", "VMAs that one design may merge stay two under another (mremap)"),
    (HALF_DONE, "a call that fails has done nothing under one design, and a part under another"),
    ("no VMA there", "a stack that mremap moved up cannot grow below pgoff 0"),
)
"""Errors that one design may give and another not, and why. From there on the histories of the two
take different ways, and are not compared."""


@dataclass(frozen=True)
class Kill:
    """How a mutant died: under which design, in which history (from 1; 0 = it survived), and the
    shortest history that shows it, as text."""

    mutant: str
    design: str
    histories: int
    shortest: str


@dataclass(frozen=True)
class Report:
    """The tallies of all designs; `to_json` is what `anonlab verify --json` prints.

    disagreements  histories in which two designs showed a program different things, as text
    kills          one per mutant; None if mutants were not asked for
    """

    seed: int
    operations: int
    tallies: dict[str, Tally]
    disagreements: tuple[str, ...] = ()
    kills: tuple[Kill, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        plain: dict[str, Any] = {
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
            "content_mismatches": sum(tally.mismatches for tally in self.tallies.values())
            + len(self.disagreements),
        }
        if self.kills is not None:
            died = [kill.histories for kill in self.kills if kill.histories]
            plain["mutants"] = {
                "total": len(self.kills),
                "killed": len(died),
                "survivors": self.survivors,
                "median_histories": median(died) if died else 0,
            }
        return plain

    @property
    def failures(self) -> list[str]:
        """The histories that went wrong, as text."""
        failed = [text for tally in self.tallies.values() for text in tally.failures]
        return failed + list(self.disagreements)

    @property
    def survivors(self) -> list[str]:
        """The mutants that no history killed."""
        return [kill.mutant for kill in self.kills or () if not kill.histories]


class Asked(NamedTuple):
    """One history under every design."""

    seed: int
    number: int
    nops: int


def verify(
    designs: str = "all",
    operations: int = 10_000,
    seed: int = 1,
    progress: Progress | None = None,
    mutants: bool = False,
) -> Report:
    """Run `operations` random operations under each design, checking everything after every one,
    and compare what programs see under each with each.

    designs   a name, several joined by commas, or 'all'
    seed      of the first history; the others follow from it
    progress  called with (histories done, histories in all)
    mutants   also plant every mutant, and see whether histories kill it
    raises    ValueError for an unknown design, or less than one operation
    """
    names = chosen(designs)
    if operations < 1:
        raise ValueError(f"operations must be >= 1, got {operations}")
    asked = histories(seed, operations)
    hunted = list(MUTANTS) if mutants else []
    tick = ticker(progress, len(asked) * len(names) + len(hunted))
    tallies = {name: Tally() for name in names}
    disagreements: list[str] = []
    jobs = [[name, *each] for each in asked for name in names]
    results = tick(map_processes(run, jobs))
    for each in asked:
        for name in names:
            tallies[name].add(next(results))
        outcomes = {name: tally.outcomes for name, tally in tallies.items()}
        disagreements += disagreements_of(each, outcomes)
    for name, tally in tallies.items():
        add_golden(tally, name)
        shown = [shortest(text, DESIGNS[name]) for text in tally.failures[:SHRUNK]]
        tally.failures[:SHRUNK] = shown
    kills = tuple(tick(map_processes(hunt, [[name, seed] for name in hunted])))
    died = kills if mutants else None
    return Report(seed, operations, tallies, tuple(disagreements), died)


def add_golden(tally: Tally, name: str) -> None:
    """Hold a design that random histories find nothing wrong with to its golden counts; each that
    is missed is a violation."""
    if tally.failures:
        return
    faults = golden.faults(DESIGNS[name])
    tally.violations += len(faults)
    tally.failures += faults


def chosen(designs: str) -> list[str]:
    """Return the names of `designs`: 'all', or names joined by commas; ValueError if unknown."""
    names = list(DESIGNS) if designs == "all" else [name.strip() for name in designs.split(",")]
    unknown = [name for name in names if name not in DESIGNS]
    if unknown:
        raise ValueError(f"design is 'all' or some of {', '.join(DESIGNS)}; got {unknown[0]!r}")
    return names


def histories(seed: int, operations: int) -> list[Asked]:
    """Return the histories of a run: equal ones, and what is left."""
    sizes = [OPS_PER_HISTORY] * (operations // OPS_PER_HISTORY)
    if operations % OPS_PER_HISTORY:
        sizes.append(operations % OPS_PER_HISTORY)
    return [Asked(seed, number, size) for number, size in enumerate(sizes)]


def ticker(progress: Progress | None, total: int) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """Return a function that passes results on and counts them, all together, for `progress`."""
    done = 0

    def tick(results: Iterator[Any]) -> Iterator[Any]:
        nonlocal done
        for result in results:
            done += 1
            if progress is not None:
                progress(done, total)
            yield result

    return tick


def disagreements_of(asked: Asked, outcomes: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what two designs showed differently in one history, as text, one for each design that
    differs from the first without a reason."""
    (first, truth), *others = outcomes.items()
    found = []
    for name, seen in others:
        pairs = enumerate(zip(truth, seen, strict=False))
        at = next((at for at, (a, b) in pairs if kind(a) != kind(b)), None)
        if at is None:
            continue
        told = (truth[at], seen[at])
        if not any(word in said for said in told for word, _ in EXPLAINED):
            history = history_of(*asked)
            history = type(history)(history.ops[: at + 1], history.machine, history.title)
            what = f"# {first} shows {told[0] or 'success'!r}, {name} {told[1] or 'success'!r}"
            found.append(f"{history_text(history)}{what}\n")
    return found


def kind(seen: str) -> str:
    """Return what a program sees of an outcome: of an error who, and its errno or signal, but not
    the words, which tell of VMAs that merge under one design only."""
    return ":".join(seen.split(":")[:2])


def run(design: str, seed: int, number: int, nops: int) -> Tally:
    """Be a worker: one history under one design."""
    return run_checked(history_of(seed, number, nops), DESIGNS[design])


def hunt(name: str, seed: int = 1) -> Kill:
    """Plant the mutant `name` and run up to HISTORIES histories until one shows that something is
    wrong; look at the golden counts if the first FEW show nothing."""
    mutant = MUTANTS[name]
    design = DESIGNS[mutant.design]
    with planted(mutant):
        for number in range(HISTORIES):
            if number == FEW and (missed := golden.faults(design)):
                return Kill(name, mutant.design, number + 1, missed[0])
            failures = run_checked(history_of(seed, number), design).failures
            if failures:
                return Kill(name, mutant.design, number + 1, shortest(failures[0], design))
    return Kill(name, mutant.design, 0, "")

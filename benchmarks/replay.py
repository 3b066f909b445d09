"""How fast logs of real programs are replayed with all checks, and how much memory that takes.

    python benchmarks/replay.py                     the anon memory group: faults, and logs
    python benchmarks/replay.py --design all        every design
    python benchmarks/replay.py --lines 60000       a log of so many lines alone
    python benchmarks/replay.py --json              one JSON object
    python benchmarks/replay.py --write x.history   the faults alone, for `anonlab replay`

Both are made by rule, the same each time. **Faults**: a server of some thousand pages maps
libraries, touches its heap and forks workers, and they touch theirs. Most operations are page
faults of one process at ascending addresses, as in the log of a real program with its faults; they
are replayed in groups, as `anonlab replay` does, and one by one. **Lines**: a log of strace without
faults, of a server that maps, unmaps and protects, and forks workers that do so and exit.

Each row is a process of its own. Seconds are its processor time, reading included; memory is the
most that it had (ru_maxrss), of which Python with NumPy takes `started_mb`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # measure the anonlab beside this file

from anonlab import DESIGNS
from anonlab.formats.history import History, Machine, Op
from anonlab.formats.history_text import format as history_text
from anonlab.histories.splitmix import SplitMix64
from anonlab.machine.words import PAGE_SIZE
from anonlab.proof.replaying import read, replay

OPERATIONS = 33_000
HEAP, ARENAS, LIBRARIES = 0x5555_5575_7000, 0x7FFF_C000_0000, 0x7FFF_F000_0000
HEAP_NPAGES, LIBRARY_NPAGES, NLIBRARIES, ARENA_NPAGES = 3000, 400, 6, 96
FAULTS_OF_A_WORKER = 2500
RUN = 22
"""Faults that follow each other upwards, at most."""
LINES = (60_000, 200_000, 1_000_000)
AREAS, MOST_AREAS, MOST_WORKERS = 0x7000_0000_0000, 60, 12
"""Where a log's mappings begin; how many a process, and how many processes a log has at most."""
ARENA_EVERY = 10
"""A worker maps something new each so many runs."""


class Recorded:
    """The operations of a server and its workers, one fault each."""

    def __init__(self, seed: int) -> None:
        self.random = SplitMix64(seed)
        self.narenas = 0

    def operations(self) -> Iterator[Op]:
        """Yield operations without end: the server starts, then one worker after the other."""
        yield Op("spawn", "server", {})
        yield from self.start()
        number = 0
        while True:
            number += 1
            worker = f"worker{number}"
            yield Op("fork", worker, {"parent": "server"})
            yield from self.work(worker, FAULTS_OF_A_WORKER)
            yield from self.work("server", FAULTS_OF_A_WORKER // 10)
            if number > 3:  # some workers are always there
                yield Op("exit", f"worker{number - 3}", {})

    def start(self) -> Iterator[Op]:
        """The server maps its libraries and reads them, and fills its heap."""
        for number in range(NLIBRARIES):
            yield Op("file", f"lib{number}", {"pages": LIBRARY_NPAGES})
            where = {"addr": LIBRARIES + number * LIBRARY_NPAGES * PAGE_SIZE}
            flags = {"prot": "rx", "file": f"lib{number}"}
            yield Op("mmap", "server", {**where, "pages": LIBRARY_NPAGES, **flags})
            yield from self.faults("server", "read", where["addr"], LIBRARY_NPAGES // 4)
        yield Op("mmap", "server", {"addr": HEAP, "pages": HEAP_NPAGES})
        yield from self.faults("server", "write", HEAP, HEAP_NPAGES)

    def work(self, who: str, nfaults: int) -> Iterator[Op]:
        """Write to the heap, read libraries, and map and fill an arena now and then."""
        random, run = self.random, 0
        while nfaults > 0:
            run += 1
            npages = random.between(1, RUN)
            nfaults -= npages
            if run % ARENA_EVERY == 0:
                arena = ARENAS + self.narenas * (ARENA_NPAGES + 1) * PAGE_SIZE
                self.narenas += 1
                yield Op("mmap", who, {"addr": arena, "pages": ARENA_NPAGES})
                yield from self.faults(who, "write", arena, npages)
            elif random.chance(1, 8):
                page = random.below(NLIBRARIES * LIBRARY_NPAGES - RUN)
                yield from self.faults(who, "read", LIBRARIES + page * PAGE_SIZE, npages)
            else:
                page = random.below(HEAP_NPAGES - RUN)
                yield from self.faults(who, "write", HEAP + page * PAGE_SIZE, npages)

    def faults(self, who: str, verb: str, addr: int, npages: int) -> Iterator[Op]:
        """Touch pages upwards, one operation each."""
        for page in range(npages):
            value = {"value": self.random.below(1 << 20)} if verb == "write" else {}
            yield Op(verb, who, {"addr": addr + page * PAGE_SIZE, **value})


def recorded(operations: int, seed: int = 1) -> History:
    """Return a history of so many operations."""
    source = Recorded(seed).operations()
    ops = tuple(op for op, _ in zip(source, range(operations), strict=False))
    return History(ops, Machine("x86_64", 16_384, 64), "a server and its workers")


def log_lines(nlines: int, seed: int = 1) -> Iterator[str]:
    """Yield the lines of a log: a server, pid 1, and workers that come and go."""
    random, free, workers, last = SplitMix64(seed), AREAS, [1], 1
    yield '1 execve("/usr/bin/server", ["server"], 0x7ffd5a /* 9 vars */) = 0\n'
    written = 1
    areas: dict[int, list[tuple[int, int]]] = {1: []}
    while written < nlines:
        pid = workers[random.below(len(workers))]
        mine, choice = areas[pid], random.below(1000)
        if choice < 2 and len(workers) < MOST_WORKERS:
            last += 1
            workers.append(last)
            areas[last] = list(areas[1])
            line = f"1 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = {last}"
        elif choice < 4 and pid != 1:
            workers.remove(pid)
            del areas[pid]
            line = f"{pid} exit_group(0) = ?"
        elif not mine or (choice < 450 and len(mine) < MOST_AREAS):
            size = random.between(1, 16) * PAGE_SIZE
            mine.append((free, size))
            line = (
                f"{pid} mmap(NULL, {size}, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)"
                f" = {free:#x}"
            )
            free += size + PAGE_SIZE
        elif choice < 600:
            start, size = mine[random.below(len(mine))]
            line = f"{pid} mprotect({start:#x}, {size}, PROT_READ|PROT_WRITE) = 0"
        else:
            start, size = mine.pop(random.below(len(mine)))
            line = f"{pid} munmap({start:#x}, {size}) = 0"
        yield f"{line}\n"
        written += 1


def measure(path: Path, design: str, grouped: bool = True) -> dict[str, Any]:
    """Replay `path` with all checks in a process of its own; return what it took."""
    command = [sys.executable, __file__, "--measure", str(path), "--design", design]
    command += [] if grouped else ["--one-by-one"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def measure_here(path: Path, design: str, grouped: bool) -> dict[str, Any]:
    """Replay `path` with all checks; return what it took this process."""
    started = peak_mb()
    start = time.process_time()
    read(path, design)
    reading = time.process_time() - start
    start = time.process_time()
    report = replay(path, design, grouped=grouped)
    seconds = time.process_time() - start
    return {
        "design": design,
        "lines": report.lines,
        "operations": len(report.history.ops),
        "grouped": grouped,
        "cpu_seconds": round(seconds, 3),
        "operations_per_second": round(len(report.history.ops) / max(seconds - reading, 1e-9)),
        "peak_mb": round(peak_mb()),
        "started_mb": round(started),
        "violations": len(report.violations),
    }


def peak_mb() -> float:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rows_of(options: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """Write what is to be replayed, replay it, and yield a row for each."""
    names = list(DESIGNS) if options.design == "all" else [options.design]
    path = folder / "server"
    if not options.lines:
        path.write_text(history_text(recorded(options.operations)))
        for name in names:
            for grouped in (True, False):
                yield {"what": "faults", **measure(path, name, grouped)}
    for nlines in options.lines or LINES:
        with path.open("w") as file:
            file.writelines(log_lines(nlines))
        for name in names:
            yield {"what": "lines", **measure(path, name)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--operations", type=int, default=OPERATIONS, help="of faults")
    parser.add_argument("--lines", type=int, action="append", help="a log of so many lines alone")
    parser.add_argument("--design", choices=(*DESIGNS, "all"), default="anongroup")
    parser.add_argument("--write", type=Path, metavar="PATH", help="write the history, and end")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--one-by-one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if min(options.operations, *(options.lines or [1])) < 1:
        parser.error("--operations and --lines must be >= 1")
    if options.write:
        options.write.write_text(history_text(recorded(options.operations)))
        return
    if options.measure:
        print(json.dumps(measure_here(options.measure, options.design, not options.one_by_one)))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for row in rows_of(options, Path(folder)):
            rows.append(row)
            if not options.json:
                print(
                    f"{row['design']:16}{row['what']:7}{row['lines']:10,} lines "
                    f"{row['operations']:10,} operations {row['cpu_seconds']:8.2f} s "
                    f"{row['operations_per_second']:8,} a second {row['peak_mb']:6,} MB "
                    f"{'grouped' if row['grouped'] else 'one by one'}, "
                    f"{row['violations']} violations",
                    flush=True,
                )
    if options.json:
        print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()

"""How many operations a second does a checked replay of a recorded program run?

    python benchmarks/replay.py                  a table
    python benchmarks/replay.py --json           one JSON object
    python benchmarks/replay.py --write x.history   the history alone, for `anonlab replay`

The history is made by rule, the same each time: a server of some thousand pages maps libraries,
touches its heap and forks workers, and they touch theirs. Most operations are page faults of one
process at ascending addresses, as in the log of a real program with its faults. Time is processor
time of this process; reading the file is left out of the rate.
"""

from __future__ import annotations

import argparse
import json
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


def measure(path: Path, design: str) -> dict[str, Any]:
    """Replay `path` with all checks; return what it took."""
    start = time.process_time()
    read(path, design)
    reading = time.process_time() - start
    start = time.process_time()
    report = replay(path, design)
    seconds = time.process_time() - start - reading
    return {
        "design": design,
        "operations": report.operations,
        "seconds": round(seconds, 3),
        "operations_per_second": round(report.operations / seconds),
        "violations": len(report.violations),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--operations", type=int, default=OPERATIONS)
    parser.add_argument("--design", choices=(*DESIGNS, "all"), default="anongroup")
    parser.add_argument("--write", type=Path, metavar="PATH", help="write the history, and end")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.operations < 1:
        parser.error(f"--operations must be >= 1, got {options.operations}")
    text = history_text(recorded(options.operations))
    if options.write:
        options.write.write_text(text)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.history"
        path.write_text(text)
        names = list(DESIGNS) if options.design == "all" else [options.design]
        rows = [measure(path, name) for name in names]
    if options.json:
        print(json.dumps({"rows": rows}))
        return
    for row in rows:
        rate = f"{row['operations_per_second']:7,} operations a second"
        print(f"{row['design']:16}{rate}, {row['violations']} violations")


if __name__ == "__main__":
    main()

"""One more operation on a bench, after few and after many: `anonlab.explore()`.

``python benchmarks/explore.py [--json]``, in the project's folder. The time is Python's, from a
line to what goes to the browser: parsed, run, recorded, drawn. It is CPU time, that of `dot`
included, and time by the clock. The budget is 150 ms at any length.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable

from anonlab import explore
from anonlab.formats.history_text import format as history_text
from anonlab.histories.generate import generate
from anonlab.notebook.workbench import Workbench

LENGTHS = (1, 300, 3000)
"""Operations that are there before."""
TIMES = 40
FAMILY = "shell = spawn\nshell mmap 0x30000 4\nshell write 0x30000 7 2\nchild = fork shell\n"


def cpu() -> float:
    """Return the CPU time of this process and its children so far, in s."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Return how many ms `act` took: of CPU, by the clock."""
    start, used = time.perf_counter(), cpu()
    act()
    return (cpu() - used) * 1000, (time.perf_counter() - start) * 1000


def told(times: list[tuple[float, float]]) -> dict[str, float]:
    """Return median and 95th percentile of both."""
    out = {}
    for name, column in zip(("cpu", "clock"), zip(*times, strict=True), strict=True):
        out[f"{name}_median_ms"] = round(statistics.median(column), 1)
        out[f"{name}_p95_ms"] = round(statistics.quantiles(column, n=20)[-1], 1)
    return out


def measure(bench: Workbench, who: str, compare: bool) -> dict[str, dict[str, float]]:
    """Measure writes of `who`, undo, redo, a line that fails and a look at an early operation."""
    if compare:
        bench.compare("anon_vma_chain")
    bench.do(f"{who} mmap 0x70000 1", keep=True)
    acts: dict[str, Callable[[int], object]] = {
        "operation": lambda n: bench.do(f"{who} write 0x70000 {n + 1}", keep=True),
        "undo": lambda n: bench.undo(),
        "redo": lambda n: bench.redo(),
        "failing_line": lambda n: bench.do(f"{who} write 0xe0000 1"),
        "look_back": lambda n: bench.show(n * len(bench.history.ops) // TIMES),
    }
    return {name: told([timed(lambda n=n, act=act: act(n)) for n in range(TIMES)])  # type: ignore[misc]
            for name, act in acts.items()}  # fmt: skip


def benches(length: int) -> dict[str, Workbench]:
    """Return benches with `length` operations: a small family that writes, random processes."""
    rest = "child write 0x30000 1\nshell write 0x31000 2\n" * (max(length - 4, 0) // 2)
    random = history_text(generate(3, length - 1, frames=32, swap=8)) if length > 1 else ""
    return {
        "family": explore((FAMILY if length > 1 else "shell = spawn\n") + rest),
        "random": explore(random + "shell = spawn\n"),
    }


def main() -> None:
    """Measure and print: a table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json = parser.parse_args().json
    out = {}
    for length in LENGTHS:
        for name, bench in benches(length).items():
            out[f"{name} {length}"] = measure(bench, "shell", compare=False)
        out[f"compared {length}"] = measure(benches(length)["family"], "shell", compare=True)
    if as_json:
        print(json.dumps(out))
        return
    print(f"{'ms':31}{'CPU':>6} {'p95':>7} {'clock':>9} {'p95':>7}")
    for name, acts in out.items():
        for act, times in acts.items():
            cpu_median, cpu_p95, median, p95 = times.values()
            print(f"{name:16} {act:13}{cpu_median:7} {cpu_p95:7} {median:9} {p95:7}")


if __name__ == "__main__":
    main()

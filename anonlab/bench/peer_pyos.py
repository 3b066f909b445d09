"""The yardstick's steps on PyOS, a simulated operating system for learners, where it is installed.

Run as a program of its own by any Python, with the sizes and the number of repetitions as
arguments; prints one JSON object: version and rows, or the reason why there are none. Nothing of
anonlab is imported, because PyOS may live in another Python than anonlab.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
from importlib.metadata import PackageNotFoundError, metadata
from time import perf_counter_ns

DISTRIBUTIONS = ("pyos-learn", "fromscratch-pyos")
"""Names under which the package `py_os` has been published."""
PAGE_SIZE = 256
"""Bytes of a page there."""


def find() -> tuple[str, str]:
    """Return name and version of the distribution; LookupError with the reason if none will do."""
    for name in DISTRIBUTIONS:
        try:
            found = metadata(name)
        except PackageNotFoundError:
            continue
        wanted = (found["Requires-Python"] or "").removeprefix(">=")
        have = platform.python_version()
        if wanted and tuple(map(int, have.split(".")[:2])) < tuple(map(int, wanted.split(".")[:2])):
            raise LookupError(
                f"{name} {found['Version']} needs Python {wanted} or newer, this is {have}"
            )
        return name, str(found["Version"])
    raise LookupError(f"not installed (neither {' nor '.join(DISTRIBUTIONS)})")


def repetition(pages: int) -> dict[str, float]:
    """Go through the steps once; return ns per page."""
    from py_os.kernel import Kernel  # type: ignore[import-not-found]

    kernel = Kernel(total_frames=2 * pages + 64)
    kernel.boot()
    parent = kernel.create_process(name="bench", num_pages=pages)
    memory = parent.virtual_memory

    def write(data: bytes) -> None:
        for addr in range(0, pages * PAGE_SIZE, PAGE_SIZE):
            memory.write(virtual_address=addr, data=data)

    spent = {"first_touch": timed(write, b"1")}
    start = perf_counter_ns()
    child = kernel.fork_process(parent_pid=parent.pid)
    spent["fork"] = perf_counter_ns() - start
    spent["cow_copy"] = timed(write, b"2")
    seen = (
        child.virtual_memory.read(virtual_address=0, size=1),
        memory.read(virtual_address=0, size=1),
    )
    if seen != (b"1", b"2"):
        raise AssertionError(f"no copy on write was measured: child and parent read {seen}")
    return {step: ns / pages for step, ns in spent.items()}


def timed(action: object, *args: object) -> int:
    """Call `action`; return the nanoseconds it took."""
    start = perf_counter_ns()
    action(*args)  # type: ignore[operator]
    return perf_counter_ns() - start


def measured(sizes: list[int], repetitions: int) -> dict[str, object]:
    """Return version and rows, the first repetition of each size discarded; or the reason."""
    try:
        name, version = find()
        rows = []
        for pages in sizes:
            turns = [repetition(pages) for _ in range(repetitions + 1)][1:]
            rows += [
                {"name": step, "pages": pages, "ns_per_page": round(median, 1)}
                for step in turns[0]
                for median in [statistics.median(turn[step] for turn in turns)]
            ]
    except LookupError as error:
        return {"reason": str(error)}
    except Exception as error:  # noqa: BLE001  whatever it is, it is the peer's, and is told
        return {"reason": f"{name} {version} does not run here: {type(error).__name__}: {error}"}
    python = platform.python_version()
    return {"version": f"{name} {version}", "python": python, "rows": rows}


if __name__ == "__main__":
    sys.stdout.write(
        json.dumps(measured([int(word) for word in sys.argv[2:]], int(sys.argv[1]))) + "\n"
    )

"""Pages of long stories: small, and a late step shows the machine as it was then.

What hurts such a page hurts no small one: work that grows with the square of the steps, a call with
more arguments than JavaScript takes (some 120,000), numbers of steps beyond 16 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from visiting import ROOT, Visit

from anonlab import record
from anonlab.formats.catalogue import say
from anonlab.histories.generate import generate
from anonlab.histories.run import run
from anonlab.recording.snapshot import snapshot
from anonlab.view import save_html, text_twin

OPERATIONS, LATE = 100_000, 190_000
MOST_BYTES = 4_000_000
HEAP, ARENA = range(0x10000, 0x74000, 0x1000), range(0x80000, 0x85000, 0x1000)


def server_and_workers() -> Iterator[str]:
    """Yield operations without end: workers come, write to what they share, and go."""
    random = Random(1)
    yield "server = spawn"
    yield f"server mmap {HEAP[0]:#x} {len(HEAP)}"
    for number in count(1):
        yield f"w{number} = fork server"
        arena = random.choice(ARENA)
        yield f"w{number} mmap {arena:#x} 1"
        yield f"w{number} write {arena:#x} {number}"
        for who, npages in ((f"w{number}", 75), ("server", 25)):
            for addr in random.sample(HEAP, npages):
                yield f"{who} write {addr:#x} {random.randrange(1 << 20)}"
        if number > 3:
            yield f"w{number - 3} exit"


@pytest.mark.slow(pool="a long page")
def test_a_page_of_100000_operations_is_small_and_right_at_step_190000(
    browser: Any, tmp_path: Path
) -> None:
    lines = ["machine x86_32 frames 512", *islice(server_and_workers(), OPERATIONS)]
    trace = record("\n".join(lines), walks=False)
    path = save_html(trace, tmp_path / "long.html")
    assert path.stat().st_size <= MOST_BYTES

    late = next(at for at in range(LATE, LATE + 9) if trace.steps[at].level == "op")
    done = lines[: 1 + trace.steps[late].operation + 1]
    truth = text_twin(snapshot(run("\n".join(done)).kernel))

    at = Visit(browser, path, f"#step={late}&tab=text")
    at.page.wait_for_selector(f"{ROOT}[data-step='{late}']", timeout=60_000)
    assert at.told("text").split(say("text.changed"))[0] == truth
    at.page.close()
    assert at.wrong == []


@pytest.mark.slow(pool="a long page")
def test_a_page_of_11000_operations_is_small_and_every_step_is_there(
    browser: Any, tmp_path: Path
) -> None:
    trace = record(generate(3, 11_000, frames=64, swap=32), walks=False)
    path = save_html(trace, tmp_path / "long.html")
    assert path.stat().st_size <= 1_500_000
    last = len(trace.steps) - 1
    at = Visit(browser, path, f"#step={last - 1}")
    at.page.wait_for_selector(f"{ROOT}[data-step='{last - 1}']", timeout=60_000)
    at.page.click("[data-do=next]")
    assert at.step() == last
    assert trace.steps[last].title in at.told("sentence")
    at.page.close()
    assert at.wrong == []

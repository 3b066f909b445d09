"""Frames, page tables and swap slots run out at every point of every operation.

Each scenario is run on a machine that has enough, then on machines with every smaller number of
frames, page tables or swap slots. A call that fails says who wanted how much of what and how much
there was, and changes nothing; whatever comes after it finds a sound machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from watched import state

from anonlab import GEOMETRIES, AnonGroupOptions, Kernel, check, parse, scan
from anonlab.formats.history import Op
from anonlab.histories.run import apply
from anonlab.proof.shadow import Shadow

SCENARIOS = {
    "spawn": "b = spawn\nc = spawn",
    "first touch": "a mmap 0x30000 6\na write 0x30000 1 6\na mmap 0x90000 2\na write 0x90000 7 2",
    "zero page": "a mmap 0x3f000 2\na read 0x3f000 2\na write 0x3f000 1 2",
    "brk": "a brk 0x13000\na write 0x10000 1 3\na brk 0x11000\na write 0x10000 5",
    "stack": "a mmap 0x8e000 2 growsdown\na write 0x8f000 1\na write 0x88000 2 3\na read 0x87000",
    "file": """f = file 4
        a mmap 0x30000 4 r file f
        a read 0x30000 4
        a mmap 0x50000 4 rw file f shared
        a write 0x50000 9 2
        a mmap 0x6e000 4 rw file f
        a write 0x6e000 20 4""",
    "shmem": """a mmap 0x30000 3 shared
        a write 0x30000 5 3
        b = fork a
        b read 0x30000 3
        b swap_out 0x30000 3
        a read 0x30000 3
        a exit
        b write 0x31000 1""",
    "fork": """a mmap 0x1e000 4
        a write 0x1e000 1 4
        a mmap 0x90000 2
        a write 0x90000 1
        b = fork a
        c = fork b
        b write 0x1e000 10 4
        a write 0x90000 11""",
    "fork of emptied tables": """a mmap 0x30000 2
        a write 0x30000 1 2
        a mmap 0x90000 2
        a write 0x90000 1 2
        a madvise 0x30000 2 dontneed
        b = fork a
        b write 0x30000 1 2""",
    "vfork": "b = vfork a\nb execve ls args 2\nc = clone_vm a\nc mmap 0x30000 1\nc write 0x30000 1",
    "execve": """a mmap 0x30000 3
        a write 0x30000 1 3
        b = fork a
        b execve ls args 3
        a execve wc args 2
        b execve cat args 1""",
    "copy on write": """a mmap 0x30000 5
        a write 0x30000 1 3
        a read 0x33000 1
        b = fork a
        b write 0x30000 10 5
        a write 0x30000 20 5""",
    "mremap": """a mmap 0x30000 4
        a write 0x30000 1 4
        b = fork a
        b mremap 0x30000 4 to 0x5e000
        b mremap 0x5e000 2 to 0x90000
        a mremap 0x30000 4 to 0x70000
        a mremap 0x70000 4 pages 2""",
    "mremap onto something": """a mmap 0x30000 3
        a write 0x30000 1 3
        a mmap 0x60000 3
        a write 0x60000 7 3
        b = fork a
        b mremap 0x30000 3 to 0x60000
        a mremap 0x60000 2 to 0x30000""",
    "mremap in the swap cache": """a mmap 0x30000 3
        a write 0x30000 1 3
        b = fork a
        a swap_out 0x30000 3
        a read 0x30000 2
        b mremap 0x30000 3 to 0x80000
        a mremap 0x30000 3 to 0x90000
        b read 0x80000 3
        b write 0x80000 5 3""",
    "mlock": "a mmap 0x30000 3\na mlock 0x30000 3\na mmap 0x40000 2 r\na mlock 0x40000 2",
    "pin": "a mmap 0x30000 3\na pin 0x30000 3\nb = fork a\nb pin 0x30000 3\na write 0x30000 1 3",
    "swap-out": """a mmap 0x30000 4
        a write 0x30000 1 4
        b = fork a
        a swap_out 0x30000 4
        b write 0x30000 10 2
        a read 0x30000 4
        b read 0x30000 4
        b swap_out 0x30000 4
        a swap_out 0x30000 4""",
    "swapoff": """a mmap 0x30000 4
        a write 0x30000 1 4
        b = fork a
        a swap_out 0x30000 4
        b mremap 0x30000 2 to 0x80000
        a read 0x31000
        a mmap 0x50000 2 shared
        a write 0x50000 5 2
        a swap_out 0x50000 2
        swapoff
        b read 0x80000 2""",
    "reclaim": """f = file 3
        a mmap 0x30000 4
        a write 0x30000 1 4
        a mmap 0x50000 3 rw file f shared
        a write 0x50000 7 3
        reclaim 3
        a write 0x30000 11 4
        a read 0x50000 3
        b = fork a
        reclaim 4
        b write 0x30000 21 4""",
    "truncate": """f = file 4
        a mmap 0x30000 4 rw file f
        a write 0x30000 1 2
        a read 0x30000 4
        truncate f 1
        truncate f 4
        a write 0x32000 8 2""",
    "areas": """a mmap 0x30000 4
        a write 0x30000 1 4
        a mprotect 0x31000 1 r
        a munmap 0x32000 1
        a madvise 0x30000 2 dontneed
        a mmap 0x32000 1
        a write 0x32000 5
        a mremap 0x30000 1 to 0x62000 dontunmap
        a write 0x30000 5""",
}
ENOUGH = {"frames": 40, "swap": 16, "tables": 40}
SENTENCE = re.compile(
    r"(?P<who>\w+): ENOMEM: "
    r"(?P<what>a page fault|fork|execve|mremap|swap_out|spawn|bringing every page back) "
    r"needs (?P<wanted>\d+) (?P<of>frame|page-table page|swap slot)(?P<many>s?), "
    r"(?P<free>\d+) of (?P<all>\d+) (?P<are>is|are) free"
    r"(, and reclaim cannot free (?P<short>\d+) more)?\Z"
)
WORDS = {"frames": "frame", "swap": "swap slot", "tables": "page-table page"}


@dataclass(frozen=True)
class Done:
    """One operation of a scenario: what it said, and what it took from the machine."""

    op: Op
    error: str
    frames: int
    tables: int


def run_on(kernel: Kernel, scenario: str) -> list[Done]:
    """Run a scenario and check everything after every operation."""
    shadow, done = Shadow(kernel), []
    for op in parse("a = spawn\n" + SCENARIOS[scenario]).ops:
        before, frames, tables = state(kernel), kernel.mem_map.nfree, kernel.tables.nused
        outcome = apply(kernel, op)
        check(kernel)
        shadow.follow(op, outcome)
        assert not shadow.compare(kernel, scan(kernel))
        if outcome.error:
            assert state(kernel) == before, f"the machine changed, though: {outcome.error}"
        taken = frames - kernel.mem_map.nfree, kernel.tables.nused - tables
        done.append(Done(op, outcome.error, *taken))
    return done


def kernel_with(policy: str = "count", geometry: str = "lesson", **budget: int) -> Kernel:
    return Kernel(AnonGroupOptions(policy), geometry=GEOMETRIES[geometry], **{**ENOUGH, **budget})


def is_clear(done: Done, kernel: Kernel, resource: str) -> bool:
    """Whether a failure names who, what, how much and how little; False for other errors."""
    if "ENOMEM" not in done.error:
        return False
    found = SENTENCE.match(done.error)
    assert found, f"not clear: {done.error}"
    said = found.groupdict()
    assert int(said["wanted"]) > int(said["free"]), done.error
    assert said["of"] == WORDS[resource], done.error
    assert (said["many"] == "", said["are"] == "is") == (said["wanted"] == "1", said["free"] == "1")
    who = done.op.args.get("parent") or done.op.who or done.op.verb
    sizes = {
        "frames": kernel.mem_map.nframes,
        "swap": kernel.swap.nslots,
        "tables": kernel.tables.max_rows,
    }
    assert (said["who"], int(said["all"])) == (who, sizes[resource])
    if said["short"]:
        assert int(said["short"]) == int(said["wanted"]) - int(said["free"])
    return True


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("resource", ["frames", "tables", "swap"])
def test_running_out_is_said_clearly_and_changes_nothing(scenario, resource):
    every_budget(scenario, resource, "count", "lesson")


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if "mremap" in SCENARIOS[name]])
@pytest.mark.parametrize("resource", ["frames", "swap"])
def test_running_out_under_the_other_mremap_policy(scenario, resource):
    every_budget(scenario, resource, "mapcount", "lesson")


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "brk"])
def test_running_out_of_page_tables_of_four_levels(scenario):
    every_budget(scenario, "tables", "count", "x86_64")


def every_budget(scenario: str, resource: str, policy: str, geometry: str) -> None:
    """Run with every budget, from the least a machine can have to the first that is enough."""
    least = {"frames": 2, "tables": 1, "swap": 0}[resource]
    for budget in range(least, ENOUGH[resource] + 1):
        kernel = kernel_with(policy, geometry, **{resource: budget})
        done = run_on(kernel, scenario)
        failed = [is_clear(one, kernel, resource) for one in done]
        if not any(failed):
            break
    assert [one.error for one in done if one.error] == []
    assert budget < ENOUGH[resource]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("swap", [0, 2])
def test_running_out_of_frames_with_little_swap(scenario, swap):
    """Reclaim has to choose now; what it cannot do it must know before it begins."""
    for frames in range(4, 10):
        kernel = kernel_with(frames=frames, swap=swap)
        for one in run_on(kernel, scenario):
            assert "ENOMEM" not in one.error or SENTENCE.match(one.error), one.error


EXACT = {"read", "write", "pin", "mlock", "fork", "spawn", "mremap"}
"""Verbs that give nothing back while they work, where the destination is free."""
PLAIN = [
    name
    for name, text in SCENARIOS.items()
    if "swap" not in text and "reclaim" not in text and "onto" not in name
]
"""Scenarios that make sense without swap."""


@pytest.mark.parametrize("scenario", PLAIN)
@pytest.mark.parametrize("resource", ["frames", "tables"])
def test_an_operation_fails_for_lack_of_memory_exactly_when_it_needs_more_than_there_is(
    scenario, resource
):
    """Without swap, up to the first failure: what it says it needs is what it takes elsewhere."""
    ample = run_on(kernel_with(swap=0), scenario)
    for budget in range(2, ENOUGH[resource]):
        kernel = kernel_with(swap=0, **{resource: budget})
        free = budget - 1 if resource == "frames" else budget
        done = run_on(kernel, scenario)
        for one, wanted in zip(done, ample, strict=True):
            takes = getattr(wanted, resource)
            if "ENOMEM" in one.error:
                said: Any = SENTENCE.match(one.error)
                assert int(said["wanted"]) >= takes
                if one.op.verb in EXACT:
                    assert (int(said["wanted"]), int(said["free"])) == (takes, free), one.error
                break
            assert takes <= free or resource == "frames", "file pages can be dropped for others"
            free -= takes
        else:
            break

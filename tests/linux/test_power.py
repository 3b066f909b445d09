"""Every mutant that concerns what a kernel shows is killed by the recorded kernels; why the others
are not is said one by one. Designs that the running kernel does not have, the anon memory group but
for its copies, are not its affair: their reverse maps are held against a scan (tests/proof)."""

from __future__ import annotations

import pytest

from anonlab.linux.recordings import shipped_recordings
from anonlab.live.verify import killing_recording
from anonlab.proof.mutants import MUTANTS, OF_ANSWERS, planted

ROOM = "real machines have room: nobody asks a kernel to run short of frames or tables"
WALK_ONLY = "it costs a walk visits, and the walk misses nobody: no page shows it"
GRAPH = "the graph of the reverse map is wrong, and no recorded history walks into it"
GROUP_SWAP = (
    "the anon memory group is held against the kernel without swap, where it has another rule"
)
BITS = "a recording shows pages and what they hold, no accessed, dirty or user bit of a word"
PROGRAM = "a recording does not say which program a process runs"
NOT_SHOWN = {
    "fork takes the accessed bits of the parent": BITS,
    "fork leaves the words of the child accessed": BITS,
    "fork leaves shared words of the child dirty": BITS,
    "a write fault forgets that the page is dirty": BITS,
    "a page that was read from swap is dirty": BITS,
    "mremap forgets that a copied page was accessed": BITS,
    "mprotect forgets that pages were written": BITS,
    "mprotect does not let the program in again": BITS,
    "execve keeps the name of the program": PROGRAM,
    "fork reserves one table too few": ROOM,
    "mremap reserves no frames for its copies": ROOM,
    "a first touch reserves one frame too few": ROOM,
    "a fault reserves no tables": ROOM,
    "reclaim takes pages of the running operation": ROOM,
    "reclaim forgets what the swap cache holds for the operation": ROOM,
    "a clash is seen even if nobody maps the page": GROUP_SWAP,
    "a page swapped in elsewhere is not copied": GROUP_SWAP,
    "a swapped-in copy has no contents": "the write that wants the copy overwrites its contents",
    "swap-in keeps the use of its entry": "the use of a slot is the swap map's own affair",
    "swap-out unmaps locked pages": "a kernel refuses to page out locked memory: it is not asked",
    "execve keeps the old group": WALK_ONLY,
    "exit stays in the group": WALK_ONLY,
    "exit leaks pins": "what a device holds for a process that is gone is mapped nowhere",
    "mprotect leaves pages writable": "the VMA is asked before the page table is",
    "mremap does not update index": "the walks of the group are held against a scan, not a kernel",
    "mapping is not cleared when nobody maps the page": "no kernel tells what unmapped frames name",
    "anon_vma_chain: an anon_vma in use is taken over": GRAPH,
    "anon_vma_chain: one degree counts children and owners (2015 to 2022)": GRAPH,
    "anon_vma_chain: no anon_vma is ever taken over (before 2015)": WALK_ONLY,
    "anon_vma_chain: an anon_vma with a child is not taken over": WALK_ONLY,
    "anon_vma_chain: a clone is not counted as a user": GRAPH,
    "anon_vma_chain: a neighbour that was forked shares its anon_vma": GRAPH,
    "anon_vma_chain: a parent keeps a child that is gone": WALK_ONLY,
    "anon_vma_chain: a page that is written in place stays at its old home": WALK_ONLY,
    "anongroup: the newest mm is asked first": WALK_ONLY,
}
JUDGED = [
    name for name, mutant in MUTANTS.items() if mutant.design in ("anongroup", "anon_vma_chain")
]
RECORDINGS = [recording for _, recording in shipped_recordings()]


def test_every_mutant_that_is_not_shown_is_one() -> None:
    assert NOT_SHOWN.keys() <= set(JUDGED)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*(name for name in JUDGED if name not in NOT_SHOWN), *OF_ANSWERS])
def test_a_recorded_kernel_kills_the_mutant(name) -> None:
    assert killing_recording(name, RECORDINGS)


@pytest.mark.parametrize("name", OF_ANSWERS)
def test_a_mutant_of_answers_fits_and_has_a_name_of_its_own(name) -> None:
    assert name not in MUTANTS
    with planted(OF_ANSWERS[name]):
        pass

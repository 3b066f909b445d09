from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from anonlab.formats.history import ANY, VERBS, History, Op
from anonlab.formats.history_text import format, parse  # noqa: A004  a pair
from anonlab.histories.generate import generate
from anonlab.histories.run import run
from anonlab.machine.words import GEOMETRIES, PAGE_SIZE

GOLDEN = {
    "lesson": "8017ce004bb2189c9f03b5ab4ccc71912b75695a07585daf25df3db89e82295a",
    "x86_64": "dedd56e716b89f06fe1e44a05fef6ee7c2ba3b10d23ddafadd33b4a394638de6",
}
"""SHA-256 of the text of seed 1, 300 operations: a seed means the same for ever."""


@pytest.fixture(scope="module")
def many() -> list[History]:
    return [generate(seed, 300) for seed in range(20)]


@pytest.mark.parametrize("geometry", GOLDEN)
def test_seed_one_is_the_same_history_for_ever(geometry):
    text = format(generate(1, 300, geometry))
    assert hashlib.sha256(text.encode()).hexdigest() == GOLDEN[geometry]


def test_a_seed_gives_one_history_and_another_seed_another():
    assert generate(5, 80) == generate(5, 80)
    assert generate(5, 80) != generate(6, 80)


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("faulty", [0, 0.5, 1])
def test_histories_have_the_length_asked_for_and_can_be_written_and_read(geometry, faulty):
    for seed in range(3):
        history = generate(seed, 100, geometry, faulty=faulty)
        assert len(history.ops) == 100
        assert history.machine.geometry == geometry
        assert parse(format(history)) == history


def test_every_verb_occurs(many):
    assert Counter(op.verb for history in many for op in history.ops).keys() == VERBS.keys()


def flavours(op: Op) -> set[str]:
    args = op.args
    found = {f"{op.verb} {name}" for name in args}
    if op.verb == "mmap":
        kind = ("shared " if "shared" in args else "private ") + ("file" if "file" in args else "")
        found |= {f"mmap {kind.strip()}", f"mmap {args.get('prot', 'rw')}"}
    if op.verb == "mremap":
        new, old = args.get("new_pages", args["pages"]), args["pages"]
        found.add("mremap " + ("grow" if new > old else "shrink" if new < old else "same"))
        found.add("mremap any" if args.get("to") == ANY else "mremap")
    if op.verb == "brk" and args["addr"] == 0:
        found.add("brk asks")
    return found


FLAVOURS = {
    *("mmap private", "mmap shared", "mmap private file", "mmap shared file", "mmap offset"),
    *("mmap fixed", "mmap growsdown", "mmap none", "mmap r", "mmap rx", "mmap rw"),
    *("mremap to", "mremap grow", "mremap shrink", "mremap same", "mremap any"),
    *("mremap dontunmap", "brk asks", "execve args", "write pages", "read pages"),
}


def test_every_flavour_occurs(many):
    found = {flavour for history in many for op in history.ops for flavour in flavours(op)}
    assert sorted(FLAVOURS - found) == []


def test_most_operations_succeed_where_no_mistake_is_made():
    failed = sum(
        bool(outcome.error)
        for seed in range(10)
        for outcome in run(generate(seed, 300, faulty=0, frames=200)).outcomes
    )
    assert failed <= 0.02 * 3000


def test_mistakes_are_made_and_fail_when_all_operations_are_mistakes():
    errors = Counter()
    for seed in range(10):
        # All but the first operation are mistakes, so hardly anything is ever mapped.
        outcomes = run(generate(seed, 200, faulty=1)).outcomes
        errors.update(out.error.split(": ")[1] for out in outcomes if out.error)
    assert errors.total() > 0.8 * 2000
    assert {"EINVAL", "ENOMEM", "EFAULT", "SIGSEGV"} <= errors.keys()


def test_memory_runs_short_so_that_pages_are_reclaimed(many):
    assert any(run(history).kernel.swap.nused for history in many)


@pytest.mark.parametrize("limit", [1, 2, 6])
def test_there_is_always_one_process_and_never_more_than_asked_for(limit):
    for seed in range(5):
        alive: set[str] = set()
        for op in generate(seed, 200, max_processes=limit, faulty=0).ops:
            if op.verb in ("spawn", "fork", "vfork", "clone_vm"):
                alive.add(op.who)
            alive -= {op.who} if op.verb == "exit" else set()
            assert 1 <= len(alive) <= limit


def test_addresses_of_a_large_machine_lie_across_table_boundaries_of_every_level():
    vpns = set()
    ops = [op for seed in range(4) for op in generate(seed, 300, "x86_64", faulty=0).ops]
    for op in ops:
        if op.verb == "mmap" and op.args["addr"] != ANY:
            first = int(op.args["addr"]) // PAGE_SIZE
            vpns |= set(range(first, first + int(op.args["pages"])))
    for bits in (9, 18, 27):
        assert any((vpn >> bits) - (vpn - 1 >> bits) for vpn in vpns if vpn - 1 in vpns)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nops": 0},
        {"max_processes": 0},
        {"faulty": 1.5},
        {"faulty": -0.1},
        {"geometry": "moon"},
        {"seed": -1},
    ],
)
def test_arguments_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=r"got|there are"):
        generate(**{"seed": 1, "nops": 10, **wrong})


def test_a_page_on_swap_comes_to_be_wanted_at_two_addresses():
    clashes = [
        run(generate(seed, 300)).kernel.design.cost.copies_swapin_clash for seed in range(12)
    ]
    assert sum(count > 0 for count in clashes) >= 2

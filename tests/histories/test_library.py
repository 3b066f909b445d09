from __future__ import annotations

import pytest

from anonlab.formats.history_text import format, parse  # noqa: A004  a pair
from anonlab.histories import library
from anonlab.histories.run import make_kernel, run, run_on
from anonlab.proof.invariants import check

EXPECTED_ERRORS = {"shared_file": ["SIGBUS"]}


def test_the_library_begins_with_the_simplest_history():
    assert library.names()[:2] == ["first_touch", "fork_and_write"]
    assert len(library.names()) == len(set(library.names())) >= 7


@pytest.mark.parametrize("name", library.names())
def test_a_history_has_a_title_and_makes_the_round_trip(name):
    history = library.load(name)
    assert history.title
    assert parse(format(history)) == history


@pytest.mark.parametrize("name", library.names())
def test_a_history_runs_with_all_invariants_held_after_each_operation(name):
    history = library.load(name)
    kernel = make_kernel(history)
    outcomes = run_on(kernel, history, after=lambda op, outcome: check(kernel))
    errors = [outcome.error.split(": ")[1] for outcome in outcomes if outcome.error]
    assert errors == EXPECTED_ERRORS.get(name, [])


def test_fork_and_write_is_the_basic_setup_of_the_mail():
    kernel = run(library.load("fork_and_write")).kernel
    shell = kernel.processes["shell"]
    pages = [shell.page(0x30000 + n * 0x1000) for n in range(3)]
    assert [page.index for page in pages] == [0x30, 0x31, 0x32]
    assert [shell.read(0x30000 + n * 0x1000) for n in range(3)] == [50, 51, 52]
    assert all(page.mapcount == page.count == 1 for page in pages)


def test_mremap_after_fork_copies_the_shared_pages_and_no_other():
    outcomes = run(library.load("mremap_after_fork"))
    assert outcomes.kernel.design.cost.copies_mremap == 3
    assert outcomes.outcomes[6].value == [99, 11, 12, 13]


def test_a_name_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match=r"no history 'nothing'; there are .*first_touch"):
        library.load("nothing")
    with pytest.raises(ValueError, match="no log 'nothing'; there are bash_pipeline"):
        library.log("nothing")
    with pytest.raises(ValueError, match="no history"):
        library.text("../data/bash_pipeline")

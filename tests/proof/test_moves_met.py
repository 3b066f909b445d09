"""How often mremap meets a shared page in recorded programs, against the logs themselves."""

from __future__ import annotations

import re

import pytest

from anonlab.histories import library
from anonlab.proof.moves_met import moves_met


@pytest.mark.parametrize("name", library.logs())
def test_calls_and_moves_are_those_of_the_log(name: str) -> None:
    """Read from the log with one expression: a call that answers another address has moved."""
    calls = re.findall(r"mremap\((0x\w+), .*\) = (0x\w+)", library.log(name).read_text("utf-8"))
    found = moves_met(name)
    assert found.calls == len(calls)
    assert found.moved == sum(old != new for old, new in calls)


def test_a_list_that_grows_in_a_child_meets_what_it_shares() -> None:
    """By the log: the child moves once while its parent has the list, too; the parent moves three
    times after the child is gone, and twice before it is there."""
    found = moves_met("python_grows")
    assert (found.moved, found.met_shared) == (6, 1)
    assert found.copied > 0


def test_an_unknown_program_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="there is no log 'vi'; there are bash_pipeline"):
        moves_met("vi")

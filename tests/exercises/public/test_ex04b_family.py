"""Exercise 04b: a history that leads to a given state."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.goals import Goal, goal
from anonlab.course.judging.history_answers import (
    HistoryAnswer,
    read_history_answer,
    sharing,
    sharing_text,
)
from anonlab.course.judging.state import machine_state

MOST = 40


def statement(seed: int) -> str:
    """What is to be reached."""
    return f"reach this state:\n{goal(seed)}"


def why(state: dict[str, Any], wanted: dict[str, Any]) -> str:
    """What may have gone wrong, '' if nothing comes to mind."""
    for address, groups in wanted.items():
        found = state.get(address, [])
        alone, sharers = ([len(names) == 1 for names in some] for some in (groups, found))
        if not found:
            return (
                "Did you read where you should have written? A page that is only read has no frame."
            )
        if sum(map(len, found)) > sum(map(len, groups)):
            return "Did you write before fork what only one of them should have?"
        if sum(map(len, found)) < sum(map(len, groups)):
            return "Did you write after fork what the child should have got from its parent?"
        if len(found) > len(groups):
            return "Did somebody write too much after fork? Whoever writes gets a page of its own."
        if len(found) < len(groups) and all(alone) and not all(sharers):
            return "Did you forget the write after fork? Without it both share the frame for ever."
        if found != groups:
            return "Did the wrong process write? The copy goes to the writer, whoever it is."
    if set(state) - set(wanted):
        return "Did you write pages that nobody asked for?"
    return ""


def reached(student: Any, wanted: Goal) -> HistoryAnswer:
    """The student's history, if it leads to the state; Wrong if it does not."""
    mine = read_history_answer(student, MOST)
    state = sharing(machine_state(mine.kernel))
    if state != wanted.state:
        raise Wrong(
            "your history leads to another state",
            expected=f"\n{wanted}",
            got=f"\n{sharing_text(state)}",
            guess=why(state, wanted.state),
        )
    return mine


def test_reaches_the_state(student: Any, seed: int) -> None:
    """The history leads to the state that was asked for."""
    reached(student, goal(seed))

"""A box answers in order, each question in its own time; the kernel's account says what it used."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from ordinary import needs_box

from anonlab.box import boxes
from anonlab.box.both_ends import encode
from anonlab.box.box import Box
from anonlab.box.endings import RIGHT, BoxEnded, Clock
from anonlab.box.usage import Schedule, Timer
from anonlab.box.wire import Raised, message, written

pytestmark = needs_box

CODE = b"""
import os, time
seen = []
def f(x):
    seen.append(x)
    if x < 0: raise ValueError(x)
    if x == 50: time.sleep(0.3)
    if x == 99:
        while True: pass
    if x == 77: os.write(4, b'{"id":1,"ok":5}\\n')
    return 2 * x
def count(x): return len(seen)
def long(x): return [x] * 50_000
def names(x): return sorted(os.environ), os.getpid()
"""


@pytest.fixture
def box() -> Iterator[Box]:
    """A box with CODE, in which a call may take half a second."""
    with Box(CODE, Clock(0.5, 10)) as made:
        assert made.load(CODE, "code.py") is None
        yield made


def asked(box: Box, *numbers: int, name: str = "f") -> Iterator[object]:
    return box.ask_each("call", [{"fn": name, "args": encode([each])} for each in numbers])


def test_many_questions_are_answered_in_their_order(box: Box) -> None:
    assert list(asked(box, *range(40))) == [2 * each for each in range(40)]
    assert box.ask("call", fn="count", args=[0]) == 40


def test_questions_and_answers_that_fill_the_pipes_do_not_wait_for_each_other(box: Box) -> None:
    found = list(asked(box, *range(60), name="long"))
    assert [each[0] for each in found] == list(range(60))  # type: ignore[index]
    big = encode(["x" * 100_000])
    answers = box.ask_each("call", [{"fn": "count", "args": big}] * 30)
    assert list(answers) == [0] * 30


def test_who_stops_early_gets_the_answer_to_the_next_question(box: Box) -> None:
    answers = asked(box, 1, 2, 3, 4, 5)
    assert next(answers) == 2
    answers.close()
    assert box.ask("call", fn="f", args=[10]) == 20
    assert list(asked(box, 6, 7)) == [12, 14]
    assert box.ask("call", fn="count", args=[0]) == 8


def test_right_answers_that_come_together_are_told_from_wrong_ones_and_counted(box: Box) -> None:
    for stop in range(0, 50, 3):
        right = [2 * each + (each == 41) for each in range(49)]
        calls = [message("call", fn="f", args=[each]) for each in range(49)]
        answers = box.ask_known([*zip(calls, map(written, right), strict=True)])
        found = [*islice(answers, stop)]
        assert found == [82 if at == 41 else RIGHT for at in range(49)][:stop]
        answers.close()  # type: ignore[attr-defined]
        assert box.ask("call", fn="f", args=[stop]) == (2 * stop)


def test_an_error_is_an_answer_like_others(box: Box) -> None:
    one, two, three = asked(box, 1, -1, 3)
    assert (one, three) == (2, 6)
    assert isinstance(two, Raised)
    assert (two.kind, two.message) == ("ValueError", "-1")


def test_each_call_has_its_own_time_and_a_loop_is_blamed_on_its_own(box: Box) -> None:
    """Three calls of 0.3 s fit into a limit of 0.5 s for one."""
    assert list(asked(box, 50, 50, 50)) == [100, 100, 100]
    answers = asked(box, 1, 2, 99, 4)
    assert [next(answers), next(answers)] == [2, 4]
    with pytest.raises(BoxEnded, match="timeout"):
        next(answers)
    with pytest.raises(BoxEnded, match="timeout"):
        box.ask("call", fn="f", args=[1])


@pytest.mark.parametrize("numbers", [(77,), (1, 77), (77, 1)])
def test_an_answer_too_many_ends_the_box(box: Box, numbers: tuple[int, ...]) -> None:
    with pytest.raises(BoxEnded, match="protocol"):
        list(asked(box, *numbers))


def test_a_box_ends_with_its_block_whatever_happens_in_it() -> None:
    pids = []

    def work() -> None:
        with Box(CODE, Clock(1, 1)) as box:
            assert box.load(CODE, "code.py") is None
            pids.append(box.ask("call", fn="names", args=[0])[1])
            assert Path(f"/proc/{pids[0]}").exists()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert not Path(f"/proc/{pids[0]}").exists()
    Box(CODE, Clock(1, 1))
    assert boxes.end_boxes() == 1
    assert boxes.end_boxes() == 0


def test_a_zygote_that_is_killed_is_followed_by_another() -> None:
    killed = boxes.zygote(CODE)._process  # once: a second call may find it dead, and start one
    killed.kill()
    killed.wait()
    with Box(CODE, Clock(1, 5)) as box:
        assert box.load(CODE, "code.py") is None


def test_nothing_of_the_graders_surroundings_is_in_a_box(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADERS_PASSWORD", "x")
    names, _ = box.ask("call", fn="names", args=[0])
    assert set(names) <= {*boxes.ENVIRONMENT, "LC_CTYPE"}


class Account(Schedule):
    """Stands in for the kernel's account."""

    def __init__(self, ran: float, waited: float) -> None:
        self.now = 0.0, 0.0
        self.then = ran, waited
        self.known = True

    def read(self) -> tuple[float, float]:
        return self.now


@pytest.mark.parametrize(
    ("ran", "waited", "own_waited", "over", "starved", "again"),
    [
        (0.0, 0.0, 0.0, True, False, False),  # it slept
        (2.0, 0.0, 0.0, True, False, False),  # it computed
        (0.2, 1.8, 0.0, False, True, True),  # others had the processor
        (0.9, 1.5, 0.0, False, True, True),  # so they had, when it was nearly done
        (0.1, 0.0, 1.9, False, True, True),  # the judge did not get it
        (0.1, 0.5, 0.0, True, False, True),  # it slept, and waited as well
        (1.1, 0.9, 0.0, True, False, False),  # it had all that it may use
    ],
)
def test_time_is_blamed_on_who_used_it(
    ran: float, waited: float, own_waited: float, over: bool, starved: bool, again: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    box, own = Account(ran, waited), Account(0.0, own_waited)
    timer = Timer(box, own, 1.0)
    clock[0] += 2.0
    box.now, own.now = box.then, own.then
    assert timer.over() is over
    assert timer.starved is starved
    assert timer.kept_waiting is again
    assert over or timer.deadline > clock[0]
    clock[0] += 100.0  # nobody waits for ever
    box.now, own.now = (ran, waited + 100.0), own.then
    assert timer.over()


def test_who_got_no_processor_is_waited_for() -> None:
    """Here the account says that every second was one of waiting."""
    code = b"import time\ndef f(x):\n    time.sleep(1.2)\n    return x\n"
    with Box(code, Clock(0.5, 10)) as box:
        assert box.load(code, "code.py") is None

        class Waiting(Schedule):
            begun = time.monotonic()

            def read(self) -> tuple[float, float]:
                return 0.0, time.monotonic() - self.begun

        box._schedule.close()
        box._schedule = Waiting("/nothing")
        assert box.ask("call", fn="f", args=[7]) == 7

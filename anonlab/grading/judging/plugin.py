"""The plugin of the trusted pytest: fixtures `student` and `seed`, and one outcome for each test.

A verdict is what stands in `outcomes`, put there when a test function returned or raised. Exit
codes and reports of pytest decide nothing: a test without an outcome is trouble of the grader.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from anonlab.box.calls import NoBox
from anonlab.box.endings import BoxEnded
from anonlab.course.judging.boxed_student import (
    Asked,
    BoxedStudent,
    close,
    ending_of,
    give_time_back,
    printed_by,
    refused_value,
)
from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.marks import time_limit
from anonlab.course.judging.right_answers import RIGHT_ANSWERS, StartAgain
from anonlab.course.judging.student import LoadError, OutOfTime, StudentError
from anonlab.grading.judging.memory import USED_UP

NOT_THE_SAME = (
    "Your code gave a wrong answer, or none, and the right one when it was asked the same again: "
    "what it answers must depend on nothing but its arguments."
)
TEST_SECONDS = 120
"""Longest time for one test, what the trusted side computes included."""


@dataclass(frozen=True)
class Wanted:
    """A test that must get an outcome: test `name` in the file `path`."""

    exercise: str
    name: str
    hidden: bool
    path: Path
    title: str
    most: float
    seed: int
    right: str = ""
    """Names all that decides what is right, so that it can be kept; '' for a test of a stretch."""


@dataclass(frozen=True)
class JudgedOutcome:
    """How a test ended. `message` may hold what came from the box; `waited` asks for a repeat.

    stumbled  the test itself raised something that no test should
    starved   its box did not get the time on a processor that it may use
    premise   the test that has no verdict, and without which it was not run
    """

    status: str
    message: str = ""
    wrong: Wrong | None = None
    printed: str = ""
    waited: bool = False
    stumbled: bool = False
    starved: bool = False
    premise: Wanted | None = None
    private: str = ""


class Judging:
    """One run of pytest over the tests `wanted`, each with the student of its exercise.

    students  makes and loads a student for an exercise: once for each test, or once for each
              stretch of tests that share a box
    earlier   outcomes of an earlier run, for tests that need one
    """

    def __init__(
        self,
        wanted: list[Wanted],
        students: Callable[[str], Asked],
        earlier: dict[Wanted, JudgedOutcome] | None = None,
    ) -> None:
        self.wanted = {(each.path, each.name): each for each in wanted}
        self._files = {each.path.name for each in wanted}
        self.outcomes: dict[Wanted, JudgedOutcome] = {}
        self.troubles: list[str] = []  # of pytest itself, such as a file that is no Python
        self._students = students
        self._earlier = earlier or {}
        self._shared: tuple[Path, Asked] | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Pass over the files of other exercises: pytest makes an object of each."""
        return True if collection_path.suffix and collection_path.name not in self._files else None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what is wanted, in the order in which it is wanted."""
        order = {key: at for at, key in enumerate(self.wanted)}
        items[:] = sorted(
            (item for item in items if _key(item) in order), key=lambda item: order[_key(item)]
        )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what goes wrong before there are tests."""
        if report.failed:
            self.troubles.append(f"{report.nodeid}: {report.longrepr}"[:2000])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what goes wrong around tests."""
        if report.failed:
            self.troubles.append(f"{report.nodeid}: {report.longrepr}"[:2000])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Take back the pass of a test whose fixture raised when it was over."""
        wanted = self.wanted[_key(item)]
        passed = wanted in self.outcomes and self.outcomes[wanted].status == "pass"
        if call.when == "teardown" and call.excinfo is not None and passed:
            why = "".join(traceback.format_exception(call.excinfo.value))[-4000:]
            self.outcomes[wanted] = JudgedOutcome("infra", why, stumbled=True)

    @pytest.fixture
    def student(self) -> None:
        """The code of the student who is graded: made when the test is called."""

    @pytest.fixture
    def seed(self, request: pytest.FixtureRequest) -> int:
        """The seed of this test's inputs."""
        return self.wanted[_key(request.node)].seed

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool:
        """Run a test and keep its outcome; of many with one name, the first that did not pass."""
        wanted = self.wanted[_key(pyfuncitem)]
        before = self.outcomes.get(wanted)
        if before is None or before.status == "pass":
            needed = getattr(pyfuncitem.function, "needs", "")
            self.outcomes[wanted] = self._held_back(wanted, needed) or self._run(pyfuncitem, wanted)
        return True

    def end(self) -> None:
        """Kill the box that the last tests shared."""
        if self._shared is not None:
            close(self._shared[1])
            self._shared = None

    def _held_back(self, wanted: Wanted, needed: str) -> JudgedOutcome | None:
        """Return the outcome of a test whose premise has not passed; None if it has."""
        other = self.wanted.get((wanted.path, needed)) or next(
            (each for each in self._earlier if (each.path, each.name) == (wanted.path, needed)),
            None,
        )
        before = self.outcomes.get(other, self._earlier.get(other)) if other else None
        if other is None or before is None or before.status == "pass":
            return None
        if before.status == "infra":
            why = f"“{other.title}”, which it needs, has no verdict"
            return JudgedOutcome("infra", why, premise=other)
        return skipped(other)

    def _run(self, item: pytest.Function, wanted: Wanted) -> JudgedOutcome:
        with suppress(StartAgain):
            return self._called(item, wanted)
        return self._called(item, wanted, again=True)

    def _called(self, item: pytest.Function, wanted: Wanted, again: bool = False) -> JudgedOutcome:
        """Return how a test ends; `again` works out anew what is right.

        raises  StartAgain if it must be worked out
        """
        student: Asked | None = None
        error: BaseException | None = None
        shares = getattr(item.function, "one_box", False)
        try:
            args = {name: item.funcargs[name] for name in signature(item.obj).parameters}
            name = "" if shares else wanted.right
            with time_limit(TEST_SECONDS), RIGHT_ANSWERS.of_test(name, again) as test:
                student = self._student(wanted, shares)
                item.obj(**{**args, **({"student": student} if "student" in args else {})})
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as caught:  # noqa: BLE001  BoxEnded and OutOfTime are no Exceptions
            error = caught
        outcome = outcome_of(error, student)
        if again and outcome.status == "pass" and test.as_kept:
            outcome = replace(outcome, status="fail", message=NOT_THE_SAME)
        if student is not None and not (shares and outcome.status in ("pass", "fail")):
            close(student)
            self._shared = None if shares else self._shared
        if isinstance(error, StartAgain):
            give_time_back(student)
            raise error
        return outcome

    def _student(self, wanted: Wanted, shares: bool) -> Asked:
        """Return a student: a fresh one, or for tests that share one that of the test before."""
        if not shares:
            return self._students(wanted.exercise)
        if self._shared is None or self._shared[0] != wanted.path:
            self.end()
            self._shared = wanted.path, self._students(wanted.exercise)
        return self._shared[1]


def skipped(premise: Wanted) -> JudgedOutcome:
    """Return the outcome of a test whose premise has not passed."""
    return JudgedOutcome("skipped", f"needs “{premise.title}”, which has not passed")


def _key(item: Any) -> tuple[Path, str]:
    return item.path, getattr(item, "originalname", item.name)


def outcome_of(error: BaseException | None, student: Asked | None) -> JudgedOutcome:
    """Return the outcome of a test that returned, or raised `error`.

    How the box ended counts before all that the test made of it.
    """
    ended = error if isinstance(error, BoxEnded) else None
    refused = printed = ""
    if isinstance(student, BoxedStudent):
        ended = ending_of(student) or ended
        refused, printed = refused_value(student), printed_by(student)
    if ended is not None:
        return JudgedOutcome(
            ended.status, ended.message, None, printed, ended.waited, starved=ended.starved
        )
    if error is None:
        return JudgedOutcome("pass", printed=printed)
    status, message = _told(error)
    if status == "fail" and refused:
        status = "protocol"
    wrong = error if isinstance(error, Wrong) else None
    stumbled = status == "infra" and not isinstance(error, NoBox)
    waited = isinstance(error, OutOfTime) and isinstance(student, BoxedStudent)
    return JudgedOutcome(status, message, wrong, printed, waited, stumbled)


def _told(error: BaseException) -> tuple[str, str]:
    """Return the status and the message of what a test raised."""
    if isinstance(error, Wrong):
        return "fail", error.what
    if isinstance(error, LoadError):
        return "error-import", f"Your file cannot be loaded: {error}."
    if isinstance(error, StudentError):
        if error.is_stub:
            where = f", line {error.line} of your file" if error.line else ""
            return "fail", f"Not written yet{where}."
        return "fail", f"Your code raised {error}."
    if isinstance(error, AssertionError):
        return "fail", str(error) or "what the check asserts does not hold"
    if isinstance(error, OutOfTime):
        return "timeout", f"the check did not end within {TEST_SECONDS} s"
    if isinstance(error, NoBox):
        return "infra", str(error)
    if isinstance(error, MemoryError):
        return "infra", USED_UP
    return "infra", "".join(traceback.format_exception(error))[-4000:]

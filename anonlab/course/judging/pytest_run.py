"""pytest on the tests of one exercise, in this process and configured by nothing but this.

A verdict is what a test did: it returned, or what it raised says why not. pytest collects, makes
the fixtures and runs; what it would print, and its exit code, are not asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from anonlab.box.endings import BoxEnded
from anonlab.course.judging.boxed_student import Asked, close, ending_of
from anonlab.course.judging.call_answers import Wrong, it_printed, load_tests
from anonlab.course.judging.marks import Verdict, time_limit, title_of
from anonlab.course.judging.student import LoadError, OutOfTime, StudentError, printed_by_call

OPTIONS = (
    # Nothing is read from the folders around, nothing is written to them, and nothing is printed.
    *("-c", os.devnull, "--noconftest", "--capture=no", "--assert=plain"),
    *(f"-pno:{name}" for name in ("cacheprovider", "terminal", "faulthandler", "junitxml")),
    *(f"-pno:{name}" for name in ("doctest", "pastebin", "stepwise", "unittest", "logging")),
    *(f"-pno:{name}" for name in ("legacypath", "setuponly", "setupplan", "debugging")),
    *("-pno:subtests", "-pno:warnings"),
    # These two collect all garbage at the end of every run, which a notebook's kernel has a lot of.
    *("-pno:unraisableexception", "-pno:threadexception"),
)
ENVIRONMENT = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DEBUG", "PYTEST_THEME")
AUTOLOAD = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"


class ExerciseTests:
    """The plugin of one run: fixtures `student` and `seed`, and a verdict for every test.

    points   the tests to run, in this order, with what each gives
    student  makes a fresh student for each test that asks for one
    broken   what a test raised that no answer should make it raise, None if there is no such
    """

    def __init__(
        self,
        module: ModuleType,
        points: dict[str, int],
        student: Callable[[], Asked],
        seed: int,
        seconds: float,
    ) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.broken: BaseException | None = None
        self._module, self._points = module, points
        self._make, self._seed, self._seconds = student, seed, seconds

    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> object:
        """Give pytest the module that is loaded: a file that has changed is never an old one."""
        made = pytest.Module.from_parent(parent, path=module_path)
        made.obj = self._module
        return made

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what gives points, in the order of the master."""
        order = list(self._points)
        wanted = [item for item in items if _name(item) in order]
        items[:] = sorted(wanted, key=lambda item: order.index(_name(item)))

    @pytest.fixture
    def student(self) -> Iterator[Asked]:
        """The learner's code, loaded anew."""
        with time_limit(self._seconds):
            made = self._make()
        yield made
        close(made)

    @pytest.fixture
    def seed(self) -> int:
        """The seed of the learner's variant."""
        return self._seed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Pass over a test whose premise has not passed."""
        before = self.verdicts.get(getattr(_function(item), "needs", ""))
        if before is not None and before.status != "pass":
            pytest.skip(f"needs “{before.title}”, which has not passed")

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self) -> Generator[None, object, object]:
        """Stop a test that does not end."""
        with time_limit(self._seconds):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> pytest.TestReport:
        """Keep the verdict; of many with one name, the first that did not pass."""
        name, error = _name(item), call.excinfo.value if call.excinfo else None
        student = getattr(item, "funcargs", {}).get("student")
        error = ending_of(student) or error  # whatever the test made of it
        before = self.verdicts.get(name)
        if (error or call.when == "call") and (before is None or before.status == "pass"):
            self.verdicts[name] = self._verdict(item, error, student)
        outcome = "failed" if error else "passed"
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, call.when)  # type: ignore[arg-type]

    def _verdict(
        self, item: pytest.Item, error: BaseException | None, student: Asked | None
    ) -> Verdict:
        name, title, most = _name(item), title_of(_function(item)), self._points[_name(item)]
        if error is None:
            return Verdict(name, title, "pass", most, most)
        status, message = self._reason(error)
        wrong = error if isinstance(error, Wrong) else None
        printed = printed_by_call(student) or getattr(error, "printed", "")
        if printed and not (wrong is not None and wrong.call) and status != "skipped":
            message = f"{message}\n{it_printed(printed)}"
        return Verdict(name, title, status, 0, most, message, wrong)

    def _reason(self, error: BaseException) -> tuple[str, str]:
        """Return status and message; what no answer should make a test raise is `broken`."""
        if isinstance(error, Wrong):
            return "fail", str(error)
        if isinstance(error, StudentError):
            return _status(error), _sentence(error)
        if isinstance(error, BoxEnded):
            return error.status, error.message
        if isinstance(error, OutOfTime):
            return "timeout", (
                f"no answer after {self._seconds:g} s: is there a loop that never ends?"
            )
        if isinstance(error, pytest.skip.Exception):
            return "skipped", str(error)
        self.broken = self.broken or error
        return "broken", f"{type(error).__name__}: {error}"


def run_exercise(
    path: Path,
    points: dict[str, int],
    student: Callable[[], Asked],
    seed: int,
    seconds: float,
) -> tuple[Verdict, ...]:
    """Run the tests of the file `path` that `points` names, each with a fresh `student()`.

    raises  FileNotFoundError if there are no tests, AssertionError if a named test is not there;
            whatever a test raises that is no verdict; KeyboardInterrupt
    """
    module = load_tests(path)
    tests = ExerciseTests(module, points, student, seed, seconds)
    for name in points:
        assert hasattr(module, name), f"{path.name} has no test {name!r}, which the master names"
    with _nothing_from_outside():
        places = (f"--rootdir={path.parent}", f"--confcutdir={path.parent}")
        ended = pytest.main([str(path), *OPTIONS, *places], [tests])
    if ended == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if tests.broken is not None:
        raise tests.broken
    missing = [name for name in points if name not in tests.verdicts]
    assert not missing, f"pytest did not run {missing[0]!r} of {path.name}: {ended!r}"
    return tuple(tests.verdicts[name] for name in points)


@contextmanager
def _nothing_from_outside() -> Iterator[None]:
    """Inside the block, pytest finds no options and no plugins of the person who uses it."""
    before, folders = dict(os.environ), list(sys.path)
    for name in ENVIRONMENT:
        os.environ.pop(name, None)
    os.environ[AUTOLOAD] = "1"
    try:
        yield
    finally:
        sys.path[:] = folders
        for name in (*ENVIRONMENT, AUTOLOAD):
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]


def _function(item: pytest.Item) -> object:
    return getattr(item, "function", None)


def _name(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", item.name))


def _status(error: StudentError) -> str:
    if error.is_stub:
        return "stub"
    return "error-import" if isinstance(error, LoadError) else "fail"


def _sentence(error: StudentError) -> str:
    if error.is_stub:
        where = f", {error.place}" if error.place else ""
        return f"Not written yet{where}: {error.message or 'your code goes here'}."
    return f"Your code raised {error}." + (f"\n{error.code}" if error.code else "")

"""Grade one submission: a task for any pool, which runs the trusted pytest in its own process.

The process never imports, unpickles or evaluates anything of a student's. What depends on nothing
but a course's folder is read once and kept, and read again when a file has changed.
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import hmac
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from anonlab.box.boxes import end_boxes
from anonlab.box.calls import NoBox
from anonlab.box.endings import Clock
from anonlab.course.authoring.exercises import student_view
from anonlab.course.authoring.masters import Master, read_masters, tests_of
from anonlab.course.authoring.variants import variant_seed
from anonlab.course.judging.boxed_student import Asked, BoxedStudent, File
from anonlab.course.judging.made_questions import keep_questions
from anonlab.course.judging.student import Student
from anonlab.grading.intake.submission import Settings, Submission
from anonlab.grading.judging.course_files import keep_right_answers
from anonlab.grading.judging.memory import USED_UP, judge_memory, seldom_collected
from anonlab.grading.judging.plugin import JudgedOutcome, Judging, Wanted, skipped
from anonlab.grading.judging.redact import redact_outcome
from anonlab.grading.store.result import Result, TestResult

OFFICIAL = Path(__file__).with_name("official.ini")
REPEATS = 2
"""So often a test is run again that had trouble of the grader; a time-out is repeated once."""
HIDDEN_INPUTS = b"anonlab: hidden inputs"
"""What the key of hidden inputs is derived with; no student's id is in it."""
SEEDS = 16
"""So many sets of hidden inputs an exercise has: what is right is worked out once for each. More
would only help those who hand in again and again until a wrong answer is lucky."""
KEPT_QUESTIONS = 100_000
NO_SENSE = "the check could make no sense of what your code returned: is it of the right kind?"
STARVED = "its box got too little of a processor, twice"
ENVIRONMENT = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DEBUG", "PYTEST_THEME")


@dataclass(frozen=True)
class Tests:
    """The test file of one kind of one exercise: digest of its bytes, titles of its tests by name,
    and whether what it asks depends on the student's variant."""

    path: Path
    digest: str
    titles: dict[str, str]
    has_task: bool


def grade_one(submission: Submission, settings: Settings) -> Result:
    """Return the result of one submission: an outcome for every test of every exercise.

    The same submission and settings give the same result, but for `timing`. `key` is left empty:
    the store knows it.
    raises  ValueError or FormatError for a wrong course or settings; never for a submission
    """
    with _ONE_AT_A_TIME:
        try:
            with judge_memory(settings.judge_mebibytes), seldom_collected():
                return _graded(submission, settings)
        except MemoryError:  # outside of any test
            return _result(submission, settings, "infra", (), USED_UP)
        finally:
            with contextlib.suppress(NoBox):  # then the zygote is gone, and all boxes with it
                end_boxes()


_ONE_AT_A_TIME = threading.Lock()
"""pytest takes over what a whole process has: sys.path, the environment, standard output. Some
engines run tasks in threads."""


def _graded(submission: Submission, settings: Settings) -> Result:
    begin = time.monotonic()
    keep_questions(KEPT_QUESTIONS)
    keep_right_answers(settings.course, settings.kept)
    wanted = wanted_tests(submission, settings)
    if submission.rejected:
        return _result(submission, settings, "rejected", (), submission.rejected)
    masters = _masters(settings.course)
    fixed = {
        number: status
        for number in settings.points
        if (status := _without_a_run(submission.files.get(number), masters[number]))
    }
    run = [each for each in wanted if each.exercise not in fixed]
    outcomes = {each: JudgedOutcome(fixed[each.exercise]) for each in wanted if each not in run}
    repeats = _run_all(run, outcomes, submission, settings)
    tests = tuple(redact_outcome(each, outcomes[each]) for each in wanted)
    timing = {"seconds": round(time.monotonic() - begin, 4), "repeats": float(repeats)}
    return _result(submission, settings, _status(tests), tests, timing=timing)


def _result(
    submission: Submission,
    settings: Settings,
    status: str,
    tests: tuple[TestResult, ...],
    reason: str = "",
    timing: dict[str, float] | None = None,
) -> Result:
    return Result(
        submission=submission.id,
        student=submission.student,
        assignment=settings.assignment,
        key="",
        status=status,
        tests=tests,
        reason=reason,
        ignored=submission.ignored,
        notes=submission.notes,
        official=not settings.in_process,
        timing=timing or {},
    )


def _status(tests: tuple[TestResult, ...]) -> str:
    """Return the status of a submission whose tests ended like this."""
    statuses = {test.status for test in tests}
    if "infra" in statuses:
        return "infra"
    for status in ("missing", "unchanged"):
        if statuses == {status}:
            return status
    return "unchanged" if statuses == {"missing", "unchanged"} else "graded"


def _without_a_run(path: Path | None, master: Master) -> str:
    """Return 'missing' or 'unchanged' if nothing is to be run, else ''."""
    if path is None or not path.is_file():
        return "missing"
    text = path.read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n")
    if not text.strip():
        return "missing"
    view = student_view(master)
    templates = (view.stub, f"{view.header}\n{view.stub}")
    return "unchanged" if text.strip() in {each.strip() for each in templates} else ""


# -- what is asked ---------------------------------------------------------------------------------

_MASTERS: dict[Path, tuple[str, dict[str, Master]]] = {}
_TESTS: dict[Path, Tests] = {}


def _masters(course: Path) -> dict[str, Master]:
    """Return the masters of a course by number; read once, and again when one has changed."""
    folder = course / "solutions"
    state = repr([(path.name, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.py"))])
    if course not in _MASTERS or _MASTERS[course][0] != state:
        _MASTERS[course] = state, {each.number: each for each in read_masters(folder)}
    return _MASTERS[course][1]


def _tests(path: Path) -> Tests:
    """Return what a test file holds. One that has changed is loaded anew by pytest too."""
    code = path.read_bytes()
    digest = hashlib.sha256(code).hexdigest()
    loaded = sys.modules.get(path.stem)
    if path not in _TESTS or _TESTS[path].digest != digest:
        titles = _titles(code)
        _TESTS[path] = Tests(path, digest, titles, "statement" in titles)
        sys.modules.pop(path.stem, None)
    elif loaded is not None and loaded.__file__ != str(path):
        del sys.modules[path.stem]  # of another course
    return _TESTS[path]


def _titles(code: bytes) -> dict[str, str]:
    """Return the titles of functions by name; of a file that is no Python pytest will tell."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return {}
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {
        node.name: (ast.get_docstring(node) or node.name).splitlines()[0].rstrip(".")
        for node in functions
    }


def wanted_tests(submission: Submission, settings: Settings) -> list[Wanted]:
    """Return every test that must get an outcome, with its points and the seed of its inputs.

    raises  ValueError for an exercise that the course does not have
    """
    masters, found = _masters(settings.course), []
    for number, total in settings.points.items():
        if number not in masters:
            raise ValueError(f"{settings.course}: there is no exercise {number!r}")
        master = masters[number]
        files = {kind: _tests(tests_of(settings.course, master, kind)) for kind in _KINDS}
        names = [(name, most, False) for name, most in master.public.items()]
        names += [(name, most, True) for name, most in master.hidden.items()]
        shares = scaled([most for _, most, _ in names], total)
        for (name, _, hidden), most in zip(names, shares, strict=True):
            tests = files["hidden" if hidden else "public"]
            seed = seed_of(submission, settings, number, hidden and not files["public"].has_task)
            title = tests.titles.get(name, name)
            right = f"{tests.path.name} {name} {seed}"
            found.append(Wanted(number, name, hidden, tests.path, title, most, seed, right))
    return found


_KINDS = ("public", "hidden")


def scaled(points: list[int], total: int) -> list[float]:
    """Return the points of tests so that they sum up to `total`."""
    found = [round(each * total / sum(points), 6) for each in points]
    found[-1] = round(total - sum(found[:-1]), 6)
    return found


def seed_of(submission: Submission, settings: Settings, number: str, keyed: bool) -> int:
    """Return the seed of inputs.

    keyed  inputs that nobody can foresee, one of SEEDS sets, from the secret and the bytes of the
           submission: a regrade repeats them. Their key is not that of variants, so that a
           student's variant.json says nothing of them. Otherwise those of the student's own
           variant, as on the laptop
    """
    if keyed:
        path = submission.files.get(number)
        code = path.read_bytes() if path is not None and path.is_file() else b""
        key = hmac.digest(settings.secret.encode(), HIDDEN_INPUTS, "sha256")
        which = hmac.digest(key, hashlib.sha256(code).digest(), "sha256")[0] % SEEDS
        message = f"{settings.assignment}|{number}|{which}"
        return int.from_bytes(hmac.digest(key, message.encode(), "sha256")[:8])
    if settings.variants and submission.student:
        return variant_seed(settings.secret, submission.variant or submission.student, number)
    return 0


# -- running it ------------------------------------------------------------------------------------


def _run_all(
    wanted: list[Wanted],
    outcomes: dict[Wanted, JudgedOutcome],
    submission: Submission,
    settings: Settings,
) -> int:
    """Run the tests, some of them again; fill `outcomes`, and return how many runs that took."""
    make = _maker(submission, settings)
    _run(wanted, outcomes, make)
    repeats = 0
    for repeat in range(1, REPEATS + 1):
        again = [each for each in wanted if _again(outcomes[each], repeat)]
        if not again:
            break
        repeats = repeat
        again = [each for each in wanted if each in again or outcomes[each].status == "skipped"]
        with _alone():
            _run(again, outcomes, _maker(submission, settings))
    _settle(wanted, outcomes, settings)
    return repeats


def _settle(
    wanted: list[Wanted], outcomes: dict[Wanted, JudgedOutcome], settings: Settings
) -> None:
    """Let a test fail that stumbles over this submission, and only over it.

    A test that raises a TypeError is trouble of the grader. If the solution passes it, with the
    same inputs, it was an answer of the wrong kind: nobody gets out of a test that way. What was
    waiting for its verdict follows it. Who never got the processor has no verdict, and no 0.
    """
    doubtful = [each for each in wanted if outcomes[each].stumbled]
    masters = _masters(settings.course)
    right: dict[Wanted, JudgedOutcome] = {}
    _run(doubtful, right, lambda exercise: Student(masters[exercise].solution))
    for each in doubtful:
        if right[each].status == "pass":
            outcomes[each] = JudgedOutcome("fail", NO_SENSE, private=outcomes[each].message)
    for each in wanted:
        outcome = outcomes[each]
        if outcome.starved:
            outcomes[each] = JudgedOutcome("infra", f"{STARVED}: {outcome.message}")
        elif outcome.premise and outcomes[outcome.premise].status not in ("infra", "pass"):
            outcomes[each] = skipped(outcome.premise)


def _again(outcome: JudgedOutcome, repeat: int) -> bool:
    """Return whether a test is run once more: once for a time-out of a box that had to wait for the
    CPU, twice for trouble of the grader."""
    return outcome.status == "infra" or (outcome.waited and repeat == 1)


def _run(
    wanted: list[Wanted], outcomes: dict[Wanted, JudgedOutcome], make: Callable[[str], Asked]
) -> None:
    """Run the tests once and put their outcomes in their place."""
    if not wanted:
        return
    judging = Judging(wanted, make, {key: outcomes[key] for key in outcomes if key not in wanted})
    try:
        run_pytest(sorted({each.path for each in wanted}), judging)
    finally:
        judging.end()
    why = "\n".join(judging.troubles) or "pytest did not run it: is there such a test?"
    for each in wanted:
        outcomes[each] = judging.outcomes.get(each) or JudgedOutcome("infra", why)


def run_pytest(paths: list[Path], judging: Judging) -> None:
    """Run pytest on test files of ours in this process, configured by nothing but this."""
    before = {name: os.environ.pop(name) for name in ENVIRONMENT if name in os.environ}
    autoload = os.environ.get(_AUTOLOAD)
    os.environ[_AUTOLOAD] = "1"
    folders = list(sys.path)
    try:
        # Without confcutdir pytest lists every folder above the tests, for each submission again.
        places = (f"--rootdir={OFFICIAL.parent}", f"--confcutdir={paths[0].parent}")
        pytest.main([*map(str, paths), *_OPTIONS, *places], [judging])
    finally:
        sys.path[:] = folders
        os.environ.update(before)
        os.environ.pop(_AUTOLOAD)
        if autoload is not None:
            os.environ[_AUTOLOAD] = autoload


_AUTOLOAD = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
_OPTIONS = (
    # pytest's own explanation of a failed assert can take hours, if an answer is made for that.
    *("-c", str(OFFICIAL), "--noconftest", "--capture=sys", "--assert=plain"),
    *(f"-pno:{name}" for name in ("cacheprovider", "terminal", "faulthandler", "junitxml")),
    *(f"-pno:{name}" for name in ("doctest", "pastebin", "stepwise", "unittest", "logging")),
    *(f"-pno:{name}" for name in ("legacypath", "setuponly", "setupplan", "debugging")),
    "-pno:warnings",  # it sets Python's filters anew around every test, and nobody reads them
    "-pno:subtests",  # what fails in one is not raised: the test would pass
    # These two collect all garbage at the end of every run: for one submission, half of its time.
    *("-pno:unraisableexception", "-pno:threadexception"),
)


def _maker(submission: Submission, settings: Settings) -> Callable[[str], Asked]:
    """Return what makes a student for an exercise. Each exercise has its own box time."""
    files: dict[str, File] = {}

    def make(exercise: str) -> Asked:
        path = submission.files[exercise]
        if settings.in_process:
            return Student.load(path)
        clock = Clock(settings.call_seconds, settings.box_seconds)
        return BoxedStudent(files.setdefault(exercise, File(path, clock)))

    return make


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Repeat one thing at a time on this machine, among the graders of one user."""
    path = Path(tempfile.gettempdir()) / f"anonlab-repeat-{os.geteuid()}"
    flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError:  # somebody else's file: then among others
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

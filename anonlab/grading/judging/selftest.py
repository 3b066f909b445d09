"""The grader grades what is known: `anonlab grade --selftest`, before a class is graded.

The solution of every exercise must get full points, the template none, every known wrong answer
less than full points, and the box, with Landlock and without, must come to the same verdict as this
process, test by test.
Whatever is not so is a problem, named with its exercise.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from anonlab.box.boxes import no_landlock
from anonlab.course.authoring.masters import Master, read_masters
from anonlab.course.authoring.selfcheck import read_wrongs
from anonlab.grading.intake.submission import Settings, Submission
from anonlab.grading.judging.grade_submission import grade_one
from anonlab.grading.store.result import Result
from anonlab.proof.workers import map_processes

SECRET = "a secret of the selftest"
TOUCHED = "\n# This line makes a template one that has been changed.\n"
BACK_ENDS = ("in-process", "box", "box without Landlock")
REFERENCE, TEMPLATE, CHANGED, WRONG = "solution", "template", "template, changed", "wrong answer"


def selftest(
    course: Path,
    points: dict[str, int] | None = None,
    box: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Grade what is known of the exercises of `course`; return counts, and `problems` as sentences.

    points    by exercise: which to test, and what each counts for; None takes all
    box       False: in this process only, and no two back ends are compared
    progress  called with (gradings done, gradings in all)
    raises    ValueError or OSError if there is no such course or exercise. Whether the box works
              at all must have been checked before
    """
    begin = time.monotonic()
    answers = _known_answers(course, points)
    verdicts: list[Verdict] = []
    for verdict in map_processes(grade_known, [(answer, box) for answer in answers]):
        verdicts.append(verdict)
        if progress is not None:
            progress(len(verdicts), len(answers))
    good = {kind: list[bool]() for kind in (REFERENCE, TEMPLATE, CHANGED, WRONG)}
    for answer, verdict in zip(answers, verdicts, strict=True):
        good[answer.kind].append(not verdict.problems)
    return {
        "exercises": len({answer.number for answer in answers}),
        "solutions": {"total": len(good[REFERENCE]), "full": sum(good[REFERENCE])},
        "templates": {
            "total": len(good[TEMPLATE]),
            "unchanged": sum(good[TEMPLATE]),
            "zero": sum(good[CHANGED]),
        },
        "wrong_answers": {"total": len(good[WRONG]), "below_full": sum(good[WRONG])},
        "tests_compared": sum(verdict.compared for verdict in verdicts),
        "back_ends": list(BACK_ENDS if box else BACK_ENDS[:1]),
        "seconds": round(time.monotonic() - begin, 1),
        "problems": [text for verdict in verdicts for text in verdict.problems],
    }


class KnownAnswer(NamedTuple):
    """An answer to exercise `number`, for `most` points: `at` says which of its kind."""

    course: Path
    number: str
    most: int
    kind: str
    at: int


class Verdict(NamedTuple):
    """What is wrong with what came out, and how many tests ended in two back ends."""

    problems: list[str]
    compared: int


def _known_answers(course: Path, points: dict[str, int] | None) -> list[KnownAnswer]:
    masters = {master.number: master for master in read_masters(course / "solutions")}
    points = points or {number: master.points for number, master in masters.items()}
    if unknown := sorted({*points} - {*masters}):
        raise ValueError(f"{course}: there is no exercise {unknown[0]!r}; there are {[*masters]}")
    return [
        KnownAnswer(course, number, most, kind, at)
        for number, most in points.items()
        for kind, at in _kinds(len(read_wrongs(course, masters[number])))
    ]


def _kinds(nwrong: int) -> Iterable[tuple[str, int]]:
    yield from ((REFERENCE, 0), (TEMPLATE, 0), (CHANGED, 0))
    yield from ((WRONG, at) for at in range(nwrong))


def grade_known(answer: KnownAnswer, box: bool) -> Verdict:
    """Be a worker: grade one known answer, and say what is wrong with what came out."""
    masters = read_masters(answer.course / "solutions")
    master = next(each for each in masters if each.number == answer.number)
    name, code = _answer(answer.course, master, answer.kind, answer.at)
    points = {answer.number: answer.most}
    results = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{master.name}.py"
            path.write_text(code, "utf-8")
            submission = Submission("selftest", "", {answer.number: path})
            for back_end in BACK_ENDS if box else BACK_ENDS[:1]:
                settings = Settings(
                    answer.course, "selftest", points, SECRET, in_process=back_end == BACK_ENDS[0]
                )
                with no_landlock() if back_end == BACK_ENDS[2] else nullcontext():
                    results.append(grade_one(submission, settings))
    except Exception as error:  # noqa: BLE001  tests that are broken are what is looked for
        why = f"cannot be graded: {type(error).__name__}: {error}"
        return Verdict([f"{answer.number}, {name}: {why}"], 0)
    problems = _problems(answer.kind, results[0])
    for back_end, result in zip(BACK_ENDS[1:], results[1:], strict=False):
        problems = problems or [f"in the {back_end}: {text}"
                                for text in _problems(answer.kind, result)]  # fmt: skip
        problems += _differences(results[0], result, back_end)
    compared = len(results[0].tests) if len(results) > 1 else 0
    return Verdict([f"{answer.number}, {name}: {text}" for text in problems], compared)


def _answer(root: Path, master: Master, kind: str, at: int) -> tuple[str, str]:
    """Return the name and the code of a known answer."""
    if kind == WRONG:
        message, old, new = read_wrongs(root, master)[at]
        return f"{kind} “{message}”", master.solution.replace(old, new)
    code = master.solution if kind == REFERENCE else f"{master.header}\n{master.stub}"
    return kind, code + (TOUCHED if kind == CHANGED else "")


def _problems(kind: str, result: Result) -> list[str]:
    """Return what is wrong with the result of an answer of this kind."""
    troubled = [test for test in result.tests if test.status == "infra"]
    if troubled:
        why = str(troubled[0].private.get("message", "")).strip().splitlines()
        return [f"{troubled[0].test} has trouble of its own: {why[-1] if why else 'no verdict'}"]
    if kind == REFERENCE:
        return [f"{test.test} ends with {test.status}: {_why(test.shown, test.private)}"
                for test in result.tests if test.status != "pass"]  # fmt: skip
    if kind == TEMPLATE:
        wanted = ("unchanged", 0.0)
        got = (result.status, result.score)
        return [] if got == wanted else [f"it is graded as {got[0]} with {got[1]} points"]
    if kind == CHANGED:
        return [f"{test.test} passes" for test in result.tests if test.points]
    full = result.score is not None and result.score >= result.most
    return ["it gets full points"] if full else []


def _why(shown: dict[str, str], private: dict[str, Any]) -> str:
    text = str(shown.get("message") or private.get("message") or "no message")
    return (text.strip().splitlines() or ["no message"])[0]


def _differences(process: Result, box: Result, name: str) -> list[str]:
    """Return where two back ends differ, test by test."""
    if len(process.tests) != len(box.tests):
        return [f"{len(process.tests)} verdicts in this process, {len(box.tests)} in the {name}"]
    return [
        f"{one.test} ends with {one.status} ({one.points}) in this process, "
        f"with {other.status} ({other.points}) in the {name}"
        for one, other in zip(process.tests, box.tests, strict=True)
        if (one.status, one.points, one.hint) != (other.status, other.points, other.hint)
    ]

"""The course checks itself: what `anonlab course check` proves, for this course and for others.

For each exercise: the stub fails with a sentence, the solution gets full points, every known wrong
answer loses points and gets its own message, every promise of the statement has tests that a wrong
answer fails, every mutant of the solution loses points or is listed as right, hints are there and
give nothing away. For all: generated files are current, notebooks run, worked examples fade,
figures have text twins, terms come after what introduces them, a release holds no solution.
"""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonlab.course.authoring.contract import contract_problems, unbroken
from anonlab.course.authoring.fading import examples_that_tell, hints_that_tell
from anonlab.course.authoring.masters import Master, read_masters
from anonlab.course.authoring.masters import tests_of as tests_of
from anonlab.course.authoring.mutation import survey
from anonlab.course.authoring.release import leaks, write_release
from anonlab.course.judging.call_answers import load_tests
from anonlab.course.judging.marks import Verdict
from anonlab.course.judging.runner import run_tests
from anonlab.course.judging.student import Student
from anonlab.proof.workers import map_processes

LEAST_HINTS, LEAST_WRONG, LEAST_FAMILIES, LONGEST_LINE = 3, 3, 4, 100
FEW_WRONG = "known wrong answers"
COUNTED = ("total", "killed", "equivalent")
"""What is counted of mutants."""
Wrongs = tuple[tuple[str, str, str], ...]
"""Known wrong answers: (part of the message, text of the solution, what stands there instead)."""


@dataclass
class Findings:
    """What a check found; `to_json` is what `anonlab course check --json` prints."""

    notebooks: int = 0
    exercises: int = 0
    points: int = 0
    hints: int = 0
    wrong_total: int = 0
    wrong_caught: int = 0
    wrong_explained: int = 0
    mutants: dict[str, dict[str, int]] = field(default_factory=dict)
    survivors: list[str] = field(default_factory=list)
    minutes: dict[str, Any] = field(default_factory=dict)
    prose: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the findings as plain data."""
        return {
            "notebooks": self.notebooks,
            "exercises": self.exercises,
            "points": self.points,
            "hints": self.hints,
            "wrong_answers": {
                "total": self.wrong_total,
                "caught": self.wrong_caught,
                "with_own_message": self.wrong_explained,
            },
            "mutants": {
                **{name: sum(each[name] for each in self.mutants.values()) for name in COUNTED},
                "survivors": self.survivors,
                "by_exercise": self.mutants,
            },
            "minutes": self.minutes,
            "prose": self.prose,
            "problems": self.problems,
        }


def check_course(root: Path, progress: Callable[[int, int], None] | None = None) -> Findings:
    """Check the course in `root`, which holds solutions/, exercises/, tests/ and notebooks/.

    progress  called with (parts done, parts in all)
    raises    ValueError or OSError if there is no such course
    """
    found = read_course(root)
    jobs = course_jobs(root)
    for done, result in enumerate(map_processes(part, jobs), 1):
        found.wrong_total += result["total"]
        found.wrong_caught += result["caught"]
        found.wrong_explained += result["explained"]
        found.mutants.update(result.get("mutants", {}))
        found.survivors += result.get("survivors", [])
        found.problems += result["problems"]
        if progress is not None:
            progress(done, len(jobs))
    return found


def read_course(root: Path) -> Findings:
    """Return what reading the course in `root` finds: `check_course` without running exercises."""
    # late: jupytext and what cuts sentences, which graders need not wait for
    from anonlab.course.authoring.build import course_drift
    from anonlab.course.authoring.course_prose import prose_counts, prose_problems, read_prose
    from anonlab.course.authoring.minutes import core_minutes, minutes_problems, notebook_minutes
    from anonlab.course.authoring.reveals import reveal_problems

    masters = read_masters(root / "solutions")
    books = sorted((root / "notebooks").glob("*.ipynb"))
    found = Findings(len(books), len(masters))
    found.points = sum(master.points for master in masters)
    found.hints = sum(len(master.hints) for master in masters)
    found.problems += course_drift(root / "notebooks")
    found.problems += whole_problems(root) + reveal_problems(root / "notebooks")
    sentences = read_prose(root)
    found.prose = prose_counts(sentences)
    found.problems += prose_problems(root, sentences)
    times = notebook_minutes(root / "notebooks", {each.number: each.minutes for each in masters})
    found.minutes = {
        "core": core_minutes(times),
        "by_notebook": {number: each.total for number, each in times.items()},
    }
    found.problems += minutes_problems(times)
    return found


def course_jobs(root: Path) -> list[list[str]]:
    """Return what `part` is to do for the course in `root`: the mutants of every exercise, which
    take longest, every exercise, then every notebook."""
    masters = read_masters(root / "solutions")
    books = sorted((root / "notebooks").glob("*.ipynb"))
    kinds = ("mutants", "exercise")
    jobs = [[kind, str(root), master.number] for kind in kinds for master in masters]
    return jobs + [["notebook", str(root), book.name] for book in books]


def whole_problems(root: Path) -> list[str]:
    """Return what is wrong between the parts: a release or a worked example that tells, an exercise
    that nobody asks for, words before their time, a paragraph of the mail about which
    nothing is asked."""
    from anonlab.course.authoring.reveals import mail_problems  # late, as above
    from anonlab.course.authoring.vocabulary import vocabulary_problems

    masters = read_masters(root / "solutions")
    return (
        _released(root, masters)
        + not_asked(root / "notebooks", masters)
        + examples_that_tell(root / "notebooks", masters)
        + vocabulary_problems(root / "notebooks", masters)
        + mail_problems(root / "notebooks")
    )


def not_asked(notebooks: Path, masters: tuple[Master, ...]) -> list[str]:
    """Return one sentence for each exercise that no cell of a notebook asks for; a lab needs no
    cell."""
    said = "\n".join(path.read_text("utf-8") for path in (notebooks / "source").glob("*.py"))
    asked = set(re.findall(r"^# %%exercise (\w+)", said, re.MULTILINE))
    return [
        f"no notebook asks for {each.number}: a cell '%%exercise {each.number}' does"
        for each in masters
        if each.number not in asked and not each.is_lab
    ]


def part(kind: str, root: str, name: str) -> dict[str, Any]:
    """Be a worker: check one exercise, the mutants of its solution, or one notebook."""
    if kind in ("exercise", "mutants"):
        masters = read_masters(Path(root) / "solutions")
        check = check_master if kind == "exercise" else check_mutants
        return check(Path(root), next(each for each in masters if each.number == name))
    from anonlab.course.authoring.notebook_check import run_notebook

    problems = run_notebook(Path(root), name)
    return {"total": 0, "caught": 0, "explained": 0, "problems": problems}


def check_master(root: Path, master: Master) -> dict[str, Any]:
    """Check one exercise; return counts of its wrong answers, and its problems."""
    result = {"total": 0, "caught": 0, "explained": 0}
    try:
        problems = _form(root, master)
        if all(FEW_WRONG in each for each in problems):
            problems += _stub_and_solution(root, master) + _wrongs(root, master, result)
        messages = [message for message, _, _ in read_wrongs(root, master)]
        tests = {**master.public, **master.hidden}
        problems += contract_problems(master.promised, master.promises, tests, messages)
        problems += hints_that_tell(master)
    except Exception as error:  # noqa: BLE001  tests that are broken are a finding too
        problems = [f"its tests are broken: {type(error).__name__}: {error}"]
    return {**result, "problems": [f"{master.number}: {text}" for text in problems]}


def check_mutants(root: Path, master: Master) -> dict[str, Any]:
    """Try the mutants of one solution; return counts, survivors and problems."""
    result: dict[str, Any] = {"total": 0, "caught": 0, "explained": 0, "problems": []}
    try:
        found = survey(root, master)
    except Exception as error:  # noqa: BLE001  tests that are broken are a finding too
        text = f"{master.number}: a mutant breaks its tests: {type(error).__name__}: {error}"
        return {**result, "problems": [text]}
    survivors = [f"{master.number}: {name}" for name in found.survivors]
    stale = [
        f"{master.number}: listed as equivalent, but it is not: {name}" for name in found.stale
    ]
    problems = [f"{each}: full points; is it right? say why in the master" for each in survivors]
    return {
        **result,
        "mutants": {master.number: dict(zip(COUNTED, found[:3], strict=True))},
        "survivors": survivors,
        "problems": problems + stale,
    }


def _wrongs(root: Path, master: Master, result: dict[str, int]) -> list[str]:
    """Try every known wrong answer, count in `result`, and return what is wrong with them."""
    problems = []
    for message, old, new in read_wrongs(root, master):
        verdicts = run_all(root, master, master.solution.replace(old, new))
        lost = any(each.status != "pass" for each in verdicts)
        explained = lost and any(message in each.message for each in verdicts)
        result["total"] += 1
        result["caught"] += lost
        result["explained"] += explained
        failed = [each.test for each in verdicts if each.status == "fail"]
        problems += [
            f"[^{name}] is not broken by: {message}"
            for name in unbroken(message, master.promises, failed)
        ]
        if not lost:
            problems.append(f"nothing is lost by: {message}")
        elif not explained:
            problems.append(f"no test says: {message}")
    return problems


def _form(root: Path, master: Master) -> list[str]:
    """Return what is wrong with the form of an exercise, before anything is run."""
    problems = []
    for what, number, least in (
        ("hints", len(master.hints), LEAST_HINTS),
        ("families", len(master.families), LEAST_FAMILIES),
    ):
        if number < least:
            problems.append(f"{number} {what}, at least {least} are needed")
    file = f"{master.header}\n{master.stub}".splitlines()
    problems += [f"line {at} of the student's file has more than {LONGEST_LINE} characters"
                 for at, line in enumerate(file, 1) if len(line) > LONGEST_LINE]  # fmt: skip
    if not all(text.strip() for text in master.hints):
        problems.append("an empty hint")
    if sum(master.public.values()) * 5 != master.points * 2:
        problems.append(f"public tests give 40 % of the points, here {master.public}")
    paths = {kind: tests_of(root, master, kind) for kind in ("public", "hidden")}
    missing = [f"{path.name} is missing" for path in paths.values() if not path.is_file()]
    for kind, wanted in (("public", master.public), ("hidden", master.hidden)):
        path = paths[kind]
        if missing:
            problems += missing
            break
        if absent := [name for name in wanted if not hasattr(load_tests(path), name)]:
            problems.append(f"{path.name} has no {absent[0]}")
    wrongs = read_wrongs(root, master)
    if len(wrongs) < LEAST_WRONG:
        problems.append(f"{len(wrongs)} {FEW_WRONG}, at least {LEAST_WRONG} are needed")
    for message, old, _ in wrongs:
        if (times := master.solution.count(old)) != 1:
            problems.append(f"{message}: {old!r} stands {times} times in the solution")
    return problems


def _stub_and_solution(root: Path, master: Master) -> list[str]:
    problems = []
    for each in run_all(root, master, master.stub):
        if each.status not in ("stub", "skipped") or not each.message:
            problems.append(f"the stub: {each.test} ends with {each.status} {each.message!r}")
    for each in run_all(root, master, master.solution):
        if each.points != each.most:
            problems.append(f"the solution: {each.test} ends with {each.status}: {each.message}")
    return problems


def run_all(root: Path, master: Master, code: str, seed: int = 0) -> tuple[Verdict, ...]:
    """Run public and hidden tests of an exercise on `code`."""
    verdicts: tuple[Verdict, ...] = ()
    for kind, points in (("public", master.public), ("hidden", master.hidden)):
        path = tests_of(root, master, kind)
        verdicts += run_tests(path, points, lambda: Student(code), seed)
    return verdicts


def read_wrongs(root: Path, master: Master) -> Wrongs:
    """Return the known wrong answers of `master`; none if their file is missing."""
    path = root / "tests" / "exercises" / "wrong" / f"{master.name}.py"
    if not path.is_file():
        return ()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign):
            wrongs: Wrongs = ast.literal_eval(node.value)
            return wrongs
    return ()


def _released(root: Path, masters: tuple[Master, ...]) -> list[str]:
    """Make a release of everything and return what it gives away."""
    with tempfile.TemporaryDirectory() as folder:
        assignment = Path(folder) / "all.toml"
        assignment.write_text('exercises = "all"\n', "utf-8")
        out = Path(folder) / "release"
        return leaks(write_release(root, assignment, out), masters)

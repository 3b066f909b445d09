"""Run the tests of one exercise on one student's code, with pytest: at the prompt, in a notebook,
and when the course checks itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anonlab.course.judging.boxed_student import Asked
from anonlab.course.judging.marks import Verdict
from anonlab.course.judging.places_to_run import SECONDS


@dataclass(frozen=True)
class ExerciseReport:
    """The verdicts of one run. `hidden` is how many points hidden tests give at grading; `warning`
    says what is not as when graded; `everything`: the hidden tests were run, too."""

    number: str
    title: str
    verdicts: tuple[Verdict, ...]
    hidden: int = 0
    warning: str = ""
    everything: bool = False

    @property
    def passed(self) -> int:
        """How many tests passed."""
        return sum(each.status == "pass" for each in self.verdicts)

    @property
    def ok(self) -> bool:
        """True if every test that was run passed."""
        return self.passed == len(self.verdicts)

    @property
    def points(self) -> int:
        """Points of the tests that passed."""
        return sum(each.points for each in self.verdicts)

    @property
    def most(self) -> int:
        """Points that these tests give."""
        return sum(each.most for each in self.verdicts)

    @property
    def summary(self) -> str:
        """The line under every report."""
        if self.everything:
            what = f"All checks, hidden ones too: {self.passed} of {len(self.verdicts)} passed"
            return f"{what} ({self.points} of {self.most} points)."
        what = f"Public checks: {self.passed} of {len(self.verdicts)} passed"
        if self.ok:
            what = "Public checks passed; hidden ones run at grading"
        rest = f", {self.hidden} more at grading" if self.hidden else ""
        return f"{what} ({self.points} of {self.most} points{rest})."

    def __str__(self) -> str:
        """The report as text: every title, and the first failure in full."""
        lines = [f"{self.number} · {self.title}"]
        lines += [f"  {each.status:8} {each.title}" for each in self.verdicts]
        for each in self.verdicts:
            if each.message:
                lines += ["", f"{each.title}", each.message]
                break
        lines += ["", f"Note: {self.warning}."] if self.warning else []
        return "\n".join([*lines, "", self.summary])


def run_tests(
    path: Path,
    points: dict[str, int],
    student: Callable[[], Asked],
    seed: int = 0,
    seconds: float = SECONDS,
) -> tuple[Verdict, ...]:
    """Run the tests of the file `path` that `points` names, each with a fresh `student()`.

    raises  FileNotFoundError if there are no tests, AssertionError if a named test is not there
    """
    from anonlab.course.judging.pytest_run import run_exercise  # late: pytest, a tenth of a second

    return run_exercise(path, points, student, seed, seconds)

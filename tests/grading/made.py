"""A small class, its results written by hand, with a canary wherever a student must not look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from anonlab.grading.reports import ClassFacts
from anonlab.grading.reports.late import Adjustment, Grade, LatePolicy, Terms, grade
from anonlab.grading.store import result as outcome

CANARY = "canary-7f3a"
"""In hidden inputs, sources, seeds, values and others' work: in no file that students see."""
DUE = datetime(2026, 10, 1, 12, tzinfo=UTC)
POLICY = LatePolicy(percent_per_day=10, most_percent=50, grace=timedelta(minutes=15))
TITLES = {"04a": "Share the pages at fork", "05a": "Copy on write"}
HISTORY = "shell = spawn\nshell mmap 0x30000 4\nshell write 0x30000 7\nchild = fork shell\n"
NAMES = {"0042": "Ada Löffler", "0043": "=cmd|' /C calc'!A0", "0044": 'Bö, "B" ظريف 🎓 <b>x</b>'}
HINTS = (
    "Did you leave the parent's word writable? Then the child sees what the parent writes later.",
    "A word that is not present may be a swap entry, and fork copies it.",
)
TESTS = (
    ("04a", "test_share_page", "share_page gives the words of parent and child", False, 4.0),
    ("04a", "test_share_range", "share_range does the same to a whole VMA", False, 4.0),
    ("04a", "test_other_pages", "share_page is right for pages in swap", True, 6.0),
    ("04a", "test_other_ranges", "share_range leaves holes as they are", True, 6.0),
    ("05a", "test_cow", "break_cow copies for the writer", False, 8.0),
    ("05a", "test_cow_sole", "a sole owner writes in place", True, 12.0),
)
"""(exercise, test, title, hidden, points)."""


def verdict(at: int, status: str = "pass") -> outcome.TestResult:
    """Test number `at` of TESTS as it would come out of the judge."""
    exercise, name, title, hidden, most = TESTS[at]
    points = None if status == "infra" else most if status == "pass" else 0.0
    if status in ("pass", "skipped", "missing", "unchanged"):
        private = {"seed": f"{CANARY}-seed"} if hidden else {}
        return outcome.TestResult(
            exercise, name, title, hidden, status, points, most, private=private
        )
    told = {
        "message": "item 0 is wrong",
        "call": "share_page(0x3067)",
        "about": "the page of shell at 0x30000",
        "expected": "(0x3065 (pfn 3, P-UAD), 0x3045 (pfn 3, P-U-D))",
        "got": "(0x3067 (pfn 3, PWUAD), 0x3045 (pfn 3, P-U-D))",
        "history": HISTORY,
        "printed": "debug: word is 0x3067\n<script>alert(1)</script>",
    }
    hint = HINTS[at % 2] if status == "fail" else ""
    if not hidden:
        return outcome.TestResult(
            exercise, name, title, hidden, status, points, most, hint, shown=told
        )
    secret = {name: f"{CANARY} {text}" for name, text in told.items()}
    private = {**secret, "seed": f"{CANARY}-seed", "source": f"assert {CANARY}"}
    return outcome.TestResult(
        exercise, name, title, hidden, status, points, most, hint, {}, private
    )


def result(
    student: str, statuses: Sequence[str], status: str = "graded", official: bool = True
) -> outcome.Result:
    """The result of a student whose tests ended with `statuses`."""
    tests = tuple(verdict(at, each) for at, each in enumerate(statuses))
    reasons = {
        "rejected": "evil.zip: unsafe path ../../evil.py",
        "infra": f"worker died, {CANARY}",
        "missing": "expected ex04a_fork.py; found fork.py",
    }
    return outcome.Result(
        submission=f"sub-{student}",
        student=student,
        assignment="Homework 1",
        key="ab" * 32,
        status=status,
        tests=tests,
        reason=reasons.get(status, ""),
        ignored=("conftest.py", "notes.txt") if student == "0042" else (),
        official=official,
        timing={"seconds": 0.25, "repeats": 0.0},
    )


FULL = ("pass",) * 6
SOME = ("pass", "fail", "fail", "skipped", "timeout", "pass")
NONE = ("fail",) * 6
FOUR = {
    "zero": result("1000", NONE),
    "missing": result("1001", ("missing",) * 6, "missing"),
    "unchanged": result("1002", ("unchanged",) * 6, "unchanged"),
    "infra": result("1003", (*FULL[:5], "infra"), "infra"),
    "rejected": result("1004", (), "rejected"),
    "full": result("1005", FULL),
}
"""The values that must stay apart in every format."""


def school(official: bool = True) -> list[Grade]:
    """A class with everything in it: late, adjusted, zero, missing, unchanged, rejected, infra."""
    results = [
        result("0042", SOME, official=official),
        result("0043", FULL, official=official),
        result("0044", ("pass", "pass", "crash", "limit-memory", "protocol", "error-import")),
        *FOUR.values(),
    ]
    for at in range(40):
        statuses = tuple(
            "pass" if (at * 7 + test * 11) % 13 > test + at % 3 else "fail" for test in range(6)
        )
        results.append(result(f"2{at:03d}", statuses))
    by_hand = (Adjustment(1.5, "typed, but right", "prof"), Adjustment(-0.5, "no comments", "prof"))
    terms = Terms(DUE, POLICY, adjustments={"0042": by_hand})
    late = {"0042": timedelta(days=1, hours=2), "2004": timedelta(hours=5)}
    return [grade(each, DUE + late.get(each.student, -timedelta(hours=3)), terms)
            for each in results]  # fmt: skip


FACTS = ClassFacts(
    "Homework 1",
    TITLES,
    NAMES,
    unmatched=("sub-9999: nobody in the roster has the id 9999",),
    absent=("3000", "3001"),
    policy=str(POLICY),
)

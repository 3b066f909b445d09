"""The class at a glance, for instructors: how grades are spread, which checks are missed most, and
what needs somebody's attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from anonlab.grading.reports.bars import histogram_svg, histogram_text
from anonlab.grading.reports.clean import clean_plain
from anonlab.grading.reports.ideas import ideas_of
from anonlab.grading.reports.late import Grade
from anonlab.grading.reports.pages import page
from anonlab.grading.reports.words import DO, MEANING, number
from anonlab.grading.store.result import STATUSES, TestResult

SHOWN = 100
"""Rows of what needs attention on the page; all are in summary.json."""
BINS = 10
"""Bars of the histogram, each a tenth of the points that could be had."""


@dataclass(frozen=True)
class ClassFacts:
    """What reports need beside the grades.

    assignment   its name
    titles       of exercises, by number
    names        of students, by id
    unmatched    sentences: submissions nobody in the roster has, ids that stand there twice, …
    absent       students of the roster who handed in nothing at all
    policy       what lateness costs, as a sentence
    absent_zero  absent students get 0, not an empty cell
    attention    what of intake needs somebody: status, student, submission, reason, do
    """

    assignment: str
    titles: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    unmatched: Sequence[str] = ()
    absent: Sequence[str] = ()
    policy: str = ""
    absent_zero: bool = False
    attention: Sequence[Mapping[str, str]] = ()


def summarise(grades: Sequence[Grade], facts: ClassFacts) -> dict[str, Any]:
    """Return the summary as plain data."""
    most = max((each.result.most for each in grades), default=0.0)
    finals = [each.final for each in grades if each.final is not None]
    counts = Counter(each.result.status for each in grades)
    own = [_attention(each) for each in grades if _needs_attention(each)]
    attention = [*map(clean_plain, facts.attention), *own]
    return {
        "assignment": facts.assignment,
        "attention": sorted(attention, key=lambda each: [*DO].index(each["status"])),
        "official": all(each.result.official for each in grades),
        "submissions": len(grades),
        "statuses": {status: counts[status] for status in STATUSES},
        "most": most,
        "grades": len(finals),
        "mean": round(fmean(finals), 2) if finals else None,
        "median": round(median(finals), 2) if finals else None,
        "lowest": min(finals, default=None),
        "highest": max(finals, default=None),
        "histogram": _histogram(finals, most),
        "late": sum(each.days_late > 0 for each in grades),
        "exercises": _exercises(grades, facts),
        "ideas": ideas_of(grades),
        "checks": _checks(test for each in grades for test in each.result.tests),
        "absent": list(facts.absent),
        "unmatched": list(facts.unmatched),
    }


def _histogram(finals: Iterable[float], most: float) -> list[dict[str, Any]]:
    """Return the number of grades in each tenth of `most`; the last one has the full marks, and
    whatever adjustments gave beyond."""
    counts = [0] * BINS
    for final in finals:
        counts[min(BINS - 1, int(BINS * final / most)) if most else 0] += 1
    return [
        {"from": round(most * at / BINS, 2), "to": round(most * (at + 1) / BINS, 2), "grades": n}
        for at, n in enumerate(counts)
    ]


def _exercises(grades: Iterable[Grade], facts: ClassFacts) -> list[dict[str, Any]]:
    """Return the mean of each exercise over the submissions that have a score."""
    scored: dict[str, list[float]] = {}
    most: dict[str, float] = {}
    for each in grades:
        if each.result.score is not None:
            own: dict[str, float] = {}
            top: dict[str, float] = {}
            for test in each.result.tests:
                own[test.exercise] = own.get(test.exercise, 0.0) + (test.points or 0.0)
                top[test.exercise] = top.get(test.exercise, 0.0) + test.most
            for name, points in own.items():
                scored.setdefault(name, []).append(points)
            most |= top
    return [
        {"number": name, "title": facts.titles.get(name, ""), "mean": round(fmean(points), 2),
         "most": round(most[name], 2), "submissions": len(points)}
        for name, points in scored.items()
    ]  # fmt: skip


def _checks(tests: Iterable[TestResult]) -> list[dict[str, Any]]:
    """Return each check with how often it was run and missed, the most missed first. Who handed
    in nothing, or the template, has not tried; trouble of the grader is neither."""
    found: dict[tuple[str, str], list[TestResult]] = {}
    for test in tests:
        found.setdefault((test.exercise, test.test), []).append(test)
    rows = []
    for (exercise, name), all_ in found.items():
        tried = [test for test in all_ if test.status not in ("infra", "missing", "unchanged")]
        missed = [test for test in tried if test.status != "pass"]
        rows.append(
            {"exercise": exercise, "test": name, "title": all_[0].title, "hidden": all_[0].hidden,
             "tried": len(tried), "missed": len(missed),
             "share": round(len(missed) / len(tried), 4) if tried else 0.0,
             "infra": sum(test.status == "infra" for test in all_),
             "statuses": dict(sorted(Counter(test.status for test in all_).items())),
             "hints": _common(test.hint for test in missed if test.hint)}
        )  # fmt: skip
    return sorted(rows, key=lambda row: (-row["share"], -row["missed"]))


def _common(hints: Iterable[str]) -> list[dict[str, Any]]:
    """Return the two hints that were given most, with how often."""
    return [{"hint": hint, "times": n} for hint, n in Counter(hints).most_common(2)]


def _needs_attention(grade: Grade) -> bool:
    """A submission of somebody unknown is among the unmatched."""
    result = grade.result
    return result.status == "infra" or (result.status == "rejected" and bool(result.student))


def _attention(grade: Grade) -> dict[str, str]:
    result = grade.result
    reason = result.reason
    if not reason and result.status == "infra":
        troubled = [test for test in result.tests if test.status == "infra"]
        reason = "; ".join(
            f"{test.exercise} {test.test}: {test.private.get('message', 'no verdict')}"
            for test in troubled[:3]
        )
    return {
        "submission": result.submission,
        "student": result.student,
        "status": result.status,
        "reason": reason,
        "do": DO[result.status],
    }


def summary_html(summary: dict[str, Any], facts: ClassFacts) -> str:
    """Return the page for what `summarise` made."""
    bins, mean, most = summary["histogram"], summary["mean"], summary["most"]
    missed = [row for row in summary["checks"] if row["missed"]]
    return page(
        "summary.html",
        **summary,
        chart=histogram_svg(bins, mean, most),
        twin=histogram_text(bins),
        missed=missed,
        urgent=Counter(each["status"] for each in summary["attention"]),
        shown=SHOWN,
        names=facts.names,
        number=number,
        meaning=MEANING,
        tiles=_tiles(summary),
        policy=facts.policy,
    )


def _tiles(summary: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Return (number, what it counts, whether it needs attention)."""
    statuses = summary["statuses"]
    unknown = any(each["status"] == "lateness" for each in summary["attention"])
    tiles = [
        (str(summary["submissions"]), "submissions", False),
        (str(statuses["graded"]), "graded", False),
        (number(summary["mean"]) or "none", f"mean of {number(summary['most'])} points", False),
        (number(summary["median"]) or "none", "median", False),
        (str(summary["late"]), "late, as far as known" if unknown else "late", unknown),
        (str(statuses["unchanged"]), "template unchanged", False),
        (str(statuses["missing"]), "came without an answer", False),
        (str(len(summary["absent"])), "handed in nothing", False),
    ]
    for name, what in (("rejected", "not taken in"), ("infra", "grader's trouble")):
        if statuses[name]:
            tiles.append((str(statuses[name]), what, True))
    if summary["attention"]:
        tiles.insert(0, (str(len(summary["attention"])), "need your attention", True))
    return tiles

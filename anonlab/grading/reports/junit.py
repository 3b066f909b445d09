"""JUnit XML for CI and instructors: it holds hidden assertions, so never give it to students."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from anonlab.grading.reports.late import Grade
from anonlab.grading.reports.words import UNOFFICIAL, number
from anonlab.grading.store.result import TestResult

SHOWN_FACTS = ("message", "call", "about", "expected", "got", "history", "printed")
"""What a failure tells, in this order."""


def junit(grades: Iterable[Grade], assignment: str) -> str:
    """Return one test suite per submission. Whatever is the student's doing is a failure, with the
    status word as its type; trouble of the grader is an error. No host name, no time of day."""
    return "".join(junit_parts(grades, assignment))


def junit_parts(grades: Iterable[Grade], assignment: str) -> Iterator[str]:
    """Yield the same piece by piece: of a large class the whole would need much memory."""
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={quoteattr(assignment)}>\n'
    for grade in grades:
        suite = _suite(grade)
        ElementTree.indent(suite, level=1)
        yield f"  {ElementTree.tostring(suite, encoding='unicode').rstrip()}\n"
    yield "</testsuites>\n"


def _suite(grade: Grade) -> ElementTree.Element:
    result = grade.result
    infra = sum(test.status == "infra" for test in result.tests)
    passed = sum(test.status == "pass" for test in result.tests)
    suite = ElementTree.Element(
        "testsuite",
        name=result.submission,
        tests=str(len(result.tests)),
        failures=str(len(result.tests) - passed - infra),
        errors=str(infra),
        skipped="0",
        time=f"{result.timing.get('seconds', 0.0):.3f}",
    )
    facts = {"student": result.student, "status": result.status, "reason": result.reason,
             "score": number(result.score), "final": number(grade.final),
             "key": result.key}  # fmt: skip
    _properties(suite, facts if result.official else {**facts, "unofficial": UNOFFICIAL})
    for test in result.tests:
        _case(suite, test)
    return suite


def _case(suite: ElementTree.Element, test: TestResult) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=test.exercise, name=test.test)
    _properties(case, {"title": test.title, "points": number(test.points), "max": number(test.most),
                       "visibility": "hidden" if test.hidden else "public"})  # fmt: skip
    if test.status == "pass":
        return
    facts = test.private if test.hidden else {**test.private, **test.shown}
    texts = [str(facts[name]) for name in SHOWN_FACTS if facts.get(name)]
    first = (texts[0].splitlines() if texts else []) or [test.hint or test.status]
    failed = ElementTree.SubElement(
        case, "error" if test.status == "infra" else "failure", type=test.status, message=first[0]
    )
    failed.text = "\n".join([*texts, *([test.hint] if test.hint else [])])


def _properties(parent: ElementTree.Element, facts: dict[str, str]) -> None:
    held = ElementTree.SubElement(parent, "properties")
    for name, value in facts.items():
        ElementTree.SubElement(held, "property", name=name, value=value)

"""Reports: students read what is theirs and nothing hidden; instructors see what needs them."""

from __future__ import annotations

import base64
import json
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from browsers import chromium
from hypothesis import given, settings
from hypothesis import strategies as st
from made import (
    CANARY,
    DUE,
    FACTS,
    FOUR,
    FULL,
    HINTS,
    HISTORY,
    NAMES,
    SOME,
    TESTS,
    TITLES,
    result,
    school,
)

from anonlab.formats.history_text import parse
from anonlab.grading.reports import ClassFacts, Outputs, write_all
from anonlab.grading.reports.bars import nice
from anonlab.grading.reports.drawn import drawings
from anonlab.grading.reports.feedback import WIDTH, feedback_html, feedback_text
from anonlab.grading.reports.for_student import student_view
from anonlab.grading.reports.late import Adjustment, Grade, Terms, grade
from anonlab.grading.reports.pages import page
from anonlab.grading.reports.summary import BINS, summarise, summary_html
from anonlab.grading.reports.words import MEANING, STATUS_WORDS
from anonlab.grading.reports.write import LONGEST_NAME, file_name
from anonlab.grading.store.result import STATUSES, STUDENTS_DOING
from anonlab.recording.recorder import operations, record
from anonlab.view.stage.static import snapshot_svg
from anonlab.view.story.text import text_twin

LMS = "student_id,Homework 1\n1000,\n1005,\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of the whole class."""
    out = tmp_path_factory.mktemp("reports")
    lms = out / "export.csv"
    lms.write_text(LMS, "utf-8")
    write_all(out, school(), FACTS, Outputs(lms=[lms]))
    return out


def view_of(statuses: tuple[str, ...] = SOME, status: str = "graded") -> dict[str, Any]:
    return student_view(grade(result("0042", statuses, status), None, Terms()), "HW", TITLES)


# -- what students may know ------------------------------------------------------------------------


def test_no_canary_is_in_a_file_that_students_see(written: Path) -> None:
    seen = [*(written / "students").iterdir(), *(written / "instructor/gradescope").iterdir()]
    assert len(seen) == 3 * len(school())
    told = {path: path.read_text("utf-8") for path in seen}
    assert [path.name for path, text in told.items() if CANARY in unescape(text)] == []
    assert CANARY in (written / "instructor" / "junit.xml").read_text("utf-8"), "it is there at all"


def test_of_a_hidden_test_a_student_gets_title_status_points_and_hint_only() -> None:
    hidden = [test for each in view_of()["exercises"] for test in each["tests"] if test["hidden"]]
    assert {name for test in hidden for name in test} == {
        "exercise", "title", "hidden", "status", "meaning", "points", "most", "hint"
    }  # fmt: skip


def test_even_a_hidden_test_that_tells_too_much_is_not_repeated() -> None:
    told = result("0042", ("fail",) * 6)
    tests = tuple(replace(test, shown={**test.shown, "message": CANARY, "printed": CANARY})
                  if test.hidden else test for test in told.tests)  # fmt: skip
    view = student_view(grade(replace(told, tests=tests), None, Terms()), "HW", TITLES)
    assert CANARY not in json.dumps(view)


def test_trouble_of_the_grader_tells_students_no_reason() -> None:
    view = view_of((*FULL[:5], "infra"), "infra")
    for text in (feedback_html(view), feedback_text(view)):
        assert "This is no grade; your instructor knows." in text
        assert "No grade" in text
        assert CANARY not in text


def test_one_students_files_name_nobody_else(written: Path) -> None:
    ids = {each.result.submission for each in school()} | {*NAMES.values()}
    for suffix in ("html", "txt"):
        text = (written / "students" / f"sub-0042.{suffix}").read_text("utf-8")
        assert [each for each in ids - {"sub-0042", NAMES["0042"]} if each in unescape(text)] == []


def test_a_public_failure_is_told_in_full() -> None:
    view = view_of()
    html, text = unescape(feedback_html(view)), feedback_text(view)
    for said in (html, text):
        for part in ("item 0 is wrong", "share_page(0x3067)", "PWUAD", "child = fork shell",
                     "debug: word is 0x3067", "A word that is not present may be a swap entry",
                     "4 of 20 points", "Public checks: 1 of 2 passed"):  # fmt: skip
            assert part in said, part
    before, after = operations(record(parse(HISTORY)))[-2:]
    for line in f"{text_twin(before.snapshot)}\n{text_twin(after.snapshot)}".splitlines():
        assert line in html
        assert line in text
    images = Page(feedback_html(view)).images
    shown = [base64.b64decode(str(image["src"]).partition(",")[2]).decode() for image in images]
    right = snapshot_svg(before.snapshot), snapshot_svg(after.snapshot, before.snapshot)
    assert shown[:2] == [*right]
    for drawn in shown:
        ElementTree.fromstring(drawn)


@pytest.mark.parametrize("history", ["", "no history", "p1 write 0x30000 7\n", "machine lesson\n"])
def test_what_cannot_be_drawn_is_told_without_a_picture(history: str) -> None:
    told = result("0042", SOME)
    tests = tuple(replace(test, shown={**test.shown, "history": history}) if test.shown else test
                  for test in told.tests)  # fmt: skip
    view = student_view(grade(replace(told, tests=tests), None, Terms()), "HW", TITLES)
    assert Page(feedback_html(view)).images == []
    assert "item 0 is wrong" in feedback_text(view)


def test_the_first_operation_has_a_moment_before_it() -> None:
    says = ["Before shell = spawn", "After shell = spawn, as it is right"]
    assert [each.says for each in drawings("shell = spawn\n")] == says


def test_only_the_first_failure_of_an_exercise_is_open() -> None:
    html = feedback_html(view_of(("fail", "fail", "pass", "pass", "fail", "pass")))
    assert html.count('<details class="more" open>') == 2
    assert html.count("<summary>What happened</summary>") == 3


def test_nobody_is_told_that_all_tests_passed(written: Path) -> None:
    for path in written.rglob("*"):
        if path.is_file():
            assert not re.search("all (tests|checks) passed", path.read_text("utf-8"), re.I)


def test_every_status_has_words() -> None:
    assert {*MEANING} == {*STUDENTS_DOING, "infra"}
    assert {*STATUS_WORDS} == {*STATUSES}


@pytest.mark.parametrize("name", FOUR)
def test_feedback_keeps_the_values_apart(name: str) -> None:
    view = student_view(grade(FOUR[name], None, Terms()), "HW", TITLES)
    said = {
        "zero": ("0 of 40", ""),
        "missing": ("No grade", STATUS_WORDS["missing"]),
        "unchanged": ("0 of 40", STATUS_WORDS["unchanged"]),
        "infra": ("No grade", STATUS_WORDS["infra"]),
        "rejected": ("No grade", STATUS_WORDS["rejected"]),
        "full": ("40 of 40", ""),
    }[name]
    html = " ".join(re.sub("<[^>]*>", "", feedback_html(view).split("</style>")[1]).split())
    for text in (html, feedback_text(view)):
        assert all(word in text for word in said)
        assert [word for word in STATUS_WORDS.values() if word in text] == [said[1]][
            : bool(said[1])
        ]


# -- pages -----------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What is on a page: elements, addresses, and whether every element is closed."""

    VOID = frozenset({"meta", "img", "br", "path", "rect", "!doctype"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.scripted: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        facts = dict(attrs)
        self.scripted += [name for name in facts if name.startswith("on")]
        self.addresses += [str(facts[name]) for name in ("src", "href", "action") if name in facts]
        if tag == "img":
            self.images.append(facts)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_pages_are_whole_run_nothing_and_fetch_nothing(written: Path) -> None:
    pages = [*(written / "students").glob("*.html"), written / "instructor" / "summary.html"]
    for path in pages:
        shown = Page(path.read_text("utf-8"))
        assert shown.open == [], path.name
        assert not {"script", "link", "iframe", "object", "form", "base"} & {*shown.tags}
        assert shown.scripted == []
        assert {address.split(";")[0] for address in shown.addresses} <= {"data:image/svg+xml"}
        assert all(image.get("alt") for image in shown.images)
        assert "@import" not in path.read_text("utf-8")


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}{% raw %}'


def test_text_of_students_is_never_markup() -> None:
    told = result("0042", SOME)
    tests = tuple(
        replace(test, shown=dict.fromkeys(test.shown, HOSTILE), hint=HOSTILE, title=HOSTILE)
        for test in told.tests
    )
    told = replace(told, tests=tests, student=HOSTILE, ignored=(HOSTILE,), notes=(HOSTILE,))
    shown = Page(
        feedback_html(student_view(grade(told, None, Terms()), HOSTILE, {"04a": HOSTILE}), HOSTILE)
    )
    assert shown.open == []
    assert "script" not in shown.tags
    assert shown.scripted == []
    assert {address.split(";")[0] for address in shown.addresses} <= {"data:image/svg+xml"}
    facts = replace(FACTS, assignment=HOSTILE, names={HOSTILE: HOSTILE}, unmatched=(HOSTILE,))
    told = replace(told, status="rejected", reason=HOSTILE)
    summary = summarise([grade(told, None, Terms())], facts)
    shown = Page(summary_html(summary, facts))
    assert shown.open == []
    assert "script" not in shown.tags
    assert shown.scripted == []


def test_a_template_that_lacks_a_fact_is_an_error() -> None:
    with pytest.raises(Exception, match="undefined"):
        page("feedback.html", assignment="HW")


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=30))
def test_any_name_can_stand_on_a_page(name: str) -> None:
    view = view_of(FULL)
    assert Page(feedback_html(view, name)).open == []
    assert name in unescape(feedback_html(view, name))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.mark.parametrize("name", ["students/sub-0042.html", "instructor/summary.html"])
def test_nothing_is_cut_off_and_nothing_is_fetched(browser: Any, written: Path, name: str) -> None:
    for width in (400, 1200):
        shown = browser.new_page(viewport={"width": width, "height": 800})
        wrong: list[str] = []
        shown.on("console", lambda message: wrong.append(message.text))  # noqa: B023
        shown.on("request", lambda request: wrong.append(request.url))  # noqa: B023
        shown.goto((written / name).as_uri())
        shown.wait_for_function("[...document.images].every(i => i.complete && i.naturalWidth)")
        assert [each for each in wrong if not each.startswith(("file:", "data:"))] == []
        assert shown.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        wide = "e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('[tabindex]')"
        cut = f"[...document.querySelectorAll('body *')].filter({wide}).map(e => e.className)"
        assert shown.evaluate(cut) == []
        shown.close()


def test_the_text_has_at_most_80_columns_but_for_what_code_returned() -> None:
    lines = feedback_text(view_of(FULL), "Ada", "a policy " * 20).splitlines()
    assert max(map(len, lines)) <= WIDTH


# -- the class -------------------------------------------------------------------------------------


def test_the_summary_counts_everybody_once() -> None:
    grades = school()
    summary = summarise(grades, FACTS)
    assert sum(summary["statuses"].values()) == summary["submissions"] == len(grades)
    finals = [each.final for each in grades if each.final is not None]
    assert sum(each["grades"] for each in summary["histogram"]) == summary["grades"] == len(finals)
    assert summary["mean"] == round(sum(finals) / len(finals), 2)
    assert summary["late"] == 2
    assert {each["status"] for each in summary["attention"]} == {"infra", "rejected"}


def test_a_grade_is_in_the_bar_whose_ends_it_lies_between() -> None:
    for final, bar in (
        (0.0, 0),
        (3.99, 0),
        (4.0, 1),
        (39.99, BINS - 1),
        (40.0, BINS - 1),
        (44.0, BINS - 1),
    ):
        summary = summarise([Grade(FOUR["full"], final=final)], FACTS)
        assert [each["grades"] for each in summary["histogram"]].index(1) == bar


def test_one_idea_counts_once_for_each_student_and_known_ones_come_first() -> None:
    """Who missed three checks of an exercise by one mistake has one wrong idea. By hand: of the
    three who tried 04a two got HINTS[1] (checks 1, 3), one of them also HINTS[0] (check 2)."""
    class_ = [
        result("1", ("pass", "fail", "pass", "fail", "pass", "pass")),
        result("2", ("pass", "fail", "fail", "skipped", "timeout", "pass")),
        result("3", ("pass", "crash", "pass", "pass", "pass", "pass")),
        result("4", ("unchanged",) * 6, "unchanged"),
    ]
    summary = summarise([grade(each, None, Terms()) for each in class_], FACTS)
    found = [(row["exercise"], row["idea"], row["students"], row["tried"])
             for row in summary["ideas"]]  # fmt: skip
    assert found == [
        ("04a", HINTS[1], 2, 3),
        ("04a", HINTS[0], 1, 3),
        ("05a", MEANING["timeout"], 1, 3),
        ("04a", MEANING["crash"], 1, 3),
    ]
    assert summary["ideas"][0]["checks"] == [TESTS[1][2], TESTS[3][2]]
    assert summary["ideas"][0]["example"]["call"] == "share_page(0x3067)"
    shown = unescape(summary_html(summary, FACTS))
    assert shown.index(HINTS[1]) < shown.index(HINTS[0])


def test_checks_are_counted_among_those_who_tried() -> None:
    class_ = [result("1", ("pass", "fail", "fail", "pass", "pass", "pass")),
              result("2", ("pass", "fail", "pass", "pass", "pass", "pass")),
              FOUR["missing"], FOUR["unchanged"],
              result("3", ("infra", "fail", "pass", "pass", "pass", "pass"), "infra")]  # fmt: skip
    checks = summarise([grade(each, None, Terms()) for each in class_], FACTS)["checks"]
    by_test = {row["test"]: (row["missed"], row["tried"], row["infra"]) for row in checks}
    assert by_test["test_share_range"] == (3, 3, 0)
    assert by_test["test_other_pages"] == (1, 3, 0)
    assert by_test["test_share_page"] == (0, 2, 1)
    assert [row["test"] for row in checks][:2] == ["test_share_range", "test_other_pages"]


def test_an_empty_class_has_a_summary_without_numbers() -> None:
    summary = summarise([], FACTS)
    assert (summary["mean"], summary["lowest"], summary["grades"]) == (None, None, 0)
    assert Page(summary_html(summary, FACTS)).open == []


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_an_axis_is_round_and_reaches_beyond_the_highest_bar(most: int) -> None:
    top = nice(most)
    assert most < top <= max(4, 3 * most)
    assert top % 4 == 0


def test_who_handed_in_nothing_is_missing_in_every_table(tmp_path: Path) -> None:
    lms = tmp_path / "export.csv"
    lms.write_text("student_id,Homework 1\n1000,\n3000,7\n3001,\n", "utf-8")
    for zero, cell in ((False, ""), (True, "0")):
        write_all(tmp_path, school(), replace(FACTS, absent_zero=zero), Outputs(lms=[lms]))
        own = (tmp_path / "instructor" / "grades.csv").read_text("utf-8").splitlines()
        assert own[-2:] == [f"{each},,missing,,,,0,,,{cell}," for each in ("3000", "3001")]
        filled = (tmp_path / "instructor" / "lms" / "export.csv").read_text("utf-8").splitlines()
        assert filled[2:] == [f"3000,{cell}", f"3001,{cell}"]
        words = (tmp_path / "instructor" / "lms" / "export.words.csv").read_text("utf-8")
        assert f"3000,missing,{cell},7" in words.splitlines()


def test_an_instructor_is_told_what_does_not_fit(tmp_path: Path) -> None:
    lms = tmp_path / "export.csv"
    lms.write_text("Student,ID,Homework 1 (5)\nPoints Possible,,50.0\nA,1000,\nB,1005,3\n", "utf-8")
    by_hand = Terms(adjustments={"1001": (Adjustment(2.0, "kind", "prof"),)})
    grades = [grade(FOUR[name], None, by_hand) for name in ("zero", "missing", "full")]
    told = write_all(tmp_path, grades, replace(FACTS, absent=()), Outputs(lms=[lms])).notes
    assert told == [
        "1001: adjusted by hand, but there is no grade (missing)",
        "export.csv: column 'Homework 1 (5)' filled for 2 students (found by ID); "
        "0 rows left as they were",
        "export.csv: the column counts 50.0 points, but 40 could be had: change it there, or the "
        "points of the assignment",
        "export.csv: replaced what stood there for 1005",
        "export.csv: not in it: 1001",
    ]


# -- files -----------------------------------------------------------------------------------------


def test_the_folders_are_for_their_owner_only(written: Path) -> None:
    for name in ("students", "instructor"):
        assert stat.S_IMODE((written / name).stat().st_mode) == 0o700
    for path in written.rglob("*/*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_same_class_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    lms = tmp_path / "export.csv"
    lms.write_text(LMS, "utf-8")
    again = write_all(tmp_path, school(), FACTS, Outputs(lms=[lms])).files
    assert again
    for path in again:
        assert path.read_bytes() == (written / path.relative_to(tmp_path)).read_bytes()


def test_an_unofficial_run_is_stamped_and_fills_nothing(written: Path, tmp_path: Path) -> None:
    lms = tmp_path / "export.csv"
    lms.write_text(LMS, "utf-8")
    write_all(tmp_path, school(), FACTS, Outputs(lms=[lms]))
    left = write_all(tmp_path, school(official=False), FACTS, Outputs(lms=[lms]))
    assert left.notes == ["not official: no file of a learning management system was filled"]
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert not [name for name in names if "gradescope" in name or "lms" in name]
    assert "instructor/grades.csv" not in names, "what an official run wrote is gone"
    assert {"instructor/UNOFFICIAL-grades.csv", "instructor/UNOFFICIAL-junit.xml"} <= names
    for name in ("students/sub-0042.html", "students/sub-0042.txt", "instructor/summary.html",
                 "instructor/UNOFFICIAL-junit.xml"):  # fmt: skip
        assert "UNOFFICIAL" in (tmp_path / name).read_text("utf-8"), name
    assert (
        json.loads((tmp_path / "instructor/summary.json").read_text("utf-8"))["official"] is False
    )


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    write_all(tmp_path, [grade(FOUR["full"], None, Terms())], FACTS)
    mine = tmp_path / "instructor" / "notes.txt"
    mine.write_text("mine", "utf-8")
    files = write_all(tmp_path, [grade(FOUR["zero"], None, Terms())], FACTS).files
    assert mine.exists()
    students = {path.name for path in (tmp_path / "students").iterdir()}
    assert students == {"sub-1000.html", "sub-1000.txt"}
    assert tmp_path / "students" / "sub-1000.html" in files


def inodes(folder: Path) -> dict[str, int]:
    """Which file each name is: one that is written again is another."""
    return {path.relative_to(folder).as_posix(): path.stat().st_ino
            for path in folder.rglob("*") if path.is_file()}  # fmt: skip


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    class_ = [grade(FOUR[name], None, Terms()) for name in ("full", "zero", "missing")]
    write_all(tmp_path, class_, FACTS)
    first = inodes(tmp_path)
    write_all(tmp_path, class_, FACTS)
    assert changed(first, inodes(tmp_path)) == set()
    more = [replace(class_[0], received=DUE), *class_[1:]]
    write_all(tmp_path, more, FACTS)
    names = ("grades.csv", "junit.xml", "summary.json", "summary.html", "files.json")
    ours = {f"instructor/{name}" for name in names}
    theirs = {"students/sub-1005.html", "students/sub-1005.txt",
              "instructor/gradescope/sub-1005.json"}  # fmt: skip
    assert changed(first, inodes(tmp_path)) == ours | theirs
    (tmp_path / "students" / "sub-1000.txt").unlink()
    second = inodes(tmp_path)
    write_all(tmp_path, more, FACTS)
    assert "students/sub-1000.txt" in changed(second, inodes(tmp_path))
    write_all(tmp_path, more, replace(FACTS, names={"1000": "Another", "3000": "Another"}))
    assert "Another" in (tmp_path / "students" / "sub-1000.txt").read_text("utf-8")
    assert "Another" in (tmp_path / "instructor" / "summary.html").read_text("utf-8")


def test_what_was_interrupted_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_ = [grade(FOUR[name], None, Terms()) for name in ("full", "zero")]
    write_all(tmp_path, class_, FACTS)
    worse = [grade(replace(FOUR["zero"], submission="sub-1005"), None, Terms()), class_[1]]
    monkeypatch.setattr("anonlab.grading.reports.write.feedback_text", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_all(tmp_path, worse, FACTS)
    monkeypatch.undo()
    write_all(tmp_path, class_, FACTS)
    whole = {path.name: path.read_bytes() for path in (tmp_path / "students").iterdir()}
    write_all(tmp_path / "new", class_, FACTS)
    assert whole == {path.name: path.read_bytes() for path in (tmp_path / "new/students").iterdir()}


def test_a_record_of_files_removes_nothing_elsewhere(tmp_path: Path) -> None:
    write_all(tmp_path, [], FACTS)
    victim = tmp_path / "precious.txt"
    victim.write_text("x", "utf-8")
    record = tmp_path / "instructor" / "files.json"
    record.write_text(json.dumps(["students/../precious.txt", "precious.txt"]), "utf-8")
    write_all(tmp_path, [], FACTS)
    assert victim.exists()


def test_nothing_is_written_if_something_cannot_be_made(tmp_path: Path) -> None:
    lms = tmp_path / "export.csv"
    lms.write_text("student_id,Homework 2\n1000,\n", "utf-8")
    with pytest.raises(ValueError, match=r"export.csv: there is no column called 'Homework 1'"):
        write_all(tmp_path, school(), FACTS, Outputs(lms=[lms]))
    assert [path.name for path in tmp_path.iterdir()] == ["export.csv"]
    with pytest.raises(ValueError, match="'sub-1005' has two grades"):
        write_all(tmp_path, [grade(FOUR["full"], None, Terms())] * 2, FACTS)


@settings(deadline=None)
@given(st.lists(st.text(max_size=200), unique=True, max_size=6))
def test_no_two_submissions_have_one_file_and_none_is_a_path(ids: list[str]) -> None:
    names = [file_name(each) for each in ids]
    assert len({*names}) == len(names)
    for name in names:
        assert "/" not in name
        assert not name.startswith(".")
        assert 0 < len(name) <= LONGEST_NAME


def test_titles_come_from_the_course(written: Path) -> None:
    assert len(TESTS) == 6
    facts = ClassFacts("HW", {"04a": "Another title"})
    view = student_view(grade(FOUR["full"], None, Terms()), facts.assignment, dict(facts.titles))
    assert [each["title"] for each in view["exercises"]] == ["Another title", ""]

"""Work that was saved comes back; nothing that is here is lost, and only work comes in."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

import pytest

from anonlab import learn
from anonlab.course.asking import exercise_tools
from anonlab.course.asking.my_work import MyWork
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.exercises import Course
from anonlab.course.judging.work_archive import export_work
from anonlab.course.judging.work_brought import bring_work


def packed(**files: bytes) -> bytes:
    """An archive of files; in their names __ is a slash, and _DOT_ a dot."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_DOT_", "."), content)
    return made.getvalue()


@pytest.fixture
def saved(course: Course, right: dict[str, str], tmp_path: Path) -> bytes:
    """Work of before: 04a is right, one thing was predicted. In the course it is gone since."""
    exercise_tools.exercise("04a", right["04a"])
    learn.predict("03 frames", "1, 2")
    archive = export_work(course, tmp_path / "a.zip").path.read_bytes()
    exercise_tools.reset("04a")
    for beside in course.file("04a").parent.glob("*.old*"):
        beside.unlink()
    ProgressLog(course.root).path.unlink()
    return archive


def test_work_comes_back_as_it_was(course: Course, saved: bytes, right: dict[str, str]) -> None:
    told = bring_work(course, saved)
    assert told == ("1 file and 3 lines of the log came in.",)
    assert right["04a"].strip() in course.file("04a").read_text("utf-8")
    assert ProgressLog(course.root).has_passed("04a")
    assert bring_work(course, saved) == ("0 files and 0 lines of the log came in.",)


def test_what_was_here_is_set_aside_and_the_logs_become_one(course: Course, saved: bytes) -> None:
    exercise_tools.exercise("04a", "def share_page(word):\n    return mine")
    learn.predict("03 frames", "7, 7")
    sentence = bring_work(course, saved)[1]
    assert sentence == "ex04a_fork.py was other work: what was here is in ex04a_fork.old1.py"
    assert "return mine" in course.file("04a").with_name("ex04a_fork.old1.py").read_text("utf-8")
    events = ProgressLog(course.root).events()
    assert [event["when"] for event in events] == sorted(event["when"] for event in events)
    assert {event.get("ok") for event in events if event["what"] == "check"} == {True, False}


def test_what_is_no_work_stays_out(course: Course, saved: bytes) -> None:
    before = {path for path in course.root.rglob("*") if path.is_file()}
    for archive, why in (
        (b"text", "no zip archive"),
        (saved[:-30], "no zip archive"),
        (packed(thesis_DOT_tex=b""), r"no work of this course: .* has thesis\.tex"),
        (packed(progress_DOT_jsonl=b" " * 10_000_001), "more than 10,000,000 bytes"),
    ):
        with pytest.raises(ValueError, match=why):
            bring_work(course, archive)
    told = bring_work(course, packed(progress_DOT_jsonl=b"", up__evil_DOT_py=b"1"))
    assert any("left out" in each for each in told)
    assert {path for path in course.root.rglob("*") if path.is_file()} == before


def test_a_variant_that_is_here_is_set_aside_and_named(course: Course) -> None:
    path = course.root / "exercises" / "variant.json"
    mine, other = (b'{"student": "%s", "seeds": {"04a": 5}}' % name for name in (b"007", b"bob"))
    assert bring_work(course, packed(exercises__variant_DOT_json=mine))[1:] == ()
    assert path.read_bytes() == mine
    assert bring_work(course, packed(exercises__variant_DOT_json=mine))[1:] == ()
    told = bring_work(course, packed(exercises__variant_DOT_json=other))
    assert told[1:] == (
        "exercises/variant.json was another one: what was here is in variant.old1.json. The "
        "exercises ask with the numbers of 'bob' now",
    )
    assert (path.read_bytes(), path.with_name("variant.old1.json").read_bytes()) == (other, mine)


def test_what_is_no_variant_is_left_out(course: Course) -> None:
    path = course.root / "exercises" / "variant.json"
    path.write_bytes(b'{"student": "007", "seeds": {}}')
    for wrong in (b"[]", b'{"seeds": {"04a": 1.5}}', b'{"student": 7, "seeds": {}}'):
        told = bring_work(course, packed(exercises__variant_DOT_json=wrong))
        assert told[1].startswith("exercises/variant.json of the archive is left out: it has no")
    assert path.read_bytes() == b'{"student": "007", "seeds": {}}'
    assert [each.name for each in path.parent.glob("variant*")] == ["variant.json"]


def test_of_many_files_that_are_left_out_ten_are_named(course: Course) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("progress.jsonl", b"")
        for number in range(500):
            archive.writestr(f"{number}.txt", b"")
    told = bring_work(course, made.getvalue())
    assert (len(told), told[-1]) == (12, "and 490 more")


def test_the_buttons_answer_with_the_archive_or_a_sentence(course: Course, saved: bytes) -> None:
    sent: list[dict[str, str]] = []
    widget = MyWork(course)
    widget.send = sent.append  # type: ignore[method-assign]
    widget._heard({"wants": "archive"})
    widget._heard({"brings": "no Base64!"})
    widget._heard({"brings": base64.b64encode(saved).decode()})
    widget._heard({"wants": "archive"})
    assert "nothing to hand in" in sent[0]["said"]
    assert "no zip archive" in sent[1]["said"] or "Base64" in sent[1]["said"]
    assert sent[2]["said"] == "1 file and 3 lines of the log came in."
    assert sent[3]["name"] == "anonlab-work.zip"
    assert bring_work(course, base64.b64decode(sent[3]["archive"]))[0].startswith("0 files")

"""The learner's tools in a notebook say what happened, keep it, and survive a restart."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from project import ROOT

from anonlab import learn
from anonlab.course.asking import exercise_tools
from anonlab.course.asking.bank.inverses import INVERSES
from anonlab.course.asking.bank.items import ITEMS
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.exercises import Course
from anonlab.recording.recorder import record

BOTH = "return parent, parent & ~ACCESSED"


def cell(course: Course, body: str, line: str = "04a") -> str:
    return repr(exercise_tools.exercise(line, body))


def test_the_way_of_a_learner_through_04a(course: Course, right: dict[str, str]) -> None:
    stub = course["04a"].stub
    assert "Not written yet" in cell(course, stub)
    wrong = right["04a"].replace(BOTH, "return word, parent & ~ACCESSED")
    said = cell(course, wrong)
    assert "Did you leave the parent's word writable?" in said
    assert "Public checks: 0 of 3 passed (0 of 4 points, 6 more at grading)." in said
    assert repr(learn.hint("04a")).startswith("hint 1 of 3:")
    assert "started   0 of  4 public points, 1 hint  fork shares pages" in repr(learn.progress())
    assert "Public checks passed; hidden ones run at grading" in cell(course, right["04a"])
    assert "passed    4 of  4" in repr(learn.progress())
    # A restart: the cell is the template again, the file is not.
    again = cell(course, stub)
    assert "your work is in ex04a_fork.py" in again
    assert "Public checks passed" in again


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            "\ndef share_page(word):\n    return word[0]\n",
            "(line 4 of the cell)\n     4 |     return word[0]",
        ),
        (
            "def share_page(word):\n    return (word\n",
            "(line 3 of the cell).\n     3 |     return (word\n                    ^",
        ),
        (
            "def share_page(word):\n    raise NotImplementedError\n",
            "written yet, line 3 of the cell",
        ),
    ],
)
def test_lines_are_those_of_the_cell_whose_first_is_the_magic(
    course: Course, body: str, says: str
) -> None:
    assert says in cell(course, body)
    assert says.replace("the cell", "your file") not in repr(learn.check("04a"))
    assert "of your file" in repr(learn.check("04a"))


def test_a_wrong_answer_is_shown_with_pictures(course: Course, right: dict[str, str]) -> None:
    wrong = right["04a"].replace(BOTH, "return parent, 0")
    html = exercise_tools.exercise("04a", wrong)._repr_html_()
    assert html.count("<svg") == 2
    assert html.count("The same as text") == 2
    assert "Before <code>" in html


def test_conflicting_work_is_shown_and_both_are_kept(course: Course, right: dict[str, str]) -> None:
    cell(course, right["04a"])
    path = course.file("04a")
    path.write_text(path.read_text("utf-8") + "# newer\n", "utf-8")
    said = cell(course, right["04a"] + "# older\n")
    assert "nothing was overwritten" in said
    assert "-# newer" in said
    assert "# newer" in path.read_text("utf-8")
    assert "ex04a_fork.old1.py" in cell(course, right["04a"], "04a --take-cell")
    assert "# newer" not in path.read_text("utf-8")


def test_hints_open_one_by_one(course: Course) -> None:
    for number in (1, 2, 3, 3):
        assert len(re.findall(r"^hint \d of 3:", repr(learn.hint("4a")), re.MULTILINE)) == number
    assert "That is the last one." in repr(learn.hint("04a"))
    assert ProgressLog(course.root).hints("04a") == 3


def test_the_fourth_failed_run_asks_for_a_hypothesis(course: Course) -> None:
    answers = [repr(learn.check("04a")) for _ in range(4)]
    assert ["because=" in text for text in answers] == [False, False, False, True]


def test_the_solution_opens_after_success(course: Course, right: dict[str, str]) -> None:
    assert "not part of this copy" in repr(learn.solution("04a"))
    folder = course.root / "solutions"
    folder.mkdir()
    shutil.copyfile(ROOT / "solutions" / "ex04a_fork.py", folder / "ex04a_fork.py")
    assert "opens when your public checks pass" in repr(learn.solution("04a"))
    assert "copy_one_pte" in repr(learn.solution("04a", anyway=True))
    cell(course, right["04a"])
    assert "copy_one_pte" in repr(learn.solution("04a"))
    kept = ProgressLog(course.root).events("solution")
    assert [event["anyway"] for event in kept] == [True, False]


def test_predictions_are_kept_and_the_first_counts(course: Course) -> None:
    assert "is not kept yet" in repr(learn.predict("04 copies", ...))
    learn.predict("04 copies", 3, why="one for each")
    learn.predict("04 copies", 0)
    learn.predict("05 who", "the child")
    assert repr(learn.predicted("04")) == "04 copies: you said 3"
    assert repr(learn.reveal("04 copies", ["none"])) == "you said: 3\n\nnone"
    assert repr(learn.reveal("04 nothing", ["none"])).startswith("First predict")
    assert repr(learn.reveal("04 nothing", ["none"], gate=False)) == "none"
    assert "no predictions" in repr(learn.predicted("07"))


def test_the_player_opens_after_a_prediction(course: Course) -> None:
    trace = record("p = spawn\nc = fork p\n")
    assert "First predict" in repr(learn.play(trace, "04 fork"))
    assert type(learn.play(trace, "04 fork", gate=False)).__name__ == "Player"
    assert len(ProgressLog(course.root).events("ungated")) == 1
    learn.predict("04 fork", "I do not know")
    assert type(learn.play(trace, "04 fork")).__name__ == "Player"


def test_marks_in_the_player_are_kept_and_come_back(course: Course) -> None:
    trace = record("p = spawn\np mmap 0x30000 1\np write 0x30000 7\n")
    player = learn.play(trace, "03 marks", gate=False, ask=[2])
    first = {"step": 2, "title": "write", "hit": ["p1-48"], "missed": ["f1"], "extra": [],
             "names": {"p1-48": "p, page 0x30000", "f1": "frame 1"}}  # fmt: skip
    player.predictions = {"2": first}
    assert player.keeping == "Kept with your progress in this course."
    player.predictions = {"2": {**first, "hit": []}, "3": {**first, "known": False}}
    again = learn.play(trace, "03 marks", gate=False, ask=[2])
    assert again.predictions == {"2": first, "3": {**first, "known": False}}, "the first counts"
    assert len(ProgressLog(course.root).events("marked")) == 2
    assert repr(learn.predicted("03")).splitlines() == [
        "03 marks, in the picture: 2 right, 2 missed, 0 too many in 2 steps",
        "    step 2, write: right: p, page 0x30000; missed: frame 1",
        "    step 3, write: you did not know; right: p, page 0x30000; missed: frame 1",
    ]
    assert "no predictions" in repr(learn.predicted("04"))


def test_without_a_course_the_player_plays_and_says_that_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANONLAB_COURSE", str(tmp_path))
    player = learn.play(record("p = spawn\nc = fork p\n"), "04 fork")
    player.predictions = {"2": {"hit": []}}
    assert player.keeping == "Not kept: there is no course here."
    assert list(tmp_path.iterdir()) == []


def test_marks_that_cannot_be_written_are_not_called_kept(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = learn.play(record("p = spawn\nc = fork p\n"), "04 fork", gate=False)

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(ProgressLog, "add", full)
    player.predictions = {"2": {"hit": []}}
    assert player.keeping == "Not kept: no space left"


def test_a_mutant_is_killed_or_lives(course: Course) -> None:
    start = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\nc = fork p\n"
    name = "fork leaves the parent writable"
    assert "killed: pfn 1 is mapped more than once" in repr(learn.run_mutant(name, start))
    assert "it lives" in repr(learn.run_mutant("a page is never reused", start))
    assert "there is no mutant 'x'" in repr(learn.run_mutant("x", start))
    assert "line 1" in repr(learn.run_mutant(name, "nonsense"))


def test_reset_and_task(course: Course, right: dict[str, str]) -> None:
    cell(course, right["04a"])
    assert repr(learn.reset("04a")) == (
        "ex04a_fork.py is the template again; what you had is in ex04a_fork.old1.py."
    )
    assert "0x31000: child alone, shell alone" in repr(learn.statement("04b"))
    assert "asks the same of everybody" in repr(learn.statement("04a"))


@pytest.mark.parametrize("line", ["", "04a now", "99z"])
def test_mistakes_are_sentences_not_tracebacks(course: Course, line: str) -> None:
    said = repr(exercise_tools.exercise(line, "x = 1"))
    assert re.search(r"Write %%exercise and a number|there is no exercise", said)


def test_outside_of_a_course_it_says_where_to_go(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANONLAB_COURSE", str(tmp_path))
    assert "go to the folder of the course" in repr(learn.check("04a"))


def test_the_magic_is_there_in_a_notebook(course: Course, right: dict[str, str]) -> None:
    shell = InteractiveShell.instance()
    try:
        exercise_tools.register_magic()
        result = shell.run_cell(f"%%exercise 04a\n{right['04a']}")
        assert "Public checks passed" in repr(result.result)
    finally:
        InteractiveShell.clear_instance()


def test_a_question_is_asked_judged_and_kept(course: Course) -> None:
    assert 'To answer: answer("04 order", "…") with the letters in your order' in repr(
        learn.answer("04 order")
    )
    said = repr(learn.answer("04 order", "daecb"))
    assert "4 of 5 right." in said
    assert "not so  b (copy the pages) does not belong" in said
    assert "5 of 5" not in repr(learn.answer("04 order", "adec"))
    assert "there is no question 'x'" in repr(learn.answer("x", "a"))
    assert "no step 'z'" in repr(learn.answer("04 order", "z"))
    assert [e["right"] for e in ProgressLog(course.root).events("answer", name="04 order")] == [
        4,
        4,
    ]
    assert repr(learn.predicted("04")) == "04 order: you answered daecb (4 of 5 right)"


def test_an_inverse_question_shows_its_machine_and_not_how_it_was_made(course: Course) -> None:
    """Both frames are mapped writable, once each; the picture marks that as new."""
    for given in (..., "ac"):
        asked = learn.answer("05 inverse", given)
        shown = asked.html if given is ... else asked._repr_html_()
        text = shown[shown.index("The same as text") :]
        assert "pfn 1" in text or "frame 1" in text
        assert text.count("write 0x30000") == 0
        assert "<svg" in shown
    assert "<svg" not in learn.answer("04 order").html


def test_every_inverse_question_has_ways_that_lead_there_and_ways_that_do_not() -> None:
    for name, question in INVERSES.items():
        assert 1 <= len(question.right()) < len(question.options), name


def test_numbers_change_when_asked_again(course: Course) -> None:
    first = repr(learn.answer("01 slot"))
    assert repr(learn.answer("01 slot")) == first
    assert repr(learn.answer("01 slot", again=True)) != first


def test_a_prediction_is_scored_once_and_shown_again(course: Course) -> None:
    learn.predict("03 frames", [0, 1, 3])
    said = repr(learn.reveal("03 frames", ["so it was"], truth=[0, 1, 2]))
    assert said.splitlines()[:3] == [
        "you said: 0, 1, 3",
        "it was: 0, 1, 2",
        "2 of 3 right. right: 0, 1; missed: 2 at place 3, not 3",
    ]
    learn.reveal("03 frames", [], truth=[0, 1, 2])
    assert len(ProgressLog(course.root).events("scored")) == 1
    assert repr(learn.predicted("03")) == (
        "03 frames: you said 0, 1, 3; it was 0, 1, 2 (2 of 3 right)"
    )
    learn.predict("03 other", "I do not know")
    assert "it was: yes" in repr(learn.reveal("03 other", [], truth="yes"))
    assert "2 predictions; 2 of 3 elements were right at first." in repr(learn.progress())


def test_what_explains_a_prediction_opens_with_what_happened(course: Course) -> None:
    why = "copied no page at all"
    assert why not in repr(learn.predict("00 frames", ...))
    assert why not in repr(learn.reveal("00 frames", ["so it was"]))
    assert why not in repr(learn.predict("00 frames", "2, 1"))
    assert why in repr(learn.reveal("00 frames", ["so it was"], truth=[0, 1]))


def test_eight_answers_are_kept_before_and_after_and_told_in_the_end(course: Course) -> None:
    assert "8. " in repr(learn.baseline())
    for wrong in ("abc", "z???????"):
        assert re.search("8 letters|no option 'z'", repr(learn.baseline(wrong)))
    assert "They carry no points." in repr(learn.baseline("ab?aacbb"))
    assert "Answer the eight questions first" in repr(learn.then_and_now())
    learn.baseline("aaaaaaaa")
    learn.final("????????")
    said = repr(learn.then_and_now())
    assert "of 8 then, 0 of 8 now. No points." in said
    assert said.count("answer  ") == 8
    assert said.count("I do not know") == 9
    kept_all = ProgressLog(course.root).events("items", which="before")
    assert [event["given"] for event in kept_all] == ["ab?aacbb", "aaaaaaaa"]


def test_nothing_is_told_of_the_eight_before_the_second_time(course: Course) -> None:
    said = repr(learn.baseline()) + repr(learn.baseline("aaaaaaaa")) + repr(learn.then_and_now())
    for item in ITEMS:
        for asked in (item.before, item.after):
            assert not any(option.why in said for option in asked.options)

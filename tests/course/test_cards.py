"""Cards: each question can be answered on one, and what was said comes back as it was meant."""

from __future__ import annotations

import re
from typing import Any

import pytest
from project import ROOT
from pseudo import english_in, pseudo_language
from test_questions import answer_of, rights

from anonlab import learn
from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.bank.items import ITEMS
from anonlab.course.asking.bank.predictions import (
    PREDICTIONS,
    Part,
    Prediction,
    choice,
    number,
    several,
)
from anonlab.course.asking.belief_tools import ALL
from anonlab.course.asking.card_widget import CardWidget
from anonlab.course.asking.cards import (
    cannot_score,
    check_form,
    question_card,
    question_parts,
    question_verdict,
    typed,
)
from anonlab.course.asking.prediction_tools import tabs_of
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.asking.questions import (
    BankQuestion,
    Choice,
    Inverse,
    Order,
    Table,
    words_of,
)
from anonlab.course.authoring.exercises import Course
from anonlab.formats.catalogue import say

OBJECTED = re.compile(r'\bobjection\("([^"]+)"\)')
"""An objection is asked by its own function, which knows the prediction by this name."""
BELIEVED = re.compile(r'\bbeliefs\("([^"]+)"')
"""The beliefs about a notebook are asked together."""
ASKED = re.compile(r'\b(?:predict|answer)\("([^"]+)", \.\.\.\)')


def on_card(question: BankQuestion, right: Any) -> list[Any]:
    """The clicks that mean the typed answer `right`."""
    if isinstance(question, Table):
        return [question.words.index(word) for word in words_of(right)]
    numbers = [ord(each) - ord("a") for each in str(right)]
    if isinstance(question, Choice):
        return numbers
    if isinstance(question, Inverse):
        return [numbers]
    if isinstance(question, Order):
        items = range(len(question_parts(question)[0]["items"]))  # type: ignore[arg-type]
        line = [items[-1]] if question.others else []
        rest = [each for each in items if each not in (*numbers, *line)]
        return [[*numbers, *line, *rest]]
    return [str(right)]


def test_notebooks_ask_what_there_is_and_all_of_it() -> None:
    sources = (path.read_text("utf-8") for path in (ROOT / "notebooks" / "source").glob("*.py"))
    asked = set()
    for text in sources:
        asked |= {*ASKED.findall(text)} | {f"11 {name}" for name in OBJECTED.findall(text)}
        books = BELIEVED.findall(text)
        asked |= {name for name in ALL if name.split()[0] in books}
    assert asked == set(QUESTIONS) | set(PREDICTIONS)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_right_answer_on_the_card_is_right(name: str) -> None:
    question = QUESTIONS[name]
    answers = on_card(question, answer_of(name))
    check_form(question_card(name, question, 0)["parts"], answers)
    assert all(rights(question.judge(typed(question, answers), 0)))
    unknown = [None] * len(answers)
    assert not all(rights(question.judge(typed(question, unknown), 0)))


def test_what_does_not_belong_stands_below_a_line() -> None:
    orders = [one for one in QUESTIONS.values() if isinstance(one, Order) and one.others]
    assert orders
    for question in orders:
        items = question_parts(question)[0]["items"]
        assert isinstance(items, list)
        assert items[-1] == say("asked.below")
        everything = [[*range(len(items) - 1), len(items) - 1]]
        assert "does not belong" in str(question.judge(typed(question, everything), 0))


def test_a_wrong_order_is_shown_without_its_line_beside_a_right_one() -> None:
    question = QUESTIONS["04 order"]
    assert isinstance(question, Order)
    answers = [[1, 0, 2, 3, 5, 4]]  # flushed last but one; nothing left to say of the VMAs' place
    card = question_verdict(question, answers, question.judge(typed(question, answers), 0), True)
    part = card["parts"][0]
    texts = question_parts(question)[0]["items"]
    assert isinstance(texts, list)
    assert (
        part["given"] == " → ".join(texts[at] for at in (1, 0, 2, 3)) + f" (not in it: {texts[4]})"
    )
    assert say("asked.below") not in part["given"] + part["truth"] + part["why"]
    assert [part["truth"].index(step.text) for step in question.steps.values()] == sorted(
        part["truth"].index(step.text) for step in question.steps.values()
    )
    assert not re.search(r"\b[a-e] (\(|first)", part["why"]), "a card has no letters"


@pytest.mark.parametrize(
    "name", [name for name, one in QUESTIONS.items() if isinstance(one, Order)]
)
def test_steps_are_written_down_in_a_right_order_and_say_their_reasons(name: str) -> None:
    question = QUESTIONS[name]
    assert isinstance(question, Order)
    order = "".join(question.steps)
    assert all(rights(question.judge(order, 0)))
    assert [mark.text for mark in question.judge_in_words(order)] == [
        f"{step.text}. {step.why}" if step.why else step.text for step in question.steps.values()
    ]


def test_a_second_chance_says_how_many_and_no_answer(course: Course) -> None:
    card, question = learn.answer("06 copies"), QUESTIONS["06 copies"]
    assert isinstance(card, CardWidget)
    assert isinstance(question, Table)
    right = on_card(question, answer_of("06 copies"))
    wrong = [(each + 1) % len(question.words) for each in right]
    card._heard({"lock": wrong})
    assert card.verdict["again"]
    assert all(part["truth"] == part["why"] == "" for part in card.verdict["parts"])
    assert card.verdict["nudge"].startswith("0 of 5 right.")
    card._heard({"lock": right})
    assert not card.verdict["again"]
    assert [part["right"] for part in card.verdict["parts"]] == [True] * 5
    assert [part["given"] for part in card.verdict["parts"]] == question.right()
    assert [part["truth"] for part in card.verdict["parts"]] == question.right()
    kept = ProgressLog(course.root).events("answer", name="06 copies")
    assert [event["right"] for event in kept] == [0, 5], "both are kept, the first one counts"


def test_an_inverse_card_numbers_its_options_and_names_them_in_its_verdict() -> None:
    question = QUESTIONS["05 inverse"]
    assert isinstance(question, Inverse)
    answers = [[0, 2]]
    marks = question.judge(typed(question, answers), 0)
    part = question_verdict(question, answers, marks, True)["parts"][0]
    assert (part["given"], part["truth"]) == ("1, 3", "3, 4")
    lines = part["why"].split("\n")
    assert [line[2:] for line in lines[::2]] == question_parts(question)[0]["options"]
    assert [line[0] for line in lines[::2]] == ["×", "✓", "✓", "×"]
    assert not re.search(r"[×✓] [a-d] ", part["why"]), "processes have letters"


def test_who_does_not_know_is_told_at_once(course: Course) -> None:
    card = learn.answer("06 copies")
    assert isinstance(card, CardWidget)
    card._heard({"lock": [None] * 5})
    assert not card.verdict["again"]
    assert "vfork" in str(card.verdict["parts"])


def test_a_prediction_is_kept_and_what_happened_comes_onto_its_card(course: Course) -> None:
    card = learn.predict("00 frames", ...)
    assert isinstance(card, CardWidget)
    assert "predict('00 frames', \"2, 2\")" in repr(card)
    card._heard({"lock": [2, 1]})
    assert card.verdict["said"] == "Kept. What happened comes next."
    learn.reveal("00 frames", ["fork took 0"], truth=[0, 1])
    assert [(part["right"], part["truth"]) for part in card.verdict["parts"]] == [
        (False, "0"),
        (True, "1"),
    ]
    assert "1 of 2 right" in card.verdict["said"]
    again = learn.predict("00 frames", ...)
    assert isinstance(again, CardWidget)
    assert again.answers == [2, 1]
    assert "The first answer counts" in again.verdict["said"]
    learn.predict("00 frames", "0, 1")
    assert "you said 2, 1" in repr(learn.predicted("00")), "the first answer counts"


def test_a_set_is_compared_as_a_set_on_the_card(course: Course) -> None:
    card = learn.predict("09 one look", ...)
    assert isinstance(card, CardWidget)
    card._heard({"lock": [[2, 0]]})
    learn.reveal("09 one look", [], truth={"pte_chain", "anongroup"}, among=("anonmm",))
    assert card.verdict["parts"][0]["right"] is True


def test_eight_scenarios_are_one_card(course: Course) -> None:
    card = learn.baseline()
    assert isinstance(card, CardWidget)
    card._heard({"lock": [0, None, *[1] * (len(ITEMS) - 2)]})
    kept = ProgressLog(course.root).events("items", which="before")
    assert [event["given"] for event in kept] == ["a?bbbbbb"]


def test_the_form_of_an_answer_is_checked_and_nothing_is_kept(course: Course) -> None:
    card = learn.predict("00 frames", ...)
    assert isinstance(card, CardWidget)
    for wrong, says in (
        ([1], "2 answers are asked for"),
        ([1, 65], "part 2: a whole number from 0 to 64"),
        ([1, True], "part 2: a whole number"),
        ("2, 0", "2 answers"),
        (None, "2 answers"),
    ):
        card._heard({"lock": wrong})
        assert card.verdict["again"]
        assert says in card.verdict["nudge"]
    card._heard("no dictionary")
    assert not ProgressLog(course.root).events("predict")


ONE, TWO = (number("How many?"),), (number("How many?"), number("And then?"))
WHO = (choice("Who?", "parent", "child", "nobody"),)
SOME = (several("Which ones?", "pte_chain", "anonmm"),)


@pytest.mark.parametrize(
    ("parts", "answer", "says"),
    [
        (TWO, "2", "2 numbers are asked for, and 1 are in it"),
        (TWO, "two and one", "2 numbers are asked for, and 0 are in it"),
        (TWO, "2 and 0", ""),
        (TWO, "I do not know", ""),
        (ONE, "zero", "one number is asked for"),
        (WHO, "the kid", "Nothing in it is one of: parent, child, nobody."),
        (WHO, "the child", ""),
        (SOME, "none", ""),
        (SOME, "anonmm and pte_chain", ""),
    ],
)
def test_what_of_a_typed_prediction_cannot_be_scored_is_said(
    course: Course, monkeypatch: pytest.MonkeyPatch, parts: tuple[Part, ...], answer: str, says: str
) -> None:
    monkeypatch.setitem(PREDICTIONS, "00 mine", Prediction("", parts))
    assert says in cannot_score(parts, answer)
    said = repr(learn.predict("00 mine", answer))
    assert said.startswith(f"kept: 00 mine: {answer}"), "it is kept all the same"
    assert says in said
    assert ("\n" in said) == bool(says)


def test_a_later_prediction_is_kept_beside_the_first(course: Course) -> None:
    learn.predict("00 frames", "3, 1")
    assert "The first answer counts" in repr(learn.predict("00 frames", "0, 1"))


def test_a_lesson_opens_the_tabs_whose_topic_has_come() -> None:
    assert [tabs_of(name) for name in ("00 frames", "02 areas", "04 fork", "free")] == [
        (),
        ("address", "vmas", "text"),
        ("rmap", "address", "vmas", "text"),
        ("rmap", "cost", "address", "vmas", "text"),
    ]


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_a_card_says_beside_its_question_is_in_the_catalogue(name: str, tmp_path: Any) -> None:
    question = QUESTIONS[name]
    with pseudo_language(tmp_path):
        card = question_card(name, question, 1)
        said = [card["title"], card["note"], *question_verdict_words(question, card["parts"])]
        if not isinstance(question, Table):
            said += [part["text"] for part in card["parts"]]
        assert english_in(said, ["no name"]) == []


def question_verdict_words(question: BankQuestion, parts: list[Part]) -> list[str]:
    """What a card says if one does not know: the first time and the last."""
    nothing = [None] * len(parts)
    marks = question.judge(typed(question, nothing), 1)
    verdicts = [question_verdict(question, nothing, marks, last) for last in (False, True)]
    given = [part["given"] for verdict in verdicts for part in verdict["parts"]]
    return given + [verdict[name] for verdict in verdicts for name in ("nudge", "said")]

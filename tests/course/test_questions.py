"""Questions: what is right is what the simulated kernel does, and each element is judged."""

from __future__ import annotations

import re

import pytest

from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.bank.items import ITEMS
from anonlab.course.asking.questions import (
    UNKNOWN,
    Choice,
    Inverse,
    Mark,
    Number,
    Option,
    Order,
    OrderStep,
    Table,
    TableRow,
)
from anonlab.formats.history_text import parse
from anonlab.histories.splitmix import SplitMix64
from anonlab.kernel import Kernel
from anonlab.recording.recorder import record

LETTERS = Order(
    "?",
    {
        "b": OrderStep("first"),
        "a": OrderStep("then", "b", "Because."),
        "d": OrderStep("at last", "ab"),
    },
    {"c": ("sing", "nobody sings.")},
)


def rights(marks: list[Mark]) -> list[bool]:
    return [mark.right for mark in marks]


def test_any_order_that_the_graph_allows_is_right() -> None:
    free = Order("?", {"a": OrderStep("x"), "b": OrderStep("y"), "c": OrderStep("z", "ab")}, {})
    for order in ("abc", "bac", ["a", "b", "c"], "b, a, c"):
        assert rights(free.judge(order, 0)) == [True] * 3
    assert rights(free.judge("acb", 0)) == [True, True, False]


def test_each_step_of_a_wrong_order_gets_its_own_words() -> None:
    marks = LETTERS.judge("cab", 0)
    assert [mark.text for mark in marks] == [
        "a (then) comes too early: b first. Because.",
        "b (first)",
        "d (at last) is missing",
        "c (sing) does not belong: nobody sings.",
    ]
    assert rights(marks) == [False, True, False, False]


@pytest.mark.parametrize(("given", "says"), [("bax", "no step 'x'"), ("bab", "'b' is there twice")])
def test_an_order_that_cannot_be_read_is_told(given: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LETTERS.judge(given, 0)


def test_a_table_is_judged_row_by_row() -> None:
    rows = (
        TableRow("one", "1", "A."),
        TableRow("two", "2", "B."),
        TableRow("own", "x", "C.", lambda _: "2"),
    )
    table = Table("?", lambda text: text, ("1", "2"), rows)
    marks = table.judge("1 1 2", 0)
    assert rights(marks) == [True, False, True]
    assert marks[1].text == "row b: 2. B."
    assert rights(table.judge(["?", "2", "?"], 0)) == [False, True, False]
    for wrong in ("1 2", "1 2 3", "one two two"):
        with pytest.raises(ValueError, match="3 words, one for each row"):
            table.judge(wrong, 0)


def test_a_choice_is_what_is_measured() -> None:
    options = (Option("no", "n", "Not that."), Option("yes", "y", "That."))
    choice = Choice("?", "y", lambda text: text, options)
    assert choice.right() == "b"
    assert choice.judge("B", 0) == [Mark(True, "b: That.")]
    assert choice.judge("a", 0) == [Mark(False, "a: Not that.")]
    assert choice.judge(UNKNOWN, 0) == [Mark(False, "The answer is b. That.")]
    for wrong in ("c", "ab"):
        with pytest.raises(ValueError, match="no option 'c'|one letter"):
            choice.judge(wrong, 0)


def test_an_inverse_question_takes_every_way_that_leads_there() -> None:
    start = "p = spawn\np mmap 0x30000 2\n"
    ways = (
        ("p write 0x30000 1 2\n", "x"),
        ("p write 0x30000 1\np write 0x31000 1\n", "y"),
        ("p write 0x30000 1\n", "z"),
    )
    inverse = Inverse("?", start, "p write 0x30000 3 2\n", ways)
    assert inverse.right() == "ab"
    assert rights(inverse.judge("ab", 0)) == [True] * 3
    assert rights(inverse.judge("a", 0)) == [True, False, True]
    assert rights(inverse.judge("?", 0)) == [False, False, True]
    assert inverse.judge("12", 0) == inverse.judge("ab", 0)
    assert inverse.judge("2", 0)[0].text.split("\n    ") == [
        "1: p write 0x30000 1 2",
        "This leads here, but you did not choose it: x",
    ]
    with pytest.raises(ValueError, match="no option '4': 1 to 3"):
        inverse.judge("4", 0)


def test_a_number_may_be_written_in_any_base() -> None:
    number = Number(lambda rng: ("?", 0x31), "So.")
    assert [number.judge(each, 0)[0].right for each in (0x31, "49", "0x31", "0x30", "?")] == [
        *(True, True, True, False, False),
    ]
    with pytest.raises(ValueError, match="is no number"):
        number.judge("many", 0)


def test_every_question_can_be_asked_and_has_a_right_answer() -> None:
    for name, question in QUESTIONS.items():
        assert re.match(r"[01][0-9] [a-z][a-z -]*\Z", name)
        assert question.ask(0)
        right = answer_of(name)
        assert all(rights(question.judge(right, 0))), name
        assert not all(rights(question.judge(wrong_answer(name), 0))), name


def answer_of(name: str) -> object:
    """A right answer: found, for orders, among all."""
    question = QUESTIONS[name]
    if isinstance(question, Number):
        return question.make(SplitMix64(0))[1]
    if isinstance(question, Order):
        order = ""
        while len(order) < len(question.steps):
            order += next(
                each
                for each, step in question.steps.items()
                if each not in order and set(step.after) <= set(order)
            )
        return order
    return question.right()


def wrong_answer(name: str) -> object:
    question = QUESTIONS[name]
    if isinstance(question, Table):
        return [UNKNOWN] * len(question.rows)
    if isinstance(question, Order):
        return "".join(sorted({*question.steps, *question.others}))
    return UNKNOWN


def test_words_of_a_table_are_all_that_can_be_measured() -> None:
    for name, question in QUESTIONS.items():
        if isinstance(question, Table):
            assert set(question.right()) <= set(question.words), name
            assert len(set(question.right())) > 1, name
            assert all(each.lower() == each and " " not in each for each in question.words)


def steps_of(text: str) -> list[str]:
    """Labels of the last operation's steps."""
    trace = record(parse(text))
    return [step.label for step in trace.steps if step.operation == trace.steps[-1].operation]


START = "p = spawn\np mmap 0x30000 4\np write 0x30000 7 4\n"
KERNELS_ORDER = {
    "04 order": (
        START + "c = fork p\n",
        {"fork.join_group": "a", "fork.copy_vmas": "d", "fork.share_ptes": "ec"},
    ),
    "07 order": (
        START + "c = fork p\nc mremap 0x30000 4 to 0x80000\n",
        {"mremap.copy": "cfa", "mremap.move": "eb"},
    ),
    "08 order": (
        START + "c = fork p\np swap_out 0x30000\n",
        {"swap_out.add": "c", "swap_out.unmap": "af", "swap_out.write": "eb"},
    ),
}
"""(history, what the steps of its last operation are in the question)."""


@pytest.mark.parametrize("name", KERNELS_ORDER)
def test_the_order_in_which_the_simulated_kernel_goes_is_right(name: str) -> None:
    history, letters = KERNELS_ORDER[name]
    order = "".join(letters.get(label, "") for label in steps_of(history))
    assert len(order) == len(QUESTIONS[name].steps)  # type: ignore[union-attr]
    assert all(rights(QUESTIONS[name].judge(order, 0))), order


@pytest.mark.parametrize(
    ("name", "order", "early"),
    [
        ("02 order", "aebd", "a"),  # words cleared before anything is split
        ("02 order", "edba", "d"),  # areas removed after one split
        ("04 order", "deac", "e"),  # shared with a child whom no walk finds
        ("04 order", "aedc", "e"),  # words without a VMA
        ("04 order", "dace", "c"),  # flushed before there is anything to forget
        ("07 order", "fcbae", "b"),  # the index of a page that others have
        ("07 order", "cfeab", "e"),  # moved, and only then copied
        ("08 order", "acfeb", "a"),  # no entry to put there yet
        ("08 order", "cafbe", "b"),  # the only copy is given away
        ("08 order", "caefb", "e"),  # written while a processor may still change it
    ],
)
def test_what_would_do_harm_comes_too_early(name: str, order: str, early: str) -> None:
    marks = QUESTIONS[name].judge(order, 0)
    wrong = [mark.text[0] for mark in marks if not mark.right]
    assert early in wrong
    assert all("comes too early" in mark.text for mark in marks if not mark.right)


def test_numbers_are_others_for_other_seeds_and_right_for_the_machine() -> None:
    index = QUESTIONS["03 index"]
    assert isinstance(index, Number)
    asked = {index.ask(seed) for seed in range(20)}
    assert len(asked) == 20
    for seed in range(20):
        text, right = index.make(SplitMix64(seed))
        pages, start, at = re.findall(r"maps (\d+) pages at (\S+)\. It writes to (\S+)\.", text)[0]
        kernel = Kernel("anongroup", 16)
        p = kernel.spawn("p")
        p.mmap(int(pages) * 4096, at=int(start, 0))
        p.write(int(at, 0) & ~0xFFF, 1)
        page = p.page(int(at, 0) & ~0xFFF)
        assert page is not None
        assert page.index == right


def test_slots_and_addresses_agree_with_the_digits() -> None:
    for seed in range(20):
        text, right = QUESTIONS["01 slot"].make(SplitMix64(seed))  # type: ignore[union-attr]
        level, address = re.findall(r"level (\d) does (\S+) use", text)[0]
        bits = f"{int(address, 0):048b}"
        assert int(bits[9 * int(level) : 9 * int(level) + 9], 2) == right
        text, right = QUESTIONS["00 digits"].make(SplitMix64(seed))  # type: ignore[union-attr]
        assert right == int(re.findall(r"address 0x(\w)(\w)\w{3}\.", text)[0][1], 16)
        text, right = QUESTIONS["01 address"].make(SplitMix64(seed))  # type: ignore[union-attr]
        top, leaf, offset = re.findall(
            r"slot (\w) of the top.*slot (\w) of.*offset is 0x(\w+)\.", text
        )[0]
        assert f"{right:05x}" == f"{top}{leaf}{offset:>03}"


def test_the_eight_scenarios_ask_for_eight_ideas_twice_with_other_words() -> None:
    assert len({item.idea for item in ITEMS}) == len(ITEMS) == 8
    for item in ITEMS:
        assert item.before.text != item.after.text
        assert item.before.history != item.after.history
        assert len(item.before.options) == len(item.after.options) >= 3
        for asked in (item.before, item.after):
            values = [option.value for option in asked.options]
            assert len(set(values)) == len(values)
            assert asked.right() in "abcd"  # StopIteration if no option is what happens
    for when in ("before", "after"):
        assert len({getattr(item, when).right() for item in ITEMS}) > 1

from __future__ import annotations

import re

import pytest
from history_strategies import histories
from hypothesis import given, settings
from hypothesis import strategies as st

from anonlab.errors import FormatError
from anonlab.formats.history import ANY, VERBS, History, Machine, Op
from anonlab.formats.history_text import format, parse, usage  # noqa: A004  a pair with parse


@settings(deadline=None)
@given(histories())
def test_what_is_written_is_read_back_as_the_same_history(history):
    assert parse(format(history)) == history


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_makes_the_round_trip(verb):
    @settings(deadline=None, max_examples=20)
    @given(histories((verb,)))
    def round_trip(history):
        assert parse(format(history)) == history

    round_trip()


def test_the_example_of_the_design_means_what_it_says():
    history = parse(
        "machine lesson frames 32 swap 8\n"
        "shell = spawn\n"
        "libc = file 12\n"
        "shell mmap 0x30000 4 rx file libc offset 2 shared\n"
        "shell write 0x30_000 7\n"
        "child = fork shell\n"
        "child mremap 196608 4 to any\n"
        "child exit\n"
    )
    assert history.machine == Machine("lesson", 32, 8)
    assert history.ops == (
        Op("spawn", "shell", {}),
        Op("file", "libc", {"pages": 12}),
        Op(
            "mmap",
            "shell",
            {
                "addr": 0x30000,
                "pages": 4,
                "prot": "rx",
                "file": "libc",
                "offset": 2,
                "shared": True,
            },
        ),
        Op("write", "shell", {"addr": 0x30000, "value": 7}),
        Op("fork", "child", {"parent": "shell"}),
        Op("mremap", "child", {"addr": 0x30000, "pages": 4, "to": ANY}),
        Op("exit", "child", {}),
    )
    assert [op.line for op in history.ops] == [2, 3, 4, 5, 6, 7, 8]


def test_comments_blank_lines_and_spaces_say_nothing():
    spaced = "\n  # a remark\n\ta   =spawn # here\r\n\n a  read  0x1000\t#there\n"
    assert parse(spaced).ops == parse("a = spawn\na read 0x1000").ops
    assert [op.line for op in parse(spaced).ops] == [3, 5]


def test_a_comment_on_the_first_line_is_the_title_unless_one_is_given():
    assert parse("#  One   page \na = spawn").title == "One page"
    assert parse("# One page\na = spawn", "Mine").title == "Mine"
    assert parse("a = spawn\n# One page").title == ""


def test_without_a_machine_the_lesson_machine_is_meant():
    assert parse("a = spawn").machine == Machine("lesson", 64, 16)
    assert parse("machine x86_64 swap 3\na = spawn").machine == Machine("x86_64", 64, 3)


def test_nothing_at_all_is_an_empty_history():
    assert parse("") == History(())


WRONG = [
    ("spwan", "a = spwan", "did you mean: NAME = spawn"),
    ("wriet", "a wriet 1 2", "did you mean: WHO write ADDR VALUE [PAGES]"),
    ("xyzzy", "a xyzzy 1 2", "known are execve, exit, mmap"),
    ("a", "a", "alone says nothing"),
    ("a =", "a =", "a verb is missing"),
    ("mmap", "b = mmap 1 2", "is written: WHO mmap"),
    ("fork", "a fork b", "is written: NAME = fork PARENT"),
    ("swapoff", "a swapoff", "is written: swapoff"),
    ("rv", "a mmap 0 1 rv", "did you mean 'r'"),
    ("fixd", "a mmap 0 1 rw fixd", "did you mean 'fixed'"),
    ("shared", "a mmap 0 1 shared shared", "stands twice"),
    ("FILE", "a mmap 0 1 file", "FILE is missing"),
    ("PAGES", "a munmap 0x1000", "PAGES is missing; write: WHO munmap ADDR PAGES"),
    ("0x1g", "a read 0x1g", "is no number: ADDR is decimal (12) or hex (0x30000)"),
    ("010", "a read 010", "is no number"),
    ("-1", "a read -1", "is negative"),
    ("9223372036854775808", "a write 0 9223372036854775808", "is above 2**63 - 1"),
    ("7", "a exit 7", "nothing more belongs here"),
    ("wontneed", "a madvise 0 1 wontneed", "did you mean 'dontneed'"),
    ("b", "b exit", "there is no process 'b' yet; known so far: a"),
    ("f", "a mmap 0 1 file f", "there is no file 'f' yet; write first: f = file PAGES"),
    ("a", "truncate a 3", "'a' is a process, not a file"),
    ("a", "a = fork a", "'a' is already a process"),
    ("7a", "7a = spawn", "a name begins with a letter"),
    ("reclaim", "reclaim = spawn", "means something else here"),
    ("machine", "machine lesson", "stands once, before every operation"),
]


@pytest.mark.parametrize(("word", "line", "right"), WRONG)
def test_a_mistake_is_told_with_line_word_and_what_would_be_right(word, line, right):
    text = "# title\n\na = spawn\n" + "a read 0x1000\n" * 33 + line + "\na exit\n"
    with pytest.raises(FormatError) as caught:
        parse(text)
    message = str(caught.value)
    assert message.startswith("line 37: ")
    assert caught.value.line == 37
    assert word in message
    assert right in message


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("machine moon", "there are lesson, x86_32, x86_64"),
        ("machine lesson frames", "words are missing"),
        ("machine lesson frames 1", "frames, not 1"),
        ("machine lesson farmes 10", "did you mean 'frames'"),
        ("machine lesson frames 9 frames 9", "stand twice"),
        ("machine lesson\nmachine lesson", "line 2: 'machine' stands once"),
    ],
)
def test_a_machine_that_cannot_be_is_refused(text, right):
    with pytest.raises(FormatError, match=re.escape(right)):
        parse(text)


def test_messages_stay_short_whatever_the_line_holds():
    for line in (
        "x" * 10_000,
        "a " + "x" * 10_000,
        "a = " + "x" * 10_000,
        "9" * 10_000 + " = spawn",
    ):
        with pytest.raises(FormatError) as caught:
            parse("a = spawn\n" + line)
        assert len(str(caught.value)) < 400


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_history_or_a_format_error(text):
    try:
        history = parse(text)
    except FormatError as error:
        line = error.line
    else:
        line = 1
        assert parse(format(history)) == history
    assert 1 <= line <= text.count("\n") + 1


WORDS = [*VERBS, "=", "a", "f", "file", "offset", "any", "to", "0x1000", "3", "rw", "-1", "\n", "#"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS)))
def test_any_words_of_the_language_are_a_history_or_a_format_error(words):
    text = "a = spawn\nf = file 3\n" + " ".join(words)
    try:
        history = parse(text)
    except FormatError as error:
        line = error.line
    else:
        line = 3
        assert parse(format(history)) == history
    assert line >= 3


@pytest.mark.parametrize(
    ("op", "problem"),
    [
        (Op("jump", "a", {}), "unknown verb 'jump'"),
        (Op("exit", "b", {}), "there is no process 'b'"),
        (Op("read", "a", {}), "read needs addr"),
        (Op("exit", "a", {"addr": 1}), "exit has no argument 'addr'"),
        (Op("read", "a", {"addr": -1}), "addr must be a whole number from 0"),
        (Op("reclaim", "a", {"pages": 1}), "done by the machine"),
        (Op("spawn", "a b", {}), "is no name"),
    ],
)
def test_what_cannot_be_written_is_refused_by_the_writer(op, problem):
    with pytest.raises(FormatError, match="operation 1: .*" + re.escape(problem)):
        format(History((Op("spawn", "a", {}), op)))


def test_usage_shows_every_argument_of_a_verb():
    assert usage("mremap") == "WHO mremap ADDR PAGES [pages PAGES] [to ADDR|any] [dontunmap]"
    assert usage("truncate") == "truncate FILE NPAGES"


def test_a_machine_can_be_short_of_page_tables():
    text = "machine lesson frames 9 swap 3 tables 5\na = spawn\n"
    history = parse(text)
    assert history.machine == Machine("lesson", 9, 3, tables=5)
    assert format(history) == text
    assert "tables" not in format(parse("a = spawn"))

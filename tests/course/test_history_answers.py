"""A history that a student hands in is run by who judges: it must be small."""

from __future__ import annotations

import pytest

from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.history_answers import read_history_answer


class Student:
    def __init__(self, text: str) -> None:
        self.text = text

    def history(self) -> str:
        return self.text


@pytest.mark.parametrize(
    "text",
    [
        "machine lesson frames 2000000000 swap 1\np = spawn\n",
        "machine lesson frames 64 swap 2000000000\np = spawn\n",
        "machine x86_64\np = spawn\np mmap 0x30000 34359738000\n",
        "f = file 2000000000\n",
        "f = file 1\ntruncate f 2000000000\n",
    ],
)
def test_a_history_that_takes_all_memory_or_time_is_wrong_before_it_runs(text: str) -> None:
    with pytest.raises(Wrong, match="fewer show the same"):
        read_history_answer(Student(text), 30)


def test_a_history_of_the_lesson_is_run() -> None:
    text = "machine lesson frames 4096 swap 64\np = spawn\nf = file 9\np mmap 0x30000 200\n"
    assert read_history_answer(Student(text), 30).nops == 3

"""Nothing is explained while it is asked, and something is asked about each idea of the mail."""

from __future__ import annotations

from pathlib import Path

import pytest
from project import ROOT

from anonlab.course.asking import mail_lines
from anonlab.course.authoring.reveals import mail_problems, reveal_problems

DETAILS = "# %% [markdown]\n# <details><summary>Why?</summary>Because.</details>\n"
REVEAL = '# %%\nreveal("03 frames", [])\n'
ASK = '# %%\npredict("03 frames", ...)\n'
TOLD = "This is copy on write. It may write in place, so nothing is copied."
"""The second sentence is the explanation of a scene."""


def found(tmp_path: Path, text: str) -> list[str]:
    source = tmp_path / "source" / "00_it.py"
    source.parent.mkdir(exist_ok=True)
    source.write_text(text, "utf-8")
    return reveal_problems(tmp_path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (ASK + DETAILS + REVEAL, 3),
        (ASK + REVEAL + DETAILS, 0),
        (ASK + "# %% [markdown]\n# ## Head\n" + DETAILS + REVEAL, 5),
        ('# %%\nx = answer("04 order", ...)\n' + DETAILS, 3),
        ('# %%\nscene("00 who uses it")\n# %%\n1\n' + DETAILS, 5),
        ('# %%\nscene("00 who uses it")\n# %% [markdown]\n# ## Head\n' + DETAILS, 0),
        (ASK + "# %% [markdown]\n# 1. Why?\n" + DETAILS.partition("\n")[2] + REVEAL, 0),
    ],
)
def test_an_explanation_while_a_question_is_open_is_named(
    tmp_path: Path, text: str, line: int
) -> None:
    problems = found(tmp_path, text)
    assert [each.split(":")[1] for each in problems] == ([str(line)] if line else []), problems
    assert all("explains while" in each for each in problems)


def test_what_a_card_says_with_the_truth_stands_in_no_text(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, f"# %% [markdown]\n# {TOLD}\n")
    assert problem.startswith(
        "00_it.py:1: only the card '00 who uses it' says, with the truth: “It "
    )


def test_each_paragraph_of_the_mail_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mail_problems(ROOT / "notebooks") == []
    monkeypatch.setitem(mail_lines.ASKED, 5, ())
    monkeypatch.setitem(mail_lines.ASKED, 6, ("06 gone",))
    problems = mail_problems(ROOT / "notebooks")
    assert [each.partition(":")[2].split(";")[0] for each in problems] == [
        " no notebook asks it",
        " there is no scene or question '06 gone'",
        " no notebook asks 06 gone",
    ]

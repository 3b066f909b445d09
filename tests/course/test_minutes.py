"""Minutes come from what a notebook asks for, or from who measured them."""

from __future__ import annotations

from pathlib import Path

import pytest
from project import ROOT

from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.minutes import (
    CORE,
    Minutes,
    middle,
    minutes_of,
    minutes_problems,
    notebook_minutes,
    read_measured,
    said,
)
from anonlab.errors import FormatError

TEXT = f"""# %% [markdown]
# {"word " * 300}
#
# 1. What is this?
# 2. Is it long,
#    or not?
# 3. This is none.
#
# <details><summary>Answers</summary>
#
# 1. Who asks here?
#
# </details>

# %%
from anonlab.learn import *

# %%
x = 1

# %%
predict("13 copies", ...)

# %%
answer("04 order", ...)

# %%
play(trace, "04 words")

# %%
scene("00 who uses it")

# %% tags=["exercise"]
# %%exercise 04a

# %%
drill("04")
"""


def test_each_part_of_a_notebook_takes_its_time() -> None:
    """Counted by hand: 4 questions of which one is an answer, cards of 3, 1, 2 and 1 things."""
    found = minutes_of(TEXT, {"04a": 15, "04b": 99})
    assert found.code == 0.5 + 2 + 2  # a cell, a player, a scene; imports and drills are free
    assert found.answers == 2 * 0.5 + (1 + 2 * 0.5) + 1 + (1 + 0.5) + 1
    assert found.exercises == 15
    scene = 58  # words on the two cards of the scene, counted by hand
    assert found.reading == pytest.approx((300 + 4 + 4 + 3 + 4 + 1 + 4 + scene) / 150, abs=0.1)
    assert found.total == 5 * round((sum(found)) / 5)


def test_the_card_says_them() -> None:
    assert said("**In 75 minutes you can** see", 60) == "**In about 60 minutes you can** see"
    assert said("**In about 5 minutes you can**", 60) == "**In about 60 minutes you can**"
    assert said("in 75 minutes", 60) == "in 75 minutes"


def test_the_core_track_takes_a_working_day_at_most() -> None:
    times = {each.number: each.minutes for each in read_masters(ROOT / "solutions")}
    assert minutes_problems(notebook_minutes(ROOT / "notebooks", times)) == []
    slow = {number: Minutes(70, 0, 0, 0) for number in (*CORE, "09")}
    assert minutes_problems(slow) == [
        "the core track takes 490 minutes by the rule, at most 480 are right"
    ]


def test_what_teachers_measured_is_read(tmp_path: Path) -> None:
    path = tmp_path / "measured_minutes.csv"
    assert read_measured(path) == ()
    path.write_text(
        "notebook,minutes,learners,date,note\n04,60,3,2026-10-14,\n04,90,2,2026-11-02,evening\n\n",
        "utf-8",
    )
    found = read_measured(path)
    assert middle(found, "04") == (60, 5)
    assert middle(found, "05") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the first line is notebook,minutes"),
        ("a,b\n", "the first line is notebook,minutes"),
        ("notebook,minutes,learners,date,note\n04,x,3,2026-10-14,\n", "'04,x,3,2026-10-14,'"),
        ("notebook,minutes,learners,date,note\n04,60,3,14.10.2026,\n", "is no row such as 04,70"),
        ("notebook,minutes,learners,date,note\n04,60\n", "is no row such as 04,70"),
        ("notebook,minutes,learners,date,note\n04,0,3,2026-10-14,\n", "are more than 0"),
    ],
)
def test_what_is_no_measurement_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "measured_minutes.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(FormatError, match=says):
        read_measured(path)

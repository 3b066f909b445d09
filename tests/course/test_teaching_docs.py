"""Plans and syllabus: fifty minutes, hours that add up, and nothing named that is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from project import ROOT

from anonlab.course.authoring.build import teaching_drift
from anonlab.course.authoring.masters import read_masters
from anonlab.course.teaching import plans

TEACHING = ROOT / "docs" / "teaching"
PLANS = sorted((TEACHING / "plans").glob("*.md"))
WRITTEN = ("Aim", "You need", "Recall", "Say first", "On the board", "Together", "Watch for",
           "Exit question", "At home")  # fmt: skip


def test_what_is_made_is_up_to_date_and_each_notebook_has_a_plan() -> None:
    assert teaching_drift(ROOT / "notebooks") == ()
    books = {path.stem.split("_")[0] for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert books == {path.stem for path in PLANS}


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_a_plan_has_all_its_parts_and_fifty_minutes(path: Path) -> None:
    text = path.read_text("utf-8")
    for part in WRITTEN:
        assert re.search(rf"^\*\*{part}\.\*\*(?: |\n\n> )\S", text, re.MULTILINE), part
    assert re.search(r"^\*Answer:\* \S", text, re.MULTILINE)
    minutes = [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]
    assert minutes[0] == 0
    assert minutes == sorted(set(minutes))
    assert minutes[-1] == 46
    wanted = re.search(r"^\*\*Together\.\*\* \(at least (\d+) minutes\)", text, re.MULTILINE)
    assert 46 - minutes[-2] >= (int(wanted[1]) if wanted else 10), "so much is for work in pairs"
    asked = re.findall(r"^\| \d+ \| \*\*Ask\*\*: (.*?) \|", text, re.MULTILINE)
    for question in asked:
        if not question.startswith("question "):
            assert f"- {question} **" in text, "its answer is below"


def test_a_plan_without_a_place_for_what_is_made_is_told(tmp_path: Path) -> None:
    for name in ("notebooks", "docs/teaching/plans"):
        (tmp_path / name).mkdir(parents=True)
    book = {"cells": [{"source": ["# 01 · x\n", "**In 5 minutes you can** y"]}]}
    (tmp_path / "notebooks" / "01_x.ipynb").write_text(json.dumps(book), "utf-8")
    (tmp_path / "docs" / "teaching" / "plans" / "01.md").write_text("# mine\n", "utf-8")
    with pytest.raises(ValueError, match=r"01\.md: one line .* are needed"):
        plans.plan_pages(tmp_path, ())


def test_the_hours_of_the_syllabus_add_up() -> None:
    """Counted again from the first cells of the notebooks."""
    minutes = {}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        first = "".join(json.loads(path.read_text("utf-8"))["cells"][0]["source"])
        minutes[path.stem.split("_")[0]] = int(re.search(r"In (?:about )?(\d+) minutes", first)[1])  # type: ignore[index]
    masters = {master.number: master for master in read_masters(ROOT / "solutions")}
    text = (TEACHING / "SYLLABUS.md").read_text("utf-8")
    tracks = text.split("\n## ")[1:]
    assert [track.splitlines()[0] for track in tracks] == ["Two weeks", "Five weeks", "Ten weeks"]
    for track in tracks:
        total = 0
        for lessons, home, given, hours in re.findall(
            r"^\| \d+ \| (.*?) \| (.*?) \| (.*?) \| ([\d.]+) \|$", track, re.MULTILINE
        ):
            numbers = re.findall(r"\b(?:\d\d[a-z]|lab\d)\b", given.split(";")[0])
            assert set(numbers) <= set(masters), "an exercise that is not there"
            labs = [masters[number].minutes for number in numbers if number.startswith("lab")]
            taken = 50 * lessons.count("](plans/") + sum(minutes[n] for n in home.split(", "))
            taken += sum(labs)
            assert f"{taken / 60:.1f}" == hours
            total += taken
        assert f"**{total / 60:.1f}**" in track


def test_links_between_the_pages_lead_somewhere() -> None:
    for path in (*TEACHING.glob("*.md"), *PLANS):
        for target in re.findall(r"\]\(([^)#]+?)(?:#[\w-]+)?\)", path.read_text("utf-8")):
            assert target.startswith("http") or (path.parent / target).exists(), (path, target)

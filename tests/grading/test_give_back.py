"""Feedback goes back by the names that a system gave: its own rules say whose a file is."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import stand_in
from classroom import ONE, OTHER, put, zipped
from project import ROOT

from anonlab.grading.config import GradingOptions
from anonlab.grading.run import grade_class

CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section\n"
    '"Doe, Jane",1004,01,jdoe,1\n"Zhao, Li",1005,02,zhaoli,1\n"Ray, Al",1006,03,ray,1\n'
)
SHEET = (
    "Identifier,Full name,Email address\nParticipant 12,Jane Doe,n1@x\n"
    "Participant 13,Li Zhao,n2@x\nParticipant 14,Al Ray,n3@x\n"
)


@pytest.fixture
def given(tmp_path: Path) -> GradingOptions:
    """A class that hands in; tests say who and how."""
    put(tmp_path, {"hw.toml": 'name = "hw"\nexercises = ["04a", "05a"]\n'})
    return GradingOptions(
        tmp_path / "in", tmp_path / "out", tmp_path / "roster.csv", ROOT, tmp_path / "hw.toml",
        jobs=1,
    )  # fmt: skip


def packed(given: GradingOptions, kind: str) -> tuple[dict[str, str], list[str]]:
    """The texts that go back, by their name in the zip, and what the instructor is told."""
    graded = grade_class(replace(given, give_back=kind), stand_in.judge, lambda: None)
    with zipfile.ZipFile(given.out / "give-back" / f"{kind}.zip") as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}, graded.notes


def canvas_reads(name: str) -> tuple[int, int] | None:
    """User and attachment of a file, as Canvas finds them: the first two parts of digits alone."""
    numbers = [part for part in name.split("_") if re.fullmatch(r"\d+", part)][:2]
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else None


def moodle_reads(path: str) -> tuple[int, str] | None:
    """Participant and file, as Moodle finds them: NAME_NUMBER_assignsubmission_file in a part."""
    parts = path.split("/")
    while parts:
        info = parts.pop(0).split("_", 4)
        if len(info) < 4 or not info[1].isdigit() or info[2:4] != ["assignsubmission", "file"]:
            continue
        return int(info[1]), "/".join([info[4] if len(info) > 4 else "", *parts])
    return None


def test_canvas_takes_each_text_back_beside_an_attachment_of_its_student(
    given: GradingOptions, tmp_path: Path
) -> None:
    handed_in = {
        f"doejane_1004_561_{ONE}": "3\n",
        f"doejane_1004_562_{OTHER}": "1\n",
        "zhaoli_LATE_1005_563_hw.zip": zipped({ONE: "4\n"}),
        f"ray-{ONE}": "5\n",
    }
    put(tmp_path, {"roster.csv": CANVAS})
    put(tmp_path / "in", handed_in)
    found, notes = packed(given, "canvas")
    assert {canvas_reads(name) for name in found} == {(1004, 561), (1005, 563)}
    whose = {"1004": "Doe, Jane (1004)", "1005": "Zhao, Li (1005)"}
    assert all(whose[str((canvas_reads(name) or (0,))[0])] in text for name, text in found.items())
    assert any("not in canvas.zip: 1006" in note for note in notes)


@pytest.mark.parametrize("roster", [SHEET, SHEET.replace("Participant", "Teilnehmer/in")])
def test_moodle_takes_each_page_back_to_its_participant(
    given: GradingOptions, tmp_path: Path, roster: str
) -> None:
    put(tmp_path, {"roster.csv": roster, "groups.csv": "group,email\nA,n2@x\nA,n3@x\n"})
    put(tmp_path / "in", {
        f"Jane Doe_12_assignsubmission_file_/{ONE}": "3\n",
        f"Li Zhao_13_assignsubmission_file_{ONE}": "4\n",
    })  # fmt: skip
    found, notes = packed(replace(given, groups=tmp_path / "groups.csv"), "moodle")
    assert sorted(filter(None, map(moodle_reads, found))) == [
        (number, f"/feedback.{ending}") for number in (12, 13, 14) for ending in ("html", "txt")
    ]
    names = {"12": "Jane Doe", "13": "Li Zhao", "14": "Al Ray"}
    assert all(names[path.split("_")[1]] in text for path, text in found.items())
    assert [note for note in notes if "not in moodle.zip" in note] == []


def test_a_folder_for_each_and_nothing_old_stays(given: GradingOptions, tmp_path: Path) -> None:
    put(tmp_path, {"roster.csv": "student_id\nann\nbob\n"})
    put(tmp_path / "in", {f"hw1-ann/{ONE}": "3\n", f"bob/{ONE}": "4\n", "ann.zip": "?"})
    pattern = re.compile(r"^(hw1-)?(?P<student>[a-z]+)")
    given = replace(given, names=pattern, give_back="folder")
    grade_class(given, stand_in.judge, lambda: None)
    back = tmp_path / "out" / "give-back" / "feedback"
    assert {path.relative_to(back).as_posix() for path in back.rglob("*.*")} >= {
        "bob/feedback.html", "bob/feedback.txt"
    }  # fmt: skip
    assert "bob" in (back / "bob" / "feedback.txt").read_text("utf-8")
    grade_class(replace(given, give_back=None), stand_in.judge, lambda: None)
    assert not (tmp_path / "out" / "give-back").exists()


def test_practice_gives_nothing_back(given: GradingOptions, tmp_path: Path) -> None:
    put(tmp_path, {"roster.csv": SHEET})
    put(tmp_path / "in", {f"Jane Doe_12_assignsubmission_file_/{ONE}": "3\n"})
    given = replace(given, in_process=True, give_back="moodle")
    notes = grade_class(given, stand_in.judge, lambda: None).notes
    assert "not official: no feedback was packed to give back" in notes
    assert not (tmp_path / "out" / "give-back").exists()

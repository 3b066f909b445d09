"""A zip for each student: what was chosen, their id, their variant, and no answer."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from classroom import put
from click.testing import CliRunner, Result
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.release import leaks
from anonlab.course.authoring.variants import variant_seed

HW = 'name = "Homework 1"\nexercises = ["04a", "05a"]\n'
VARIANTS = HW + "[grading]\nvariants = true\n"
OURS = "the secret of the class"
ROSTER = "student_id,name,email\n0000001,Jane Doe,n1@x\nA/B,,\n0000003,Li,\n0000003,Al,\n,No,\n"


def release(folder: Path, hw: str, *more: str, secret: str = OURS) -> Result:
    put(folder, {"hw.toml": hw, "class.csv": ROSTER})
    words = ["course", "release", "--out", str(folder / "out"), "--assignment",
             str(folder / "hw.toml"), str(ROOT), *more]  # fmt: skip
    return CliRunner().invoke(cli, words, env={"ANONLAB_SECRET": secret})


def unpacked(path: Path, folder: Path) -> dict[str, str]:
    """The files of a zip by name, and in a folder."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_each_student_gets_a_zip_of_their_own(tmp_path: Path) -> None:
    more = ("--roster", str(tmp_path / "class.csv"), "--variants")
    done = release(tmp_path, VARIANTS, *more)
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"0000001.zip", "A%2FB.zip", "students.csv"}
    assert "'0000003' stands in the roster more than once: no zip" in done.output
    assert "line 6 of the roster has no id: no zip" in done.output
    found = unpacked(tmp_path / "out" / "0000001.zip", tmp_path / "jane")
    told = json.loads(found["homework-1/exercises/variant.json"])
    assert told["student"] == "0000001"
    assert told["seeds"] == {each: variant_seed(OURS, "0000001", each) for each in ("04a", "05a")}
    assert "export --student 0000001" in found["homework-1/README.md"]
    assert {Path(name).stem[:2] for name in found if name.endswith(".ipynb")} == {"00", "04", "05"}
    files = tuple(path for path in (tmp_path / "jane").rglob("*") if path.is_file())
    assert leaks(files, read_masters(ROOT / "solutions")) == []
    assert not [name for name in found if "hidden" in name or "solutions" in name]


def test_one_zip_for_all_names_nobody(tmp_path: Path) -> None:
    assert release(tmp_path, HW, "--zip").exit_code == 0
    (path,) = (tmp_path / "out").iterdir()
    found = unpacked(path, tmp_path / "all")
    assert "homework-1/exercises/variant.json" not in found
    assert "ID is your id" in found["homework-1/README.md"]
    before = path.read_bytes()
    path.unlink()
    release(tmp_path, HW, "--zip")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("hw", "more", "secret", "why"),
    [
        (VARIANTS, ("--variants",), OURS, "say who they are with --roster"),
        (VARIANTS, ("--roster", "class.csv", "--variants"), "", "set ANONLAB_SECRET"),
        (HW, ("--roster", "class.csv", "--variants"), OURS, "does not say variants = true"),
        (VARIANTS, ("--roster", "class.csv"), OURS, "hand them out with --roster and --variants"),
        (VARIANTS, ("--roster", "class.csv", "--variants"), "short", "can be guessed"),
        (HW, ("--roster", "hw.toml"), OURS, "hw.toml"),
    ],
)
def test_what_would_not_fit_grading_is_refused(
    tmp_path: Path, hw: str, more: tuple[str, ...], secret: str, why: str
) -> None:
    more = tuple(str(tmp_path / each) if "." in each else each for each in more)
    done = release(tmp_path, hw, *more, secret=secret)
    assert (done.exit_code, why in done.output) == (2, True), done.output
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    put(tmp_path / "out", {"mine.txt": "?"})
    assert "zips go into a new folder" in release(tmp_path, HW, "--zip").output

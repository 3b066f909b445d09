"""A rerun with nothing to do looks at names and times only; what has changed is seen."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import stand_in
from classroom import MASTERS, ONE, OTHER, notebook, put, zipped
from hypothesis import given, settings
from hypothesis import strategies as st
from project import ROOT

from anonlab.grading.config import GradingOptions
from anonlab.grading.intake import intake
from anonlab.grading.intake.cache import IntakeCache, context_of, fingerprint
from anonlab.grading.intake.entrants import Entrant
from anonlab.grading.run import grade_class

ROSTER = "student_id\n" + "".join(f"s{at}\n" for at in range(6))


@pytest.fixture
def given_class(tmp_path: Path) -> GradingOptions:
    """Six students: files, a zip, a notebook, what cannot be read, a near miss, nothing."""
    put(tmp_path, {"roster.csv": ROSTER, "hw.toml": 'name = "hw"\nexercises = ["04a", "05a"]\n'})
    put(tmp_path / "in", {
        f"s0/{ONE}": "3\n", "s0/notes.txt": "?", "s0/.venv/x.py": "",
        "s1.zip": zipped({ONE: "4\n"}), "s2/a.ipynb": notebook("%%exercise 04a\n5"),
        "s3.zip": b"?", "s4/ex04a_fork (1).py": "6\n", "s4/variant.json": "{}",
    })  # fmt: skip
    return GradingOptions(
        tmp_path / "in", tmp_path / "out", tmp_path / "roster.csv", ROOT, tmp_path / "hw.toml",
        jobs=1, in_process=True,
    )  # fmt: skip


def never(*_: object) -> None:
    raise AssertionError("it is looked at again")


def tables(out: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in (out / "instructor").iterdir()
            if path.is_file()}  # fmt: skip


def test_nothing_is_opened_again_and_all_is_told_alike(
    given_class: GradingOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = grade_class(given_class, stand_in.judge, lambda: None)
    before = tables(given_class.out)
    monkeypatch.setattr("anonlab.grading.tasks.accept", never)
    again = grade_class(given_class, never, lambda: None)  # type: ignore[arg-type]
    assert tables(given_class.out) == before
    assert (again.statuses, again.notes) == (first.statuses, first.notes)
    assert again.resumed == 4


@pytest.mark.parametrize(
    "change",
    [
        {f"s0/{ONE}": "9\n"},  # as many bytes as before
        {f"s0/{OTHER}": "1\n"},
        {"s1.zip": zipped({ONE: "7\n"})},
        {"s2/a.ipynb": notebook("%%exercise 04a\n8")},
        {"s3.zip": zipped({ONE: "1\n"})},
    ],
)
def test_what_has_changed_is_what_a_first_run_makes_of_it(
    given_class: GradingOptions, tmp_path: Path, change: dict[str, str | bytes]
) -> None:
    grade_class(given_class, stand_in.judge, lambda: None)
    put(given_class.folder, change)
    for path in given_class.folder.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)  # nobody is believed about times
    grade_class(given_class, stand_in.judge, lambda: None)
    other = replace(given_class, out=tmp_path / "other")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret").write_bytes((given_class.out / "secret").read_bytes())
    grade_class(other, stand_in.judge, lambda: None)
    found, expected = tables(given_class.out), tables(other.out)
    for name in ("UNOFFICIAL-grades.csv", "intake.csv", "files.csv", "summary.json"):
        assert found[name] == expected[name], name


def test_only_what_is_asked_for_is_copied(
    given_class: GradingOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    grade_class(given_class, stand_in.judge, lambda: None)
    seen: list[str] = []

    def accepted(entrant: Entrant, *more: object) -> object:
        seen.append(entrant.id)
        return intake.accept(entrant, *more)  # type: ignore[arg-type]

    monkeypatch.setattr("anonlab.grading.tasks.accept", accepted)
    put(given_class.folder, {f"s0/{ONE}": "9\n"})
    assert grade_class(given_class, stand_in.judge, lambda: None).resumed == 3
    assert seen == ["s0"]
    seen.clear()
    assert grade_class(replace(given_class, force=True), stand_in.judge, lambda: None).resumed == 0
    assert sorted(seen) == ["s0", "s1.zip", "s2", "s4"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"context": 1}', '{"submissions": {}}'])
def test_a_cache_that_is_none_is_made_anew(given_class: GradingOptions, text: str) -> None:
    grade_class(given_class, stand_in.judge, lambda: None)
    good = json.loads((given_class.out / "intake.json").read_text("utf-8"))
    put(given_class.out, {"intake.json": text})
    assert grade_class(given_class, stand_in.judge, lambda: None).resumed == 4
    assert json.loads((given_class.out / "intake.json").read_text("utf-8")) == good
    assert IntakeCache.read(given_class.out / "intake.json", "another").before == {}


def test_what_decides_intake_is_in_the_context() -> None:
    one = context_of(MASTERS, False)
    stub = replace(MASTERS["04a"], code=MASTERS["04a"].code + "# more\n")
    assert len({one, context_of(MASTERS, True), context_of({**MASTERS, "04a": stub}, False),
                context_of({"04a": MASTERS["04a"]}, False)}) == 4  # fmt: skip


names = st.lists(st.sampled_from(["a.py", "b/c.py", "b/d/e.txt", ".git/x", "f.zip"]), unique=True)


@settings(deadline=None, max_examples=40)
@given(names, st.sampled_from(["a.py", "b/c.py", "b/d/e.txt", "g.py"]), st.booleans())
def test_whatever_changes_changes_the_fingerprint(
    tmp_path_factory: pytest.TempPathFactory, files: list[str], other: str, more: bool
) -> None:
    folder = tmp_path_factory.mktemp("s") / "s0"
    folder.mkdir()
    put(folder, dict.fromkeys(files, "1"))
    entrant = Entrant("s0", "s0", ((folder, "s0"),))
    own = fingerprint(entrant)
    assert fingerprint(entrant) == own != ""
    put(folder, {".git/y": "junk"} if more else {other: "2"})
    if not more:
        assert fingerprint(entrant) != own
    assert fingerprint(Entrant("s0", "s0", ((folder / "gone", "s0"),))) == ""

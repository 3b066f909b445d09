"""The check of the whole course sees each kind of fault that it is there for."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from project import ROOT

from anonlab.course.authoring import selfcheck
from anonlab.course.authoring.build import build_course
from anonlab.course.authoring.masters import read_master
from anonlab.course.authoring.notebook_check import output_problem
from anonlab.course.authoring.selfcheck import check_course, check_master, check_mutants

NAME = "ex04b_family"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A course with one exercise and one notebook."""
    for path in (
        f"solutions/{NAME}.py",
        f"tests/exercises/public/test_{NAME}.py",
        f"tests/exercises/hidden/test_{NAME}_hidden.py",
        f"tests/exercises/wrong/{NAME}.py",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / path)
    source = tmp_path / "notebooks" / "source" / "00_it.py"
    source.parent.mkdir(parents=True)
    source.write_text(
        "# %%\nfrom anonlab.learn import check\n\n"
        '# %% tags=["exercise"]\n# %%exercise 04b\n\n# %%\ncheck("04b")\n',
        "utf-8",
    )
    build_course(tmp_path / "notebooks")
    return tmp_path


def change(root: Path, path: str, old: str, new: str) -> None:
    """Break one file."""
    text = (root / path).read_text("utf-8")
    assert text.count(old) >= 1
    (root / path).write_text(text.replace(old, new), "utf-8")


def problems(root: Path) -> list[str]:
    found: dict[str, Any] = check_master(root, read_master(root / "solutions" / f"{NAME}.py"))
    return list(found["problems"])


def test_a_whole_course_has_no_problems(small: Path) -> None:
    seen: list[tuple[int, int]] = []
    plain = check_course(small, lambda done, of: seen.append((done, of))).to_json()
    assert list(plain.pop("prose")["by_file"]) == [
        MASTER,
        PUBLIC,
        HIDDEN,
    ]
    counted = {"total": 19, "killed": 16, "equivalent": 3}
    assert plain == {
        "notebooks": 1,
        "exercises": 1,
        "points": 10,
        "hints": 3,
        "wrong_answers": {"total": 7, "caught": 7, "with_own_message": 7},
        "mutants": {**counted, "survivors": [], "by_exercise": {"04b": counted}},
        "minutes": {"core": 15, "by_notebook": {"00": 15}},
        "problems": [],
    }
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert not (small / ".anonlab").exists()


MASTER = f"solutions/{NAME}.py"
WRONG = f"tests/exercises/wrong/{NAME}.py"
HIDDEN = f"tests/exercises/hidden/test_{NAME}_hidden.py"
PUBLIC = f"tests/exercises/public/test_{NAME}.py"


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        (
            MASTER,
            "        child = fork shell\n",
            "        child = fork shell\n        child munmap 0x30000 1\n",
            "the solution: test_reach",
        ),
        (MASTER, '    "families": ["one child", ', '    "families": [', "3 families"),
        (MASTER, '"test_reaches_the_state": 4', '"test_reaches_the_state": 6', "give 40 %"),
        (HIDDEN, "def test_is_short", "def test_gone", "has no test_is_short"),
        (MASTER, "[^short]", "", "the statement has no promise [^short]"),
        (HIDDEN, "no_longer(student, seed, 2)", "pass", "[^short] is not broken by: operations, 7"),
        (MASTER, "    # <answer>\n", "    1 / 0\n    # <answer>\n", "the stub: test_reaches"),
        (WRONG, "shell read 0x30000 3", "shell write 0x30000 5 3", "nothing is lost by"),
        (WRONG, "read where you should have", "sing where you should have", "no test says: sing"),
        (WRONG, "child write 0x31000 9", "child write 0x39000 9", "stands 0 times"),
        (
            PUBLIC,
            "    mine = read_history_answer",
            "    return read_history_answer(student, MOST)\n    mine = read_history_answer",
            "nothing is lost by",
        ),
        (PUBLIC, "raise Wrong(", "raise wrong(", "its tests are broken: NameError"),
    ],
)
def test_each_fault_of_an_exercise_is_named(
    small: Path, path: str, old: str, new: str, says: str
) -> None:
    change(small, path, old, new)
    assert any(says in sentence for sentence in problems(small)), problems(small)


def test_missing_tests_and_wrong_answers_are_named(small: Path) -> None:
    (small / WRONG).unlink()
    (small / PUBLIC).unlink()
    found = problems(small)
    assert any("is missing" in sentence for sentence in found)
    assert any("0 known wrong answers" in sentence for sentence in found)


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        (MASTER, '4: 4 -> 5"', '4: 4 -> 6"', "4 -> 5: full points; is it right?"),
        (
            MASTER,
            '4: 4 -> 5"',
            '4: 4 -> 6"',
            "but it is not: history: shell mmap 0x30000 4: 4 -> 6",
        ),
        (
            PUBLIC,
            "if state != wanted.state:",
            "if len(state) < len(wanted.state):",
            "child write 0x31000 9: dropped: full points",
        ),
    ],
)
def test_a_mutant_with_full_points_is_named(
    small: Path, path: str, old: str, new: str, says: str
) -> None:
    change(small, path, old, new)
    found = check_mutants(small, read_master(small / MASTER))
    assert any(says in sentence for sentence in found["problems"]), found


def test_faults_of_generated_files_notebooks_and_releases_are_named(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anonlab.proof.workers.ncpus", lambda: 1)
    for name in ("check_master", "check_mutants"):
        monkeypatch.setattr(selfcheck, name, lambda *_: selfcheck_nothing())
    source = small / "notebooks" / "source" / "00_it.py"
    text = (
        source.read_text("utf-8") + "\n# %%\n1 / 0\n\n# %% [markdown]\n# [x](glossary.md#frame)\n"
    )
    source.write_text(text, "utf-8")
    build_course(small / "notebooks")
    change(small, f"exercises/{NAME}.py", "Return the text", "Give the text")
    answer = "shell mmap 0x30000 4 shell write 0x30000 1 3"
    change(small, PUBLIC, "MOST = 40", f"MOST = 40  # {answer}")
    found = check_course(small).problems
    for says in (
        "is not what its master makes",
        "ZeroDivisionError",
        "the glossary has no frame",
        "holds a piece of the solution of 04b",
    ):
        assert any(says in sentence for sentence in found), (says, found)


def test_an_exercise_that_no_notebook_asks_for_is_named(small: Path) -> None:
    change(small, "notebooks/source/00_it.py", "# %%exercise 04b", "# exercise 04b")
    found = selfcheck.whole_problems(small)
    assert found == ["no notebook asks for 04b: a cell '%%exercise 04b' does"]


def test_too_few_wrong_answers_are_tried_all_the_same(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(small, WRONG, "read where you should have", "sing where you should have")
    monkeypatch.setattr(selfcheck, "LEAST_WRONG", 8)
    few, told, *_ = problems(small)
    assert "7 known wrong answers, at least 8 are needed" in few
    assert "no test says: sing" in told


def selfcheck_nothing() -> dict[str, Any]:
    """An exercise without problems."""
    return {"total": 0, "caught": 0, "explained": 0, "problems": []}


class Output(dict[str, Any]):
    """An output of a cell, as nbformat has it."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


def test_outputs_that_a_notebook_may_not_have() -> None:
    error = Output(output_type="error", ename="NotImplementedError", evalue="x")
    assert output_problem(error, exercise=True) == ""
    assert output_problem(error, exercise=False) == "NotImplementedError: x"
    stderr = Output(output_type="stream", name="stderr", text="careful")
    assert "standard error" in output_problem(stderr, exercise=False)
    bare = {"text/html": "<svg></svg>", "text/plain": "<Picture at 0x7f>"}
    assert "text twin" in output_problem(Output(output_type="display_data", data=bare), False)
    told = {**bare, "text/plain": "Machine lesson, design anongroup: 3 frames in use"}
    assert output_problem(Output(output_type="display_data", data=told), False) == ""

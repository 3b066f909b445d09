"""Answers in notebooks: cells of %%exercise, read and never run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from classroom import MASTERS, ONE, OTHER, RIGHT, notebook, put, take
from hypothesis import given
from hypothesis import strategies as st
from ordinary import needs_box
from project import ROOT

from anonlab.box.both_ends import encode
from anonlab.course.authoring.exercises import build_exercises, find_course
from anonlab.course.judging.attempt import write_cell
from anonlab.grading.intake import notebook_cells
from anonlab.grading.intake.submission import Submission

CELL = {name[2:5]: RIGHT[name].strip() for name in (ONE, OTHER)}


def of(tmp_path: Path, text: str | bytes, **files: str) -> Submission:
    put(tmp_path / "in" / "bob", {"04.ipynb": text, **files})
    return take(tmp_path)[1]["bob"]


def test_a_cell_is_the_file_that_it_writes_on_the_laptop(tmp_path: Path) -> None:
    build_exercises(tuple(MASTERS.values()), tmp_path / "course" / "exercises")
    course = find_course(tmp_path / "course")
    write_cell(course, "04a", CELL["04a"])
    found = of(tmp_path, notebook("import os", f"\n%%exercise 4a --take-cell\n{CELL['04a']}\n\n"))
    assert found.files["04a"].read_bytes() == course.file("04a").read_bytes()


def test_several_answers_in_several_notebooks(tmp_path: Path) -> None:
    put(tmp_path / "in" / "bob", {"05.ipynb": notebook(f"%%exercise 05a\n{CELL['05a']}")})
    found = of(tmp_path, notebook(f"%%exercise 04a\n{CELL['04a']}"))
    assert (list(found.files), found.notes, found.ignored) == (["04a", "05a"], (), ())


def test_a_file_counts_before_a_cell_unless_it_is_the_template(tmp_path: Path) -> None:
    template = f"{MASTERS['04a'].header}\n{MASTERS['04a'].stub}"
    text = notebook("%%exercise 04a\nx = 1", "%%exercise 05a\nx = 1")
    found = of(tmp_path, text, **{ONE: template, OTHER: "x = 2\n"})
    assert found.files["04a"].read_text("utf-8").endswith("x = 1\n")
    assert found.files["05a"].read_text("utf-8") == "x = 2\n"
    assert found.notes == (
        f"04a: {ONE} is the template; the cell in the notebook counts",
        f"05a: {OTHER} counts; cell 2 of 04.ipynb differs from it",
    )
    assert found.doubts == found.notes[1:]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "damaged"),
        (b"\xff\xfe", "damaged"),
        ("[" * 100_000, "damaged"),
        (json.dumps([]), "unknown format"),
        (notebook(nbformat=3), "of format 3, not 4"),
        (notebook(nbformat="4"), "unknown format"),
        (notebook(cells={}), "no cells"),
        (notebook(x="x" * 10_000_000), "the limit is 10.0 MB"),
    ],
)
def test_a_notebook_that_cannot_be_read_says_why(tmp_path: Path, text: str, says: str) -> None:
    found = of(tmp_path, text)
    assert (found.files, says in found.rejected) == ({}, True), found.rejected
    assert "04.ipynb" in found.rejected


def test_a_broken_notebook_does_not_take_the_files_with_it(tmp_path: Path) -> None:
    found = of(tmp_path, "{", **{ONE: "x = 1\n"})
    assert (list(found.files), found.rejected) == (["04a"], "")
    assert "damaged" in found.notes[0]


def test_outputs_are_not_looked_at(tmp_path: Path) -> None:
    plain = json.loads(notebook(f"%%exercise 04a\n{CELL['04a']}"))
    plain["cells"][0]["outputs"] = [{"data": {"text/plain": "%%exercise 05a\nx"}}] * 20_000
    assert list(of(tmp_path, json.dumps(plain)).files) == ["04a"]


def test_no_answer_cell_is_missing(tmp_path: Path) -> None:
    found = of(tmp_path, notebook("x = 1", "# %%exercise 04a\nx = 1", "%exercise 04a"))
    assert (found.files, found.rejected) == ({}, "")
    assert "no cell %%exercise 04a" in found.notes[0]


def test_of_an_answer_that_stands_twice_the_last_counts(tmp_path: Path) -> None:
    text = notebook("%%exercise 04a\nx = 1", "%%exercise 05a\nx = 1", "%%exercise ex4a\nx = 2")
    found = of(tmp_path, text)
    assert found.files["04a"].read_text("utf-8").endswith("\nx = 2\n")
    assert found.notes == ("04a: cell 3 of 04.ipynb counts; cell 1 of 04.ipynb differs from it",)
    assert found.doubts == found.notes


def test_equal_cells_are_one_and_a_template_never_counts(tmp_path: Path) -> None:
    stub = f"%%exercise 04a\n{MASTERS['04a'].stub}"
    found = of(tmp_path, notebook("%%exercise 04a\nx = 1\n", "%%exercise 04a\nx = 1\n\n", stub))
    assert found.files["04a"].read_text("utf-8").endswith("\nx = 1\n")
    assert [note for note in found.notes if note.startswith("04a")] == []


@pytest.mark.parametrize(
    ("above", "told"),
    [
        ("# my answer\n\n", "what stands above %%exercise was left out"),
        ("%load_ext anonlab.notebook\n", "what stands above %%exercise was left out"),
        ("x = 5\n", "`x = 5` stands above %%exercise, which must come first"),
    ],
)
def test_what_stands_above_the_magic_is_told(tmp_path: Path, above: str, told: str) -> None:
    found = of(tmp_path, notebook(f"{above}%%exercise 04a\nx = 1"))
    assert ("04a" in found.files) is ("left out" in told)
    assert f"04a: cell 1 of 04.ipynb: {told}" in found.notes


@pytest.mark.parametrize("cell", ['s = """\n%%exercise 04a\nx"""', "%%bash\n%%exercise 04a\nls"])
def test_a_magic_within_something_else_is_none(tmp_path: Path, cell: str) -> None:
    assert of(tmp_path, notebook(cell)).files == {}


@pytest.mark.parametrize(
    "line",
    ["%matplotlib inline", "    %matplotlib inline", "!pip install numpy", "%pip install -q x",
     "!python3 -m pip install x", "%load_ext autoreload", "%autoreload 2"],
)  # fmt: skip
def test_harmless_magic_is_left_out_and_told(tmp_path: Path, line: str) -> None:
    found = of(tmp_path, notebook(f"%%exercise 04a\nif True:\n    x = 1\n{line}\ny = 2"))
    assert found.files["04a"].read_text("utf-8").endswith("pass\ny = 2\n")
    assert f"04a: cell 1 of 04.ipynb: `{line.strip()}` was left out" in found.notes


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("!ls", "!ls"),
        ("%timeit f()", "%timeit f()"),
        ("files = !ls", "files = !ls"),
        ("%%time", "%%time"),
    ],
)
def test_what_only_notebooks_understand_is_named_with_its_cell(
    tmp_path: Path, line: str, told: str
) -> None:
    found = of(tmp_path, notebook("x", f"%%exercise 04a\nimport os\n{line}\n"))
    assert found.files == {}
    assert found.notes[0] == (
        f"04a: cell 2 of 04.ipynb: `{told}` is for notebooks alone; an answer is plain Python"
    )


@pytest.mark.parametrize(
    "code", ["x = (7\n  % 2)", 's = """\n!ls\n%time\n"""', "def f(:\n  pass", "x = 1 \\\n % 1"]
)
def test_python_that_looks_like_magic_is_taken(tmp_path: Path, code: str) -> None:
    found = of(tmp_path, notebook(f"%%exercise 04a\n{code}"))
    assert found.files["04a"].read_text("utf-8").endswith(f"{code}\n")


@pytest.mark.parametrize(
    ("code", "says"),
    [("", "is empty"), ("x = '\ud800'", "no text"), ("#" * 1_000_001, "a million characters")],
)
def test_a_cell_without_a_usable_answer_says_so(tmp_path: Path, code: str, says: str) -> None:
    found = of(tmp_path, notebook(f"%%exercise 04a\n{code}"))
    assert found.files == {}
    assert "cell 1 of 04.ipynb" in found.notes[0]
    assert says in found.notes[0]


@pytest.mark.parametrize("code", ["(" * 100_000, "-" * 100_000 + "1", "x" + "[0]" * 50_000])
def test_code_that_is_hard_to_read_hurts_nobody(tmp_path: Path, code: str) -> None:
    found = of(tmp_path, notebook(f"%%exercise 04a\n{code}"))
    assert found.files or found.rejected or found.notes


def test_the_reader_of_notebooks_bounds_its_own_memory() -> None:
    code = (
        "from anonlab.grading.intake import notebook_cells as reader\n"
        "reader.read_cells = lambda data: bytearray(1 << 31)\n"
        "reader.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=b"", capture_output=True, cwd=ROOT, check=True
    )
    assert b"too much memory" in done.stdout


@needs_box
@pytest.mark.parametrize("code", [CELL["04a"], "!ls"])
def test_a_box_reads_what_the_bare_reader_reads(tmp_path: Path, code: str) -> None:
    text = notebook(f"%%exercise 04a\n{code}")
    bare = of(tmp_path / "bare", text)
    put(tmp_path / "boxed" / "in" / "bob", {"04.ipynb": text})
    boxed = take(tmp_path / "boxed", boxed=True)[1]["bob"]
    assert (list(boxed.files), boxed.notes) == (list(bare.files), bare.notes)


@needs_box
def test_in_a_box_a_notebook_that_is_none_is_told_too(tmp_path: Path) -> None:
    put(tmp_path / "in" / "bob", {"04.ipynb": "{"})
    assert "damaged" in take(tmp_path, boxed=True)[1]["bob"].rejected


@pytest.mark.parametrize(
    "source",
    [
        "(\n" + " " * 300_000 + "x\n",
        "(\n!" + "python" * 50_000 + "\n",
        "(\n" + "a, " * 100_000 + "\n",
        "(\n!" + " " * 300_000 + "\n",
        "(\n" + "%pip " * 60_000,
    ],
    ids=["blanks", "pythons", "names", "blanks of a shell", "magic"],
)
def test_a_line_takes_time_as_it_is_long(source: str) -> None:
    """Not as its square: 300,000 blanks took minutes."""
    cell = {"cell_type": "code", "source": f"%%exercise 05a\n{source}"}
    data = json.dumps({"nbformat": 4, "cells": [cell]}).encode()
    begin = time.process_time()
    told = notebook_cells.told(data)
    assert time.process_time() - begin < 5
    assert len(told["cells"]) == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=30),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["cells", "source", "cell_type", "nbformat", "x"]), inner
            )
        ),
    )
    | st.lists(
        st.text("%!exercise04a =([{\"'\n\\ \t#ab\ud800", max_size=60).map(
            lambda text: {"cell_type": "code", "source": f"%%exercise {text}"}
        ),
        max_size=4,
    ).map(lambda cells: {"nbformat": 4, "cells": cells})
)
def test_any_json_is_a_notebook_or_a_sentence(plain: Any) -> None:
    """And what is told of it can leave the box that reads it."""
    told = notebook_cells.told(json.dumps(plain).encode())
    encode(told)
    if "error" in told:
        assert str(told["error"])[-1] not in ".:"
    else:
        assert all(
            {"number", "cell", "code", "problem", "note"} == {*each} for each in told["cells"]
        )


@given(st.binary(max_size=200))
def test_any_bytes_are_no_notebook_and_say_so(data: bytes) -> None:
    assert set(notebook_cells.told(data)) <= {"error", "cells"}

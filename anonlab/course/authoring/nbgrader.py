"""An assignment for nbgrader: one notebook for each exercise, in the form of its `source/` folder.

OUT/source/ASSIGNMENT/ex04a_fork.ipynb          statement, solution, one cell for each test
OUT/source/ASSIGNMENT/tests/exercises/public/   the public tests, for students too
OUT/NBGRADER.md                                 what to run, and what it does not protect

nbgrader takes out what stands between its marks: solutions and hidden tests stay with it. It runs a
student's cells and the tests in one process, so that its grades can be forged.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from anonlab.course.authoring.masters import Master, read_masters, tests_of
from anonlab.course.authoring.release import read_assignment
from anonlab.course.authoring.variants import SECRET_VARIABLE, check_secret, variant_seed
from anonlab.course.judging.call_answers import load_tests
from anonlab.course.judging.marks import title_of

SCHEMA = 3
"""Of nbgrader's metadata."""
FORGED = (
    "nbgrader runs student code and tests in one process: its grades can be forged, and hidden "
    "tests can be read there. Use it for practice; what counts is `anonlab grade`"
)
HELP = """# {name}, for nbgrader

In this folder, with nbgrader and anonlab installed:

    nbgrader generate_assignment {id}
    nbgrader autograde {id}
    nbgrader export

The notebooks hold solutions and hidden tests; nbgrader takes them out of what students get. Make
changes in the course, and export again.

**{forged}**: there student code answers from a box.
"""


def export_nbgrader(root: Path, assignment: Path, out: Path, secret: str = "") -> tuple[Path, ...]:
    """Write the assignment for the course of nbgrader in the folder `out`; return the files.

    secret  from which hidden inputs are made, the same for everybody; without it anybody's guess
    raises  ValueError for a wrong assignment, or if there is such an assignment already
    """
    chosen = read_assignment(assignment, masters := read_masters(root / "solutions"))
    if secret:
        check_secret(secret, SECRET_VARIABLE)
    id_ = re.sub(r"[^A-Za-z0-9_-]+", "-", chosen.name).strip("-") or "assignment"
    folder = out / "source" / id_
    if folder.exists():
        raise ValueError(f"{folder} exists: name another folder, or remove it")
    given = [master for master in masters if master.number in chosen.numbers]
    made = {master.name: _notebook(root, master, chosen.points[master.number], secret)
            for master in given}  # fmt: skip
    tests = folder / "tests" / "exercises" / "public"
    tests.mkdir(parents=True)
    for master in given:
        path = folder / f"{master.name}.ipynb"
        nbformat.write(made[master.name], path)
        shutil.copyfile(tests_of(root, master, "public"), tests / f"test_{master.name}.py")
    (out / "NBGRADER.md").write_text(
        HELP.format(name=chosen.name, id=id_, forged=FORGED), "utf-8", newline="\n"
    )
    return tuple(sorted(path for path in (*folder.rglob("*"), out / "NBGRADER.md")
                        if path.is_file()))  # fmt: skip


def _notebook(root: Path, master: Master, counts: int, secret: str) -> Any:
    """Return the notebook of one exercise that counts for `counts` points."""
    solution = re.sub(r"^( *)# <answer>$", r"\1### BEGIN SOLUTION", master.code, flags=re.M)
    solution = re.sub(r"^( *)# </answer>$", r"\1### END SOLUTION", solution, flags=re.M)
    imports = "from anonlab.course.judging.notebook_checks import check_names"
    statement = master.statement
    public = load_tests(tests_of(root, master, "public"))
    seed = variant_seed(secret, "nbgrader", master.number) if secret else 1
    if hasattr(public, "statement"):  # hidden tests ask what the statement asks, and so for all
        seed = 0
        statement += f"\n\nYours:\n\n```\n{public.statement(seed).strip()}\n```"
    cells = [
        new_markdown_cell(f"# {master.number} · {master.title}\n\n{statement}"),
        _cell(imports, f"{master.name}-imports", locked=True),
        _cell(solution.strip(), master.name, solution=True),
    ]
    for kind, tests in (("public", master.public), ("hidden", master.hidden)):
        path = tests_of(root, master, kind)
        module = public if kind == "public" else load_tests(path)
        for test, most in tests.items():
            title = title_of(getattr(module, test))
            call = f'check_names("{master.name}", "{test}", globals())'
            if kind == "hidden":
                call = _hidden(master, test, seed, path.read_text("utf-8"))
            points = counts * most / master.points
            cells.append(
                _cell(f"# {title}\n{call}", f"{master.name}-{test}", locked=True, points=points)
            )
    return _numbered(cells)


def _hidden(master: Master, test: str, seed: int, source: str) -> str:
    text = repr(source)
    if "'''" not in source and "\\" not in source:
        text = f"'''{source}'''"
    return (
        "### BEGIN HIDDEN TESTS\n"
        "from anonlab.course.judging.notebook_checks import check_hidden\n"
        f'check_hidden("{master.name}", "{test}", globals(), {seed}, {text})\n'
        "### END HIDDEN TESTS"
    )


def _cell(
    source: str,
    name: str,
    solution: bool = False,
    locked: bool = False,
    points: float | None = None,
) -> Any:
    """Return a cell with nbgrader's metadata; one with `points` is a test."""
    plain: dict[str, Any] = {
        "schema_version": SCHEMA,
        "grade_id": name,
        "grade": points is not None,
        "solution": solution,
        "locked": locked,
        "task": False,
    }
    if points is not None:
        plain["points"] = int(points) if points == int(points) else points
    return new_code_cell(source, metadata={"nbgrader": plain})


def _numbered(cells: list[Any]) -> Any:
    """Return a notebook of cells whose ids depend on their place: it is the same each time."""
    for at, cell in enumerate(cells):
        cell["id"] = f"cell-{at}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})

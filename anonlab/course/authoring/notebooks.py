"""Build the notebooks that people open from the sources that people review.

`notebooks/source/NN_topic.py` (py:percent) becomes `notebooks/NN_topic.ipynb`: without outputs,
and byte for byte the same whenever and wherever it is built. A cell that says `%%exercise 04a` and
nothing else gets the template of that exercise, as `exercises/` beside the notebooks has it, and
the statement stands above it. Links to the glossary say what a term means (glossary.py), and the
card says how long it takes (minutes.py), whatever number stands in the source.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import jupytext
import nbformat

from anonlab.course.authoring import glossary, minutes
from anonlab.course.authoring.exercises import Exercise, find_course

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
STATEMENT = "### Exercise "
"""How the cell above a template begins."""
_EXERCISE = re.compile(r"%%exercise (\w+)\s*\Z")


def build_notebooks(folder: Path) -> tuple[Path, ...]:
    """Write the notebook of every source in `folder`/source; return those that changed.

    raises  OSError if there are no sources; ValueError if a source makes no valid notebook
    """
    changed = []
    for source in sources(folder):
        target, text = folder / f"{source.stem}.ipynb", notebook_text(source)
        if not target.exists() or target.read_text("utf-8") != text:
            target.write_text(text, "utf-8", newline="\n")
            changed.append(target)
    return tuple(changed)


def notebook_drift(folder: Path) -> tuple[str, ...]:
    """Return one sentence for each notebook in `folder` that is not what its source makes.

    raises  as build_notebooks
    """
    found = []
    known = sources(folder)
    for source in known:
        target = folder / f"{source.stem}.ipynb"
        if not target.exists():
            found.append(f"{target} is missing: its source is {source}")
        elif target.read_text("utf-8") != notebook_text(source):
            found.append(f"{target} is not what {source} makes")
    stems = {source.stem for source in known}
    for target in sorted(folder.glob("*.ipynb")):
        if target.stem not in stems:
            found.append(f"{target} has no source in {folder / 'source'}")
    return tuple(found)


def sources(folder: Path) -> tuple[Path, ...]:
    """Return the sources below `folder` in order; raises FileNotFoundError if there are none."""
    found = tuple(sorted((folder / "source").glob("*.py")))
    if not found:
        where = folder / "source"
        raise FileNotFoundError(f"no *.py in {where}: name the folder that holds source/")
    return found


def notebook_text(source: Path) -> str:
    """Return the .ipynb text of one source: stable cell ids, no outputs, no jupytext metadata.

    raises  ValueError if it is no valid notebook
    """
    text = source.read_text("utf-8")
    if minutes.SAID.search(text):
        course = find_course(source.parent)
        work = {number: each.minutes for number, each in course.exercises.items()}
        text = minutes.said(text, minutes.minutes_of(text, work).total)
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.cells = _with_exercises(source, notebook.cells)
    terms, known = glossary.read_glossary(source.parent.parent / glossary.NAME), set[str]()
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            first = set() if cell.source.startswith(STATEMENT) else known  # it may be read alone
            cell.source = glossary.linked(cell.source, terms, first)
        # jupytext draws random ids: two builds of one source would differ.
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] += 1
        cell["id"] = f"{digest}-{seen[digest]}"
        cell.metadata.pop("lines_to_next_cell", None)
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise ValueError(f"{source}: {error}") from error
    return str(nbformat.writes(notebook)).rstrip("\n") + "\n"


def _with_exercises(
    source: Path, cells: list[nbformat.NotebookNode]
) -> list[nbformat.NotebookNode]:
    """Return the cells with statement and template of every exercise that they name."""
    if not any(_EXERCISE.match(cell.source) for cell in cells):
        return cells
    course, filled = find_course(source.parent), []
    for cell in cells:
        if match := _EXERCISE.match(cell.source):
            exercise = course[match[1]]
            filled.append(nbformat.v4.new_markdown_cell(_statement(exercise)))
            cell.source = f"%%exercise {exercise.number}\n{exercise.stub.strip()}"
        filled.append(cell)
    return filled


def _statement(exercise: Exercise) -> str:
    """Return what is to be done, for the cell above the template."""
    text = exercise.header.strip().strip('"').strip()
    title, _, statement = text.partition("\n")
    return (
        f"{STATEMENT}{title}\n\n{statement.strip()}\n\n"
        f"*{exercise.minutes} minutes, {exercise.points} points. The cell is written to "
        f'`exercises/{exercise.name}.py` and checked; `hint("{exercise.number}")` opens a hint.*'
    )

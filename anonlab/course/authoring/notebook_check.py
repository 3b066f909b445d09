"""Run a notebook as a new learner would: top to bottom, in a fresh kernel, nothing done yet."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat

from anonlab.course.authoring.exercises import FOLDER_VARIABLE

SECONDS = 120
"""Time limit of one cell."""


def run_notebook(root: Path, name: str) -> list[str]:
    """Return what goes wrong in the notebook `name` of the course in `root`, as sentences.

    The exercises are a copy, so that the course stays as it is.
    """
    import nbclient

    notebook = nbformat.read(root / "notebooks" / name, as_version=4)
    with tempfile.TemporaryDirectory() as folder, new_learner(root, Path(folder)):
        try:
            nbclient.NotebookClient(
                notebook,
                timeout=SECONDS,
                allow_errors=True,
                # Of each kernel's log only errors: it warns that its socket, on this computer
                # and for one run, is not encrypted.
                extra_arguments=["--IPKernelApp.log_level=ERROR"],
                resources={"metadata": {"path": str(root / "notebooks")}},
            ).execute()
        except nbclient.exceptions.CellTimeoutError:
            return [f"{name}: a cell takes more than {SECONDS} s"]
    problems = []
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if problem := output_problem(output, "exercise" in cell.metadata.get("tags", ())):
                problems.append(f"{name}, cell {number}: {problem}")
    return problems


@contextmanager
def new_learner(root: Path, folder: Path) -> Iterator[None]:
    """Inside the block, the course is a fresh copy in `folder`."""
    for part in ("exercises", "tests/exercises/public"):
        if (root / part).is_dir():
            shutil.copytree(root / part, folder / part)
    before = os.environ.get(FOLDER_VARIABLE)
    os.environ[FOLDER_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[FOLDER_VARIABLE]
        else:
            os.environ[FOLDER_VARIABLE] = before


def output_problem(output: Any, exercise: bool) -> str:
    """Return what is wrong with one output of a cell, '' if nothing is."""
    if output.output_type == "error":
        if exercise and output.ename == "NotImplementedError":
            return ""
        return f"{output.ename}: {output.evalue}"
    if output.get("name") == "stderr":
        return f"writes to standard error: {output.text.strip()[:80]}"
    data = output.get("data", {})
    drawn = "<svg" in data.get("text/html", "") or "image/svg+xml" in data
    if drawn and len(data.get("text/plain", "").strip("<>")) < SHORTEST:
        return "a figure without a text twin"
    return ""


SHORTEST = 40
"""A text twin has more characters than an object's default name."""

"""Read the answers in a notebook: a program of its own, with the standard library alone.

The notebook comes on standard input; JSON goes to standard output, {"cells": [{"number", "cell",
"code", "problem"}]} or {"error"}. Nothing of the notebook is run. Its JSON may be hostile, so this
process bounds its own memory and time before it reads a byte.
"""

import ast
import json
import re
import sys

MOST_BYTES = 10_000_000
MOST_ANSWER = 1_000_000
SECONDS = 10
MEMORY = 1 << 30
EXERCISE = re.compile(r"%%exercise[ \t]+(\S+)[^\n]*(?:\n|\Z)")
FOR_NOTEBOOKS = re.compile(r"\s*(?:[\w.,\[\] ]+=\s*)?[!%]")
"""Lines that IPython understands and Python does not."""


class Unreadable(Exception):
    """Not a notebook that can be read; the message is a sentence for its author."""


def bound() -> None:
    """Bound what this process may take of the machine."""
    try:
        import resource
    except ImportError:  # no Unix: practice goes on without
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def read_cells(data: bytes) -> list[dict[str, object]]:
    """Return the answer cells of a notebook in their order; Unreadable if there is no notebook."""
    if len(data) > MOST_BYTES:
        raise Unreadable(
            "the notebook has more than 10 MB: clear its outputs, save it and hand it in again"
        )
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Unreadable("the notebook is damaged: open it in JupyterLab and save it") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        found = notebook.get("nbformat") if isinstance(notebook, dict) else None
        told = f"format {found}" if isinstance(found, int) else "an unknown format"
        raise Unreadable(f"a notebook of {told}, not 4: open it in JupyterLab and save it")
    if not isinstance(cells, list):
        raise Unreadable("the notebook has no cells: open it in JupyterLab and save it")
    return [found for at, cell in enumerate(cells, 1) if (found := answer(at, cell))]


def answer(at: int, cell: object) -> dict[str, object] | None:
    """Return what the `at`th cell answers, None if it is no answer."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return None
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    match = EXERCISE.match(source.lstrip("\n \t")) if isinstance(source, str) else None
    if not match or not isinstance(source, str):
        return None
    number = match[1].lower().removeprefix("ex").rjust(3, "0")
    code = source.lstrip("\n \t")[match.end() :]
    problem = ""
    if len(code) > MOST_ANSWER:
        code, problem = "", "it has more than a million characters"
    if code != code.encode("utf-8", "replace").decode():
        code, problem = "", "it has characters that are no text"
    elif line := not_python(code):
        text = code.splitlines()[line - 1].strip()[:60]
        problem = f"`{text}` is for notebooks alone; an answer is plain Python"
    return {"number": number[:20], "cell": at, "code": code, "problem": problem}


def not_python(code: str) -> int:
    """Return the first line that only a notebook understands, 0 if there is none."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        for at, line in enumerate(code.splitlines(), 1):
            if FOR_NOTEBOOKS.match(line):
                return at
    except (RecursionError, MemoryError):
        pass  # the box will say so
    return 0


def main() -> None:
    """Read a notebook and say what it answers."""
    bound()
    try:
        told: dict[str, object] = {"cells": read_cells(sys.stdin.buffer.read(MOST_BYTES + 1))}
    except Unreadable as error:
        told = {"error": str(error)}
    except (MemoryError, RecursionError):
        told = {"error": "the notebook needs too much memory to be read"}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()

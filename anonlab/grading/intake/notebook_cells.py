"""Read the answers in a notebook: a program of its own, with the standard library alone.

The notebook comes on standard input; JSON goes to standard output, {"cells": [{"number", "cell",
"code", "problem", "note"}]} or {"error"}. Nothing of the notebook is run. Its JSON may be hostile,
so this process bounds its own memory and time before it reads a byte.
"""

import ast
import json
import re
import sys

MOST_BYTES = 10_000_000
MOST_ANSWER = 1_000_000
SECONDS = 10
MEMORY = 1 << 30
EXERCISE = re.compile(r"^%%exercise[ \t]+(\S+)[^\n]*(?:\n|\Z)", re.MULTILINE)
HARMLESS = re.compile(
    r"\s*(?:%(?:matplotlib|load_ext|reload_ext|autoreload|config|pip|conda|mamba)\b"
    r"|!\s*(?:\S*python\S*\s+-m\s+)?(?:pip3?|conda|mamba|uv)\b).*"
)
"""Lines that set up a notebook and compute nothing: an answer is the same without them."""
FOR_NOTEBOOKS = re.compile(r"(?:[\w.,\[\] ]+=\s*)?[!%]")
"""How lines begin, behind their blanks, that IPython understands and Python does not."""
MOST_LINE = 1000
"""Characters of a line that may be harmless: what is longer is read once, and not looked into."""


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
    if not isinstance(source, str):
        return None
    source = source.lstrip("\n \t")
    match = EXERCISE.search(source)
    if not match:
        return None
    number = match[1].lower().removeprefix("ex").rjust(3, "0")
    above, code = source[: match.start()].splitlines(), source[match.end() :]
    problem, notes = "", []
    first = next((line for line in above if not dropped(line)), None)
    if first is not None:
        if first.startswith("%%") or not stands_above(above):
            return None
        problem = f"`{first.strip()[:60]}` stands above %%exercise, which must come first"
    elif any(line.strip() for line in above):
        notes.append("what stands above %%exercise was left out")
    if len(code) > MOST_ANSWER:
        code, problem = "", "it has more than a million characters"
    if code != code.encode("utf-8", "replace").decode():
        code, problem = "", "it has characters that are no text"
    elif not_python(code):
        code, told = without_harmless(code)
        notes += told
    if not problem and (line := not_python(code)):
        text = code.splitlines()[line - 1].strip()[:60]
        problem = f"`{text}` is for notebooks alone; an answer is plain Python"
    return {
        "number": number.encode("utf-8", "replace").decode()[:20],
        "cell": at, "code": code, "problem": problem,
        "note": "; ".join(notes)[:300],
    }  # fmt: skip


def dropped(line: str) -> bool:
    """Return whether a line above %%exercise says nothing: blank, a comment, harmless magic."""
    return not line.strip() or line.lstrip().startswith("#") or harmless(line)


def harmless(line: str) -> bool:
    """Return whether a line only sets up a notebook."""
    return len(line) <= MOST_LINE and bool(HARMLESS.fullmatch(line))


def for_notebooks(line: str) -> bool:
    """Return whether a line is for notebooks alone."""
    return bool(FOR_NOTEBOOKS.match(line.lstrip()))


def stands_above(lines: list[str]) -> bool:
    """Return whether lines are code of their own, and no text that a string goes on from."""
    try:
        ast.parse("\n".join(line for line in lines if not for_notebooks(line)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def without_harmless(code: str) -> tuple[str, list[str]]:
    """Return code in which harmless magic does nothing, and a sentence about it."""
    found = [line.strip()[:60] for line in code.split("\n") if harmless(line)]
    if not found:
        return code, []
    plain = [
        line[: len(line) - len(line.lstrip())] + "pass" if harmless(line) else line
        for line in code.split("\n")
    ]
    return "\n".join(plain), [f"`{line}` was left out" for line in dict.fromkeys(found)]


def not_python(code: str) -> int:
    """Return the first line that only a notebook understands, 0 if there is none."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        for at, line in enumerate(code.splitlines(), 1):
            if for_notebooks(line):
                return at
    except (RecursionError, MemoryError):
        pass  # the box will say so
    return 0


def told(data: bytes) -> dict[str, object]:
    """Return what a notebook answers, or why it cannot be read; a box calls this."""
    try:
        return {"cells": read_cells(data)}
    except Unreadable as error:
        return {"error": str(error)}
    except (MemoryError, RecursionError):
        return {"error": "the notebook needs too much memory to be read"}


def main() -> None:
    """Read a notebook and say what it answers."""
    bound()
    sys.stdout.write(json.dumps(told(sys.stdin.buffer.read(MOST_BYTES + 1))))


if __name__ == "__main__":
    main()

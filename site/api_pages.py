"""API pages: one for each room of the library, made from its docstrings by Sphinx's autodoc."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module
from pathlib import Path

ROOMS = {
    "machine": "What does the hardware see?",
    "rmap": "Who maps this page?",
    "kernel": "What happens at a fault, fork, mremap, exit?",
    "formats": "How is it written down?",
    "histories": "What do programs do?",
    "recording": "What changed at each step?",
    "proof": "How do we know that it is right?",
}
SINGLE = ("errors", "mm", "learn")
TABLE = re.compile(r"^(\S.*?)\s{2,}(\S.*)$")


def write(folder: Path) -> None:
    """Write index.md and a page for each room to `folder`."""
    folder.mkdir(parents=True)
    rooms = {"anonlab": ["anonlab", *(f"anonlab.{name}" for name in SINGLE)]}
    for room in ROOMS:
        package = import_module(f"anonlab.{room}")
        found = pkgutil.walk_packages(package.__path__, f"anonlab.{room}.")
        rooms[room] = [f"anonlab.{room}", *(each.name for each in found)]
    for room, modules in rooms.items():
        title = "anonlab" if room == "anonlab" else f"anonlab.{room}"
        parts = [f"{title}\n{'=' * len(title)}\n", *([ROOMS[room] + "\n"] if room in ROOMS else [])]
        for name in modules:
            # What a package only hands on is told where it is written.
            is_package = hasattr(import_module(name), "__path__") or name == "anonlab.learn"
            members = "" if is_package else "   :members:\n   :member-order: bysource\n"
            head = name if name != title else "The package"
            parts.append(f"{head}\n{'-' * len(head)}\n\n.. automodule:: {name}\n{members}")
        (folder / f"{room}.rst").write_text("\n".join(parts), encoding="utf-8")
    listed = "\n".join(rooms)
    (folder / "index.md").write_text(
        "# API\n\nWhat the docstrings say, room by room. The names that `from anonlab import …` "
        "gives stay from version to version; others may move.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n",
        encoding="utf-8",
    )


def as_restructured_text(lines: list[str]) -> list[str]:
    """Return a docstring of ours as reStructuredText: its lists of "name   what it is" become field
    lists, indented examples become literal blocks, and no character is markup by accident."""
    out: list[str] = []
    for block in re.split(r"\n\s*\n", "\n".join(lines)):
        block = block.strip("\n")
        if not block.strip():
            continue
        rows = block.split("\n")
        if all(row.startswith("    ") for row in rows):
            out += ["::", "", *(f"    {row}" for row in rows), ""]
        elif any(TABLE.match(row) for row in rows) or any(row.startswith(" ") for row in rows[1:]):
            out += _rows(rows)
        else:
            out += [*map(_plain, rows), ""]
    return out


def _rows(rows: list[str]) -> list[str]:
    """Return lines in columns: sentences before them as text, each name as a bold term."""
    out: list[str] = []
    for row in rows:
        match = TABLE.match(row)
        if match:
            out += ["", f"- **{_bare(match[1])}** — {_plain(match[2])}"]
        elif row.startswith(" ") and out and out[-1].startswith(("- ", "  ")):
            out.append(f"  {_plain(row.strip())}")
        else:
            if out and out[-1].startswith(("- ", "  ")):
                out.append("")
            out.append(_plain(row.strip()))
    return [*out, ""]


def _bare(text: str) -> str:
    return re.sub(r"([*\\|_`])", r"\\\1", text.replace("`", ""))


def _plain(text: str) -> str:
    """Return a line in which only code in back quotes is markup."""
    parts = re.split(r"(`+[^`]+`+)", text.rstrip().removesuffix("::"))
    return "".join(
        f"``{part.strip('`')}``\\ " if at % 2 else re.sub(r"([*\\|_`@])", r"\\\1", part)
        for at, part in enumerate(parts)
    )

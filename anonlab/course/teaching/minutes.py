"""How many minutes a notebook takes, as its first cell says it."""

from __future__ import annotations

import json
import re
from pathlib import Path

_SAID = re.compile(r"In (?:about )?(\d+) minutes")


def notebook_minutes(folder: Path) -> dict[str, int]:
    """Return the minutes of each notebook in `folder` by its number; 0 where none are said."""
    found = {}
    for path in sorted(folder.glob("*_*.ipynb")):
        first = "".join(json.loads(path.read_text("utf-8"))["cells"][0]["source"])
        said = _SAID.search(first)
        found[path.stem.split("_")[0]] = int(said[1]) if said else 0
    return found

"""A history as a page: the player with every step, of long histories too."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

from anonlab.course.authoring.pages import history_page
from anonlab.formats.history_text import parse
from anonlab.histories.generate import generate
from anonlab.recording.recorder import record
from anonlab.view.story.columns import in_rows

STORY = """
shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7
child = fork shell
child write 0x30000 9
child exit
"""


def frames(page: str) -> dict[str, Any]:
    """What the player in `page` shows."""
    found = re.search(r'id="anonlab-state">(.*?)</script>', page, re.DOTALL)
    assert found
    made = json.loads(found[1])["frames"]
    if isinstance(made, str):
        plain = zlib.decompress(base64.b64decode(made.removeprefix("deflate:")))
        made = in_rows(json.loads(plain))
    return made


def test_a_history_is_shown_whole() -> None:
    history = parse(STORY, "a fork")
    made = frames(history_page(history))
    labels = [made["labels"][row[0]][0] for row in made["steps"]]
    assert labels == [step.label for step in record(history).steps]
    assert made["title"] == "a fork"


def test_a_long_one_is_shown_whole_too_and_says_what_it_leaves_out() -> None:
    history = generate(2, 2_100)
    made = frames(history_page(history))
    assert {row[1] for row in made["steps"]} == {-1, *range(len(history.ops))}
    assert "walks" in made["note"]

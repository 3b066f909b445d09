"""The stories of the first notebooks' scenes, done by the running kernel."""

from __future__ import annotations

import re

import pytest
from linux_view import needs_full_view

from anonlab.course.asking.bank.scenes import SCENES
from anonlab.live.source import live_or_recorded
from anonlab.live.steps import compare_steps

STORIES = {
    name: re.sub(r"^machine .*\n", "", scene.story)
    for name, scene in SCENES.items()
    if re.match(r"0[0-5] ", name)
    and isinstance(scene.story, str)
    and not re.search(r"swap_out| pin |frames 9", scene.story)
}
"""Without what an ordinary machine cannot do: swap out a page, pin one, be nearly full."""


@needs_full_view
@pytest.mark.parametrize("name", STORIES)
def test_linux_does_what_the_scene_shows(name: str) -> None:
    """Of shared mappings Linux leaves the entries out at fork, and the scene says so."""
    told = compare_steps(live_or_recorded(STORIES[name], live=True))
    assert told.unexplained == 0, repr(told)
    assert told.explained == ({"refault": 1} if name == "05 shared on purpose" else {})


def test_stories_of_all_these_notebooks_are_asked() -> None:
    assert {name[:2] for name in STORIES} == {"00", "01", "02", "03", "04", "05"}

"""What scenes show, a running Linux does: a story that no kernel allows teaches what is wrong."""

from __future__ import annotations

import pytest
from linux_view import needs_full_view

from anonlab.course.asking.bank.scenes import SCENES
from anonlab.live.source import live_or_recorded
from anonlab.live.steps import compare_steps

STORIES = {
    name: scene.story
    for name, scene in SCENES.items()
    if name < "11" and isinstance(scene.story, str) and "swap_out" not in scene.story
    if name != "05 no memory"  # a machine that is too small
}


@needs_full_view
@pytest.mark.parametrize("name", STORIES)
def test_the_running_kernel_does_what_a_scene_shows(name: str) -> None:
    assert compare_steps(live_or_recorded(STORIES[name], live=True)).unexplained == 0

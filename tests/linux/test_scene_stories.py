"""What scenes show, a running Linux does: a story that no kernel allows teaches what is wrong."""

from __future__ import annotations

import pytest
from linux_view import needs_full_view

from anonlab.course.asking.bank.scenes import SCENES
from anonlab.live.source import live_or_recorded
from anonlab.live.steps import compare_steps

WITHOUT_SWAP = ("06 ls", "06 vfork", "07 anon_vma", "09 looks", "09 fork", "10 after the move")


@needs_full_view
@pytest.mark.parametrize("name", WITHOUT_SWAP)
def test_the_running_kernel_does_what_a_scene_shows(name: str) -> None:
    story = SCENES[name].story
    assert isinstance(story, str)
    assert compare_steps(live_or_recorded(story, live=True)).differ == ()

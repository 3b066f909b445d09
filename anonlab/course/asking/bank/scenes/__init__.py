"""The scenes of the notebooks, by name: "04 fork" is a scene of notebook 04."""

from anonlab.course.asking.bank.scenes.kinds import Scene
from anonlab.course.asking.bank.scenes.march import MARCH_SCENES
from anonlab.course.asking.bank.scenes.start import START
from anonlab.course.asking.bank.scenes.wrong import WRONG

SCENES: dict[str, Scene] = {**START, **MARCH_SCENES, **WRONG}

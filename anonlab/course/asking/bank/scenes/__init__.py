"""The scenes of the notebooks, by name: "04 fork" is a scene of notebook 04."""

from anonlab.course.asking.bank.scenes.choices import CHOICES
from anonlab.course.asking.bank.scenes.copies import COPIES
from anonlab.course.asking.bank.scenes.kinds import Scene
from anonlab.course.asking.bank.scenes.march import MARCH_SCENES
from anonlab.course.asking.bank.scenes.moves import MOVES
from anonlab.course.asking.bank.scenes.pages import PAGES
from anonlab.course.asking.bank.scenes.programs import PROGRAMS
from anonlab.course.asking.bank.scenes.start import START
from anonlab.course.asking.bank.scenes.walks import WALKS
from anonlab.course.asking.bank.scenes.wrong import WRONG

SCENES: dict[str, Scene] = {
    **START, **PAGES, **COPIES, **PROGRAMS, **MOVES, **WALKS, **CHOICES, **MARCH_SCENES, **WRONG
}  # fmt: skip

"""The questions of the notebooks, by name: "02 order" is a question of notebook 02."""

from anonlab.course.asking.bank.beliefs import BELIEFS
from anonlab.course.asking.bank.beliefs_later import LATER
from anonlab.course.asking.bank.claims import CLAIMS
from anonlab.course.asking.bank.designs import DESIGNS
from anonlab.course.asking.bank.inverses import INVERSES
from anonlab.course.asking.bank.march import MARCH
from anonlab.course.asking.bank.pages import PAGES

QUESTIONS = {**PAGES, **CLAIMS, **DESIGNS, **INVERSES, **MARCH, **BELIEFS, **LATER}

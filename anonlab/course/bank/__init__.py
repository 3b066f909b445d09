"""The questions of the notebooks, by name: "02 order" is a question of notebook 02."""

from anonlab.course.bank.claims import CLAIMS
from anonlab.course.bank.designs import DESIGNS
from anonlab.course.bank.inverses import INVERSES
from anonlab.course.bank.pages import PAGES

QUESTIONS = {**PAGES, **CLAIMS, **DESIGNS, **INVERSES}

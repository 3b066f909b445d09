"""Reports of a graded class: for students, for instructors, and for other programs."""

from anonlab.grading.reports.summary import ClassFacts
from anonlab.grading.reports.write import Outputs, Written, write_all

__all__ = ["ClassFacts", "Outputs", "Written", "write_all"]

"""Grading a class: ordinary pytest as the trusted judge, the student's code in a box that answers
with plain data. Nothing here imports, unpickles or evaluates anything of a student's."""

"""A student's design runs inside the kernel through plain data, and is held to its form."""

from __future__ import annotations

from project import ROOT

from anonlab.course.authoring.masters import read_master
from anonlab.course.judging.families import histories
from anonlab.course.judging.student import Student
from anonlab.course.judging.student_design import PlainDesign
from anonlab.formats.history import History
from anonlab.proof.fuzz import history_of, run_checked
from anonlab.rmap import AnonGroupOptions

EVERY_PLACE = """
class Design:
    def __init__(self): self.places = {}
    def new_mm(self, mm): pass
    def fork_mm(self, child, parent): pass
    def drop_mm(self, mm): pass
    def add(self, pfn, mm, vpn): self.places.setdefault(pfn, []).append((mm, vpn))
    def dup(self, pfn, mm, vpn): self.add(pfn, mm, vpn)
    def remove(self, pfn, mm, vpn): self.places[pfn].remove((mm, vpn))
    def must_copy(self, pfn, mm, vpn): return False
    def moved(self, pfn, mm, old, new): self.remove(pfn, mm, old); self.add(pfn, mm, new)
    def clash(self, pfn, mm, vpn): return False
    def candidates(self, pfn): return self.places[pfn]
"""
CASES = tuple(histories(("family", "moved_swapped", "mixed"), 5, 6, 40))


def failures(code: str, cases: tuple[History, ...] = CASES) -> list[str]:
    """What goes wrong with the design in `code`."""
    found = []
    for history in cases:
        found += run_checked(history, lambda: PlainDesign(Student(code).Design())).failures
    return found


def test_a_list_of_all_places_survives_everything_and_looks_nowhere_in_vain() -> None:
    assert failures(EVERY_PLACE, (*CASES, history_of(1, 0), history_of(1, 3))) == []
    tally = run_checked(CASES[0], lambda: PlainDesign(Student(EVERY_PLACE).Design()))
    assert tally.candidates == tally.mappings > 0


def test_the_group_as_a_students_design_names_what_the_group_names() -> None:
    code = read_master(ROOT / "solutions" / "ex09a_design.py").solution
    for history in CASES:
        mine = run_checked(history, lambda: PlainDesign(Student(code).Design()))
        ours = run_checked(history, lambda: AnonGroupOptions("mapcount"))
        assert mine.failures == ours.failures == []
        assert (mine.candidates, mine.mappings) == (ours.candidates, ours.mappings)


def test_answers_of_the_wrong_form_are_sentences() -> None:
    for wrong, says in (
        ("return None", "candidates returns a list, yours NoneType"),
        ("return [pfn]", "candidates returns (mm, vpn) pairs"),
        ("return [(True, 3)]", "candidates returns (mm, vpn) pairs"),
        ("return [(99, 3)]", "names address space 99, which is gone"),
        ("return self.places[pfn][:-1]", "misses"),
        ("return self.nothing", "AttributeError"),
    ):
        code = EVERY_PLACE.replace("return self.places[pfn]\n", f"{wrong}\n")
        assert says in failures(code)[0], wrong


def test_forgetting_a_clash_or_a_move_is_seen() -> None:
    code = read_master(ROOT / "solutions" / "ex09a_design.py").solution
    assert failures(code.replace("return self.pages[pfn][2] > 1", "return False"))
    assert failures(code.replace("self.pages[pfn][1] = new", "pass"))

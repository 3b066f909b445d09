"""Right answers in ordinary Python get full points, on the laptop and in the box; an answer that
changes what it was given does not."""

from __future__ import annotations

from typing import Any

import pytest
from ordinary import needs_box
from project import ROOT
from small_course import Small
from test_both_ends import submit, verdict

from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.selfcheck import run_all

pytestmark = [needs_box, pytest.mark.xdist_group("attacks")]

MASTERS = {master.number: master for master in read_masters(ROOT / "solutions")}
RIGHT = {
    "a dataclass with postponed annotations, typing and pickle": (
        "05a",
        """
from __future__ import annotations
import pickle, typing
from dataclasses import dataclass, field, replace
from enum import IntFlag
import numpy as np

class Bit(IntFlag):
    PRESENT, WRITE, USER, ACCESSED, DIRTY = 1, 2, 4, 32, 64

ALL = Bit.PRESENT | Bit.WRITE | Bit.USER | Bit.ACCESSED | Bit.DIRTY

@dataclass(frozen=True, slots=True)
class Entry:
    word: int
    marks: list[Bit] = field(default_factory=list)

    def frame(self) -> int:
        return self.word >> 12

def break_cow(word: int, count: int, pfn: int) -> int:
    assert typing.get_type_hints(Entry)["word"] is int
    entry = pickle.loads(pickle.dumps(Entry(word)))
    if entry.frame() and count == 1:
        return replace(entry, word=word | ALL).word
    return pfn << 12 | ALL

def break_cow_range(words, counts, pfns):
    pfns, new, copied = list(pfns), [], []
    for word, count in zip(words, counts):
        alone = word >> 12 != 0 and count == 1
        new.append(break_cow(int(word), int(count), int(0 if alone else pfns.pop(0))))
        copied.append(np.bool_(not alone))
    return np.array(new), copied
""",
    ),
    "a named tuple of its own with methods": (
        "02b",
        """
from typing import NamedTuple, Optional

class Vma(NamedTuple):
    start: int
    end: int
    prot: str
    shared: bool
    file: str
    pgoff: int

    def follows(self, lower: "Vma") -> bool:
        there = lower.pgoff + lower.end - lower.start
        return self.start == lower.end and self[2:] == (*lower[2:5], there)

def merge(lower, upper) -> Optional[Vma]:
    low, high = Vma._make(lower), Vma._make(upper)
    return low._replace(end=high.end) if high.follows(low) else None
""",
    ),
    "flags as answers, in a list of its own kind": (
        "03a",
        """
import enum
import numpy as np

class Word(enum.IntFlag, boundary=enum.KEEP):
    PRESENT, WRITE, USER, ACCESSED, DIRTY = 1, 2, 4, 32, 64

class Words(list):
    def __iter__(self):
        raise TypeError("index me")

READ = Word.PRESENT | Word.USER | Word.ACCESSED
WRITE = READ | Word.WRITE | Word.DIRTY

def touch_page(word, write, pfn):
    if word >> 12 or (word and not write):
        return Word(word)
    return Word(pfn << 12) | WRITE if write else READ

def touch_range(words, write, pfns):
    new, fresh = words.copy(), words < 1 << 12
    new[fresh] = pfns[: fresh.sum()] << 12 | WRITE if write else READ
    return Words(map(Word, new.tolist()))
""",
    ),
    "scalars of NumPy": (
        "04a",
        """
import numpy as np

def share_page(word):
    word = np.int64(word)
    present = word & 1
    parent = word & ~np.int64(2) if present else word
    return parent, parent & ~np.int64(32) if present else parent

def share_range(words):
    present = words & 1
    parent = words & ~(present * np.int64(2))
    return [*parent], (*(parent & ~(present * np.int64(32))),)
""",
    ),
    "texts and dictionaries that are more": (
        "10a",
        """
from collections import defaultdict
from enum import StrEnum
import numpy as np

class State(StrEnum):
    page, swap, none = "page", "swap", "none"

def decode(word):
    said = defaultdict(lambda: None, pfn=None, device=None, slot=None, state=State.none)
    if word >> 63 & 1:
        said.update(state=State.page, pfn=np.uint64(word & 2**55 - 1))
    elif word >> 62 & 1:
        said.update(state=State.swap, device=word & 31, slot=(word & 2**55 - 1) >> 5)
    for name, place in dict(exclusive=56, file=61, soft_dirty=55).items():
        said[name] = np.bool_(word >> place & 1)
    return said

def shared(words):
    top = words >> np.uint64(55)
    return np.nonzero(top & np.uint64(0b101000010) == np.uint64(0b100000000))[0].astype(np.int32)
""",
    ),
    "a design that names every live address space": (
        "09a",
        """
from collections import Counter, namedtuple
Place = namedtuple("Place", "mm vpn")

class Design:
    def __init__(self):
        self.live, self.pages = {}, {}

    def new_mm(self, mm):
        self.live[mm] = True

    def fork_mm(self, child, parent):
        self.live[child] = True

    def drop_mm(self, mm):
        del self.live[mm]

    def add(self, pfn, mm, vpn):
        self.pages.setdefault(pfn, Counter())[vpn] += 1

    dup = add

    def remove(self, pfn, mm, vpn):
        self.pages[pfn] -= Counter([vpn])

    def must_copy(self, pfn, mm, vpn):
        return False

    def moved(self, pfn, mm, old, new):
        self.remove(pfn, mm, old)
        self.add(pfn, mm, new)

    def clash(self, pfn, mm, vpn):
        return False

    def candidates(self, pfn):
        return tuple(Place(mm, vpn) for vpn in self.pages[pfn] for mm in self.live)
""",
    ),
}
IN_PLACE = """
import numpy as np

def share_page(word):
    return (word & ~2, word & ~34) if word & 1 else (word, word)

def share_range(words):
    present = (words & 1) != 0
    words[present] &= ~2
    child = words.copy()
    child[present] &= ~32
    return words, child
"""


@pytest.mark.parametrize("name", RIGHT)
def test_ordinary_python_gets_full_points_at_both_ends(name: str, small: Small) -> None:
    number, code = RIGHT[name]
    for in_process in (False, True):
        submit(small, MASTERS[number], code, in_process)
    for result in small.graded():
        assert points(result) == MASTERS[number].points, result["tests"]


def test_a_changed_argument_is_named_at_both_ends(small: Small) -> None:
    for in_process in (False, True):
        submit(small, MASTERS["04a"], IN_PLACE, in_process)
    boxed, here = small.graded()
    assert [verdict(test) for test in boxed["tests"]] == [verdict(test) for test in here["tests"]]
    assert 0 < points(boxed) < MASTERS["04a"].points
    wrong = next(each for each in run_all(ROOT, MASTERS["04a"], IN_PLACE) if each.wrong)
    assert "share_range changes its argument words" in wrong.message
    assert "Did you work in place?" in wrong.message


def test_a_loop_over_pages_loses_one_point_at_both_ends(small: Small) -> None:
    paths = sorted((ROOT / "tests" / "exercises" / "tried" / "loops").glob("*.py"))
    for path in paths:
        master = MASTERS[path.name.partition("__")[0]]
        for in_process in (False, True):
            submit(small, master, path.read_text("utf-8"), in_process)
    graded = small.graded()
    for path, boxed, here in zip(paths, graded[::2], graded[1::2], strict=True):
        for result in (boxed, here):
            lost = [each for each in result["tests"] if each["status"] != "pass"]
            assert [each["test"] for each in lost] == ["test_array_operations"], path
        assert [verdict(test) for test in boxed["tests"]] == [
            verdict(test) for test in here["tests"]
        ]
        told = [[each["shown"] for each in result["tests"]] for result in (boxed, here)]
        assert told[0] == told[1]
        assert "page by page" in str(told[0])


def test_a_number_of_steps_that_is_none_ends_the_box(small: Small) -> None:
    small.write(
        "def test_a(student, seed):\n    student.counted('f', (1,))\n",
        "def test_b(student, seed):\n"
        "    try:\n        student.counted('_f', (1,))\n        assert False\n"
        "    except AttributeError:\n        pass\n",
    )
    take_over = """
from anonlab.box import worker
class Steps:
    def __init__(self, names): self.made = {}
    def __enter__(self): return self
    def __exit__(self, *args): pass
worker.Steps = Steps
def f(x): return x
"""
    for made in ("'many'", "-1", "10**4000", "True"):
        small.submit(take_over.format(made))
    for result in small.graded():
        assert [test["status"] for test in result["tests"]] == ["protocol", "pass"], result["tests"]


def points(result: dict[str, Any]) -> float:
    """All points of one graded submission."""
    return float(sum(test["points"] for test in result["tests"]))

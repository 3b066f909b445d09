"""A student's machine beside the right one, call by call, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from anonlab.box.plain_data import same, without_sequence_types
from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.student import StudentError, explains
from anonlab.course.lab.histories import LabCall, Moment, answer, is_of_the_lab, moments
from anonlab.course.lab.reasons import reason
from anonlab.course.lab.truth import LabState
from anonlab.formats.history import History
from anonlab.histories.run import op_text
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT, PTE_WRITE
from anonlab.proof.shrink import shrink

BITS = PTE_PRESENT | PTE_WRITE
PTE = {PTE_PRESENT: "PRESENT", PTE_WRITE: "WRITE"}


class Divergence(Exception):
    """The student's machine is not as it should be: `what` says how, `kind` is a word for it."""

    def __init__(self, kind: str, what: str, expected: object = "", got: object = "") -> None:
        super().__init__(what)
        self.kind, self.what = kind, what
        self.expected, self.got = _text(expected), _text(got)
        self.moment: Moment | None = None


def _text(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


@dataclass
class LabCost:
    """What a machine cost over some histories, and what the right one does.

    looks, least_looks   places that walks look at, one walk for each mapped frame after each call
    copies               words that got another frame although the right machine's kept theirs
    """

    looks: int = 0
    least_looks: int = 0
    copies: int = 0


def follow(student: Any, history: History, walks: bool, cost: LabCost | None = None) -> None:
    """Do a history on the student's machine and hold it against the right one after every call.

    walks   the reverse map is asked as well
    raises  Divergence, with its moment
    """
    machine = student.Machine(history.machine.frames)
    mine = before = LabState({}, {}, {}, history.machine.frames - 1)
    for moment in moments(history):
        try:
            got = answer(machine, moment.call)
            after = read_state(machine.state())
            compare_moment(moment, got, mine, after)
            if walks:
                compare_walks(after)
        except Divergence as found:
            found.moment = moment
            raise
        except StudentError as error:
            if error.is_stub:
                raise
            raised = Divergence("raised", f"your code raised {error}")
            raised.moment = moment
            raise raised from None
        if cost is not None:
            add_cost(cost, moment, before, mine, after)
        mine, before = after, moment.after


def read_state(plain: Any) -> LabState:
    """Return what `state()` returned as a LabState; Divergence that says what is no form of it."""
    plain = without_sequence_types(plain)
    if not isinstance(plain, dict) or set(plain) != set(FORMS):
        what = f"state() returns a dict with {', '.join(FORMS)}; yours is {plain!r:.80}"
        raise Divergence("state", what)
    for name, (form, fits) in FORMS.items():
        if not fits(plain[name]):
            what = f'state()["{name}"] is {form}; yours is {plain[name]!r:.80}'
            raise Divergence("state", what)
    words = {who: {v: w for v, w in some.items() if w} for who, some in plain["words"].items()}
    pages = {pfn: (group, index) for pfn, (group, index) in plain["pages"].items()}
    return LabState(words, pages, plain["groups"], plain["free"])


def _is_dict(value: Any, keys: tuple[type, ...], fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(
        type(name) in keys and fits(each) for name, each in value.items()
    )


def _is_number(value: Any) -> bool:
    return type(value) is int and value >= 0


NAMES: tuple[type, ...] = (int, str)
"""What a group may be called."""
FORMS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "words": (
        "{process: {page number: word}}",
        lambda words: _is_dict(words, (str,), lambda some: _is_dict(some, (int,), _is_number)),
    ),
    "pages": (
        "{frame: (group, page number)}",
        lambda pages: _is_dict(
            pages,
            (int,),
            lambda page: (
                isinstance(page, list)
                and len(page) == 2
                and type(page[0]) in NAMES
                and _is_number(page[1])
            ),
        ),
    ),
    "groups": (
        "{group: [process, …]}",
        lambda groups: _is_dict(
            groups,
            NAMES,
            lambda some: isinstance(some, list) and all(type(who) is str for who in some),
        ),
    ),
    "free": ("a number of frames", _is_number),
}
"""What `state()` returns, by name: in words, and whether a value is it."""


def compare_moment(moment: Moment, got: Any, before: LabState, after: LabState) -> None:
    """Raise Divergence unless the answer and the page tables are what they should be.

    before  the student's machine before the call: one that fails leaves it so
    """
    if not same(moment.result, got):
        refused = isinstance(got, str) and not isinstance(moment.result, str)
        kind = f"refused {got}" if refused else "answer"
        raise Divergence(kind, _answer_text(moment.result, got), moment.result, got)
    if isinstance(moment.result, str) and after != before:
        raise Divergence(
            "half", f"a call that fails with {moment.result} changes nothing; yours did"
        )
    right = moment.after
    if set(after.words) != set(right.words):
        what = f"processes are {_some(right.words)}, yours {_some(after.words)}"
        raise Divergence("processes", what)
    for who, words in right.words.items():
        compare_words(who, words, after.words[who])
    compare_sharing(right, after)
    for who, words in right.words.items():
        compare_bits(who, words, after.words[who])
    if after.free != right.free:
        what = f"{right.free} frames are free, yours says {after.free}"
        raise Divergence("leak" if after.free < right.free else "freed", what)


def _answer_text(right: Any, got: Any) -> str:
    if isinstance(right, str):
        return f"the call fails with {right}, yours does not: it returned {got!r:.60}"
    if isinstance(got, str):
        return f"the call does not fail, yours returned {got!r}"
    if right is None:
        return f"the call returns None, yours returned {got!r:.60}"
    return "other numbers are read"


def _some(names: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, names))) or "none"


def compare_words(who: str, right: dict[int, int], mine: dict[int, int]) -> None:
    """Raise Divergence unless one process has words where it should, of the zero page or not."""
    for vpn in sorted({*right, *mine}):
        at = f"the word of {who} at page {vpn:#x}"
        if vpn not in mine:
            raise Divergence("missing", f"{at} is missing: a page is mapped there")
        if vpn not in right:
            raise Divergence("left", f"{at} is {mine[vpn]:#x}: nothing is mapped there")
        if (right[vpn] >> PTE_SHIFT == 0) != (mine[vpn] >> PTE_SHIFT == 0):
            zero = right[vpn] >> PTE_SHIFT == 0
            what = "the zero page" if zero else "a frame of its own, not the zero page"
            raise Divergence("zero" if zero else "frame", f"{at} names {what}")


def compare_bits(who: str, right: dict[int, int], mine: dict[int, int]) -> None:
    """Raise Divergence unless the words of one process have the right bits."""
    for vpn in sorted(right):
        for bit, name in PTE.items():
            if right[vpn] & bit != mine[vpn] & bit:
                on = "on" if right[vpn] & bit else "off"
                what = f"the word of {who} at page {vpn:#x} has {name} {on}"
                bits = bits_of(right, vpn), bits_of(mine, vpn)
                raise Divergence(f"{name} {on}", what, *bits)


def bits_of(words: dict[int, int], vpn: int) -> str:
    """Return the bits of a word in words."""
    names = [name for bit, name in PTE.items() if words[vpn] & bit]
    return f"{' and '.join(names) or 'no bits'}"


def compare_sharing(right: LabState, mine: LabState) -> None:
    """Raise Divergence unless the same places have one frame together. Which frames, is free."""
    mine_at = {place: pfn for pfn, places in mine.places().items() for place in places}
    places_of = mine.places()
    for places in right.places().values():
        got = places_of[mine_at[places[0]]]
        if got == places:
            continue
        extra = [place for place in got if place not in places]
        kind, other = ("together", extra) if extra else ("apart", places)
        verb = "is not shared with" if extra else "is shared with"
        others = [place for place in other if place != places[0]]
        what = f"the frame of {_place(places[0])} {verb} {' and '.join(map(_place, others))}"
        raise Divergence(kind, what)


def _place(place: tuple[str, int]) -> str:
    return f"{place[0]} at {place[1]:#x}"


def compare_walks(mine: LabState) -> None:
    """Raise Divergence if the walk of a frame misses a place, or asks who is gone."""
    dead = sorted({str(who) for some in mine.groups.values() for who in some} - set(mine.words))
    if dead:
        raise Divergence("dead", f"a group has {dead[0]}, which is gone")
    if empty := [group for group, some in mine.groups.items() if not some]:
        raise Divergence("empty", f"group {empty[0]!r} is still there, and nobody is in it")
    places_of = mine.places()
    if stale := sorted(set(mine.pages) - set(places_of)):
        what = "the zero page" if stale[0] == 0 else f"frame {stale[0]}, which nobody maps"
        raise Divergence("stale", f'state()["pages"] has {what}')
    for pfn, places in places_of.items():
        if pfn not in mine.pages or mine.pages[pfn][0] not in mine.groups:
            what = f"frame {pfn}, which {_place(places[0])} maps, is in no group that there is"
            raise Divergence("no group", what)
        if missing := [place for place in places if place not in mine.candidates(pfn)]:
            what = f"the walk for frame {pfn} does not look where {_place(missing[0])} maps it"
            raise Divergence("missed", what)


def add_cost(
    cost: LabCost, moment: Moment, before: LabState, mine: LabState, after: LabState
) -> None:
    """Add what a call cost: `before` and moment.after are the right machine, `mine` and `after`
    the student's."""
    cost.looks += sum(len(after.candidates(pfn)) for pfn in after.places())
    right = moment.after
    cost.least_looks += sum(len(right.candidates(pfn)) for pfn in right.places())
    for who, words in right.words.items():
        for vpn, word in words.items():
            old = source_of(moment.call, who, vpn)
            kept = _pfn(before, old) == word >> PTE_SHIFT != 0
            cost.copies += kept and _pfn(mine, old) != _pfn(after, (who, vpn))


def source_of(call: LabCall, who: str, vpn: int) -> tuple[str, int]:
    """Return where the page at `vpn` of `who` was before the call, if it was anywhere."""
    if call.function == "fork" and call.args[1] == who:
        return call.args[0], vpn
    if call.function == "mremap" and call.args[0] == who:
        _, start, npages, new = call.args
        if new <= vpn < new + npages:
            return who, vpn - new + start
    return who, vpn


def _pfn(state: LabState, place: tuple[str, int]) -> int:
    return state.words.get(place[0], {}).get(place[1], 0) >> PTE_SHIFT


def judge_lab(student: Any, histories: Iterable[History], walks: bool = False) -> LabCost:
    """Do every history on a new machine of the student; return what it cost.

    raises  Wrong with the shortest history that goes wrong
    """
    __tracebackhide__ = True
    cost = LabCost()
    for history in histories:
        try:
            follow(student, history, walks, cost)
        except Divergence as found:
            if not explains(student):
                raise Wrong(found.what) from None
            raise _shrunk(student, history, walks) from None
    return cost


def _shrunk(student: Any, history: History, walks: bool) -> Wrong:
    def divergence(shorter: History) -> Divergence | None:
        if not is_of_the_lab(shorter):
            return None
        try:
            follow(student, shorter, walks)
        except Divergence as found:
            return found
        return None

    short = shrink(history, lambda shorter: divergence(shorter) is not None)
    found = divergence(short)
    assert found is not None, "a shrunk history shows what the whole one showed"
    assert found.moment is not None, "a divergence has a moment"
    return Wrong(
        found.what,
        f"{op_text(found.moment.op)}, on a machine with {short.machine.frames} frames",
        f"machine.{found.moment.call}",
        found.expected,
        found.got,
        reason(found.kind, found.moment, short),
        replace(short, title=""),
    )

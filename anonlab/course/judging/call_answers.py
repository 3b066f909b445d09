"""How tests of exercises judge: ask the student, compare with the truth, explain the difference.

A test is a function `test_name(student, seed)`; its docstring is its title. It makes questions, as
plain data, from histories that the simulated kernel runs, and passes them to `judge`. The first
history with a wrong answer is made as short as possible and shown, with what was expected, what
came, and "did you …?" where the answer is that of a known mistake.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, groupby, islice
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from anonlab.box.both_ends import NotPlain
from anonlab.box.endings import RIGHT
from anonlab.box.plain_data import same, without_sequence_types
from anonlab.course.judging.boxed_student import BoxedStudent
from anonlab.course.judging.made_questions import MADE
from anonlab.course.judging.right_answers import RIGHT_ANSWERS, Known
from anonlab.course.judging.student import StudentError, explains, printed_by_call
from anonlab.formats.history import History, Machine
from anonlab.formats.history_text import format as history_text
from anonlab.histories.run import run
from anonlab.proof.shrink import shrink, with_plain_arguments

Guess = Callable[[tuple[Any, ...], Any], Any]
"""What somebody with a known mistake answers to `args`, given the right answer."""
Cases = Mapping[str, Callable[["Question"], bool]]
"""What a test is about, by name: whether a question is about it."""
Guesses = Mapping[str, Guess]
"""By the message "did you …?"."""
IN_PLACE = "Did you work in place? What you are given is still needed: change a copy of it."
FEW = 3
"""So many histories with a wrong answer are shrunk, to show the plainest."""
MOST_CALLS = 500
"""So many calls of a student's function may be made to shrink a history."""
TAUGHT = {
    **dict.fromkeys(("spawn", "mmap", "read", "write"), 1),
    **dict.fromkeys(("munmap", "mprotect", "file"), 2),
    **{"fork": 4, "pin": 5, "unpin": 5, "exit": 6, "execve": 6, "vfork": 6, "clone_vm": 6},
    **{"mremap": 7, "swap_out": 8},
}
"""The notebook that teaches a verb; all others come later still."""
RUN = 6
"""So many equal items of an array are written as one times their number."""
HEX_FROM = 1000
"""Numbers from here on are written in hex in a call."""
LONGEST = 600
"""Characters of a value that a message shows."""


class Question(NamedTuple):
    """A call of a student's function, and what is right. `about` says what the call stands for;
    `show` writes an answer for people."""

    function: str
    args: tuple[Any, ...]
    right: Any
    about: str = ""
    show: Callable[[Any], str] = repr

    @property
    def call(self) -> str:
        """The call as Python, to be pasted, unless an argument is a whole machine's tables."""
        return f"{self.function}({', '.join(map(_pasted, self.args))})"


@dataclass
class Wrong(AssertionError):
    """A wrong answer. `about` says where, `what` is the difference in one sentence; `guess` is what
    may be the reason, '' if unknown; `history` the shortest history that shows it; `bits` says
    which bits of a word differ."""

    what: str
    about: str = ""
    call: str = ""
    expected: str = ""
    got: str = ""
    guess: str = ""
    history: History | None = None
    bits: str = ""
    printed: str = ""

    def __str__(self) -> str:
        parts = [self.what]
        if self.call:
            parts += [f"  the call    {self.call}"]
        if self.about:
            parts += [f"  that is     {self.about}"]
        if self.expected or self.got:
            parts += [f"  expected    {self.expected}", f"  yours       {self.got}"]
        if self.bits:
            parts += [f"  the bits    {self.bits}"]
        if self.guess:
            parts += [self.guess]
        if self.printed:
            parts += [it_printed(self.printed)]
        if self.history is not None:
            text = history_text(self.history).rstrip("\n")
            text = text.removeprefix(history_text(History((), Machine()))).replace("\n", "\n  ")
            parts += ["the shortest history that shows it:", f"  {text}"]
        return "\n".join(parts)


def it_printed(text: str) -> str:
    """Return what the call that went wrong has printed, as messages show it."""
    return "it printed:\n  " + text.replace("\n", "\n  ")


def judge(
    student: Any,
    histories: Iterable[History],
    questions: Callable[[History], Iterable[Question]],
    guesses: Guesses | None = None,
    least: int = 1,
    cases: Cases | None = None,
) -> int:
    """Ask every question of every history; return how many there were.

    guesses  what known mistakes answer
    least    so many questions must come up, or the test is worth nothing
    cases    kinds of questions; each must come up as well
    raises   Wrong for a history with a wrong answer, shrunk: of the first few the plainest
    """
    __tracebackhide__ = True  # pytest shows the answer, not our code
    if known := RIGHT_ANSWERS.ask(student):
        return known
    asked: Known = []
    count, missing, all_ = 0, dict(cases or {}), iter(histories)
    for history in all_:
        found = MADE(questions, history)
        wrong = _first_wrong(student, found, asked)
        if wrong is not None:
            if not explains(student):
                raise Wrong("a wrong answer", call=wrong.call)
            raise _plainest(student, chain([history], all_), questions, guesses or {})
        count += len(found)
        for name in [name for name, is_one in missing.items() if any(map(is_one, found))]:
            del missing[name]
    assert not missing, f"no question was about {', '.join(missing)}"
    assert count >= least, f"the histories gave {count} questions, {least} are needed"
    RIGHT_ANSWERS.note(student, asked)
    return count


def judge_all(student: Any, questions: Iterable[Question], guesses: Guesses | None = None) -> int:
    """Ask every question; return how many. Raises Wrong for the first wrong answer."""
    __tracebackhide__ = True
    if known := RIGHT_ANSWERS.ask(student):
        return known
    found, asked = list(questions), Known()
    wrong = _first_wrong(student, found, asked)
    if wrong is not None:
        if not explains(student):
            raise Wrong("a wrong answer", call=wrong.call)
        raise _explained(student, wrong, found, guesses or {})
    assert found, "there was nothing to ask"
    RIGHT_ANSWERS.note(student, asked)
    return len(found)


def _first_wrong(
    student: Any, questions: list[Question], asked: Known | None = None
) -> Question | None:
    """Return the first question with a wrong answer, None if all are right; `asked` takes what was
    asked of a box, with what is right."""
    calls = [(each.function, each.args) for each in questions]
    boxed = isinstance(student, BoxedStudent) and asked is not None
    more = ([each.right for each in questions], asked) if boxed else ()
    with closing(student.each(calls, *more)) as answers:
        pairs = zip(questions, answers, strict=True)
        return next((each for each, answer in pairs if not _right(each, answer)), None)


def _right(question: Question, answer: Any) -> bool:
    if not isinstance(answer, StudentError):
        return answer is RIGHT or same(question.right, answer)
    if answer.is_stub:
        raise answer
    return False


def _ask(student: Any, question: Question) -> Any:
    return getattr(student, question.function)(*question.args)


def _plainest(
    student: Any,
    histories: Iterable[History],
    questions: Callable[[History], Iterable[Question]],
    guesses: Guesses,
) -> Wrong:
    """Return what is wrong, shown by the plainest of the first FEW histories with a wrong answer:
    that with the verbs that are taught first, then the shortest."""
    wrong = (each for each in histories if _first_wrong(student, list(questions(each))) is not None)
    pairs = [(each, _shrunk(student, each, questions)) for each in islice(wrong, FEW)]
    history, short = min(pairs, key=lambda pair: (taught(pair[1]), len(pair[1].ops)))
    found = list(questions(short))
    question = _first_wrong(student, found)
    assert question is not None, "a shrunk history shows what the whole one showed"
    wrong_answer = _explained(student, question, [*found, *questions(history)], guesses)
    return replace(wrong_answer, history=replace(short, title=""))


def _shrunk(
    student: Any, history: History, questions: Callable[[History], Iterable[Question]]
) -> History:
    """Return `history` shrunk. No operation of it fails that did not before: what a question takes
    for granted still holds. A student's code may be slow: it is called MOST_CALLS times at most."""
    most, left = _errors(history), MOST_CALLS

    def wrong(shorter: History) -> bool:
        nonlocal left
        if left <= 0 or _errors(shorter) > most:
            return False
        found = list(questions(shorter))
        left -= len(found)
        return _first_wrong(student, found) is not None

    return with_plain_arguments(shrink(history, wrong), wrong)


def _errors(history: History) -> int:
    """Return how many operations of a history fail."""
    return sum(bool(outcome.error) for outcome in run(history).outcomes)


def taught(history: History) -> int:
    """Return the notebook that teaches the last of the verbs that a history uses."""
    return max((TAUGHT.get(op.verb, max(TAUGHT.values()) + 1) for op in history.ops), default=0)


def _explained(student: Any, question: Question, all_: list[Question], guesses: Guesses) -> Wrong:
    """Return what is wrong with the answer to `question`; `all_` are questions on which a known
    mistake must give the same answers as the student to be named."""
    try:
        answer = _ask(student, question)
    except StudentError as error:
        printed = printed_by_call(student)
        if error.changed_argument:
            return Wrong(
                error.message, question.about, question.call, guess=IN_PLACE, printed=printed
            )
        what = f"your code raised {error}" + (f"\n{error.code}" if error.code else "")
        right = _shown(question, question.right)
        return Wrong(what, question.about, question.call, right, "an error", printed=printed)
    printed = printed_by_call(student)
    return Wrong(
        difference(question.right, answer),
        question.about,
        question.call,
        _shown(question, question.right),
        _shown(question, answer),
        guess_of(student, all_, guesses),
        bits=_bits(question.show, question.right, answer),
        printed=printed,
    )


def guess_of(student: Any, questions: list[Question], guesses: Guesses) -> str:
    """Return the message of the first known mistake that answers all questions as `student`."""
    mine = [(each, _answer(student, each)) for each in questions]
    for message, guess in guesses.items():
        if all(_same(guess(each.args, each.right), answer) for each, answer in mine):
            return message
    return ""


def _answer(student: Any, question: Question) -> Any:
    try:
        return _ask(student, question)
    except StudentError as error:
        return {error.kind}


def _same(expected: Any, answer: Any) -> bool:
    try:
        return same(expected, answer)
    except NotPlain:
        return False


def difference(expected: Any, answer: Any) -> str:
    """Say in one sentence how `answer` differs: type, then length, then content, then order."""
    expected, answer = without_sequence_types(expected), without_sequence_types(answer)
    if type(expected) is not type(answer):
        wanted = "None" if expected is None else _article(_kind(expected))
        return f"{wanted} is expected, yours is {_article(_kind(answer))}"
    if isinstance(expected, list):
        return _list_difference(expected, answer)
    return "the answer is wrong"


def _list_difference(expected: list[Any], answer: list[Any]) -> str:
    if len(expected) != len(answer):
        return f"{len(expected)} items are expected, yours has {len(answer)}"
    pairs = zip(expected, answer, strict=True)
    bad = [at for at, (want, got) in enumerate(pairs) if not _same(want, got)]
    if len(bad) > 1 and sorted(map(repr, expected)) == sorted(map(repr, answer)):
        return "the items are right, their order is not"
    first = bad[0] if bad else 0
    inner = difference(expected[first], answer[first])
    kind = type(expected[first]) is not type(answer[first])
    return f"item {first} is wrong" + (f": {inner}" if kind else "")


def _kind(value: Any) -> str:
    names = {"list": "sequence", "NoneType": "None (a forgotten return?)"}
    return names.get(type(value).__name__, type(value).__name__)


def _article(kind: str) -> str:
    if kind.startswith("None"):
        return kind
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _bits(show: Callable[[Any], str], expected: Any, answer: Any) -> str:
    """Say which bits of the first wrong word differ; '' if `show` is not about words."""
    tell = getattr(show, "bits", None)
    return tell(expected, answer) if tell is not None else ""


def _shown(question: Question, value: Any) -> str:
    try:
        text = question.show(without_sequence_types(value))
    except (TypeError, ValueError):
        text = repr(value)
    return _cut(text)


def _pasted(value: Any) -> str:
    """Write an argument as Python: hex where it is long, arrays as arrays, tuples as tuples."""
    if isinstance(value, np.ndarray) and value.ndim > 1:
        return f"<array of {' × '.join(map(str, value.shape))}>"
    if isinstance(value, np.ndarray):
        kind = "" if value.dtype == np.int64 else f", np.{value.dtype}"
        kind = ", int" if not value.size and not kind else kind
        return _cut(f"np.array({_items(value.tolist())}{kind})")
    if isinstance(value, list | tuple):
        inner = ", ".join(map(_pasted, value))
        ends = "[]" if isinstance(value, list) else "()"
        comma = "," if len(value) == 1 and ends == "()" else ""
        return _cut(f"{ends[0]}{inner}{comma}{ends[1]}")
    if type(value) is int and value >= HEX_FROM:
        return f"{value:#x}"
    return _cut(repr(value))


def _items(values: list[Any]) -> str:
    """Write the items of an array: [1, 2] + [0] * 62."""
    parts: list[tuple[list[str], int]] = []
    for text, same_ in groupby(map(_pasted, values)):
        times = len(list(same_))
        if times >= RUN:
            parts.append(([text], times))
        elif parts and parts[-1][1] == 1:
            parts[-1][0].extend([text] * times)
        else:
            parts.append(([text] * times, 1))
    texts = [f"[{', '.join(some)}]" + (f" * {times}" if times > 1 else "") for some, times in parts]
    return " + ".join(texts) or "[]"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def load_beside(here: str, path: str) -> ModuleType:
    """Return the module in the file `path`, seen from the folder of the file `here`."""
    return load_tests((Path(here).parent / path).resolve())


def load_tests(path: Path) -> ModuleType:
    """Return the module in a test file, loaded anew; FileNotFoundError if there is none."""
    if not path.is_file():
        raise FileNotFoundError(f"the tests of this exercise are missing: {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None, path
    assert spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

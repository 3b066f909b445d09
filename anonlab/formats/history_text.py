"""The text form of histories: one operation per line, read and written by the table of verbs.

    # Everything after a # is a comment; a comment on the first line is the title.
    machine lesson frames 64 swap 16
    shell = spawn
    shell mmap 0x30000 4
    child = fork shell

Numbers are whole, not negative, in decimal or hex (`12`, `0x30_000`). A mistake raises FormatError
with the number of the line, the word, and what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from anonlab.errors import FormatError
from anonlab.formats.history import (
    ADVICES,
    ANY,
    PROTS,
    VERBS,
    Arg,
    History,
    KnownNames,
    Machine,
    Op,
    check_machine,
    name_problem,
    op_problem,
    value_problem,
)

_NUMBER = re.compile(r"(?:0[xX](?:_?[0-9a-fA-F])+|0|[1-9](?:_?[0-9])*)\Z")
_SHOWN = {
    "addr": "ADDR",
    "where": "ADDR|any",
    "pages": "PAGES",
    "int": "N",
    "name": "NAME",
    "prot": "|".join(PROTS),
    "advice": "|".join(ADVICES),
}
_LONGEST = 40
"""Characters of a wrong word that a message shows."""


def usage(verb: str) -> str:
    """Return how `verb` is written: 'WHO munmap ADDR PAGES'."""
    form = VERBS[verb].form
    words = {"who": ["WHO", verb], "new": ["NAME", "=", verb], "machine": [verb]}[form]
    for arg in VERBS[verb].args:
        shown = f"{arg.keyword} {_shown(arg)}".strip() if arg.kind != "flag" else arg.keyword
        words.append(f"[{shown}]" if arg.optional else shown)
    return " ".join(words)


def _shown(arg: Arg) -> str:
    return arg.name.upper() if arg.kind in ("name", "int") else _SHOWN[arg.kind]


def parse(text: str, title: str = "") -> History:
    """Return the history that `text` says.

    title   for people; without one, the comment on the first line is taken
    raises  FormatError with the line of the first mistake: a word that is not understood, a name
            used before it is defined, a name defined twice
    """
    machine: Machine | None = None
    ops: list[Op] = []
    names = KnownNames()
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        words = _words(line)
        if not words:
            continue
        try:
            if words[0] == "machine":
                machine = _machine(words, first=machine is None and not ops)
                continue
            op = _op(words, number)
            if problem := names.problem(op):
                raise FormatError(problem)
        except FormatError as error:
            raise FormatError(str(error), number) from None
        ops.append(op)
    first = lines[0].strip()
    if not title and first.startswith("#"):
        title = " ".join(first[1:].split())
    return History(tuple(ops), machine or Machine(), title)


def parse_op(line: str, number: int, names: KnownNames) -> Op | None:
    """Return the operation that one line says, None for a line without words.

    number  of the line in its text, from 1
    names   what the lines before it have defined; learns the new name
    raises  FormatError with the number of the line; `names` is as before then
    """
    words = _words(line)
    if not words:
        return None
    try:
        if words[0] == "machine":
            _machine(words, first=False)
        op = _op(words, number)
        if problem := names.problem(op):
            raise FormatError(problem)
    except FormatError as error:
        raise FormatError(str(error), number) from None
    return op


def _words(line: str) -> list[str]:
    return line.partition("#")[0].replace("=", " = ").split()


def format(history: History) -> str:  # noqa: A001  parse and format are a pair
    """Return the text of `history`; `parse` reads it back as an equal history.

    raises  FormatError if an operation cannot be written: it names the operation
    """
    check_machine(history.machine)
    machine = history.machine
    title = " ".join(history.title.split())
    lines = [f"# {title}"] if title else []
    limit = f" tables {machine.tables}" if machine.tables else ""
    lines.append(f"machine {machine.geometry} frames {machine.frames} swap {machine.swap}{limit}")
    names = KnownNames()
    for number, op in enumerate(history.ops):
        if problem := op_problem(op) or names.problem(op):
            raise FormatError(f"operation {number}: {problem}")
        lines.append(format_op(op))
    return "\n".join(lines) + "\n"


def format_op(op: Op) -> str:
    """Return the line of text that says `op`."""
    verb = VERBS[op.verb]
    words = {"who": [op.who, op.verb], "new": [op.who, "=", op.verb], "machine": [op.verb]}
    line = list(words[verb.form])
    for arg in verb.args:
        if arg.name in op.args:
            line += [arg.keyword] if arg.keyword else []
            line += [] if arg.kind == "flag" else [_written(arg, op.args[arg.name])]
    return " ".join(line)


def _written(arg: Arg, value: int | str | bool) -> str:
    if arg.kind == "where" and value == ANY:
        return "any"
    return f"0x{value:x}" if arg.kind in ("addr", "where") else str(value)


# -- reading one line ---------------------------------------------------------------------------


def _op(words: list[str], number: int) -> Op:
    """Return the operation that the `words` of line `number` say."""
    who, verb, rest = _who_and_verb(words)
    if who and (problem := name_problem(who)):
        raise FormatError(problem)
    return Op(verb, who, _args(verb, rest), number)


def _who_and_verb(words: list[str]) -> tuple[str, str, list[str]]:
    """Split a line into who (or the new name), the verb and the words after it."""
    if len(words) > 1 and words[1] == "=":
        if len(words) == 2:
            raise FormatError(f"after '{_short(words[0])} =' a verb is missing: {_verbs('new')}")
        verb = _known(words[2], "new")
        return words[0], verb, words[3:]
    if words[0] in VERBS:
        verb = _known(words[0], "machine")
        return "", verb, words[1:]
    if len(words) == 1:
        raise FormatError(f"{_short(words[0])!r} alone says nothing: {_guess(words[0], VERBS)}")
    verb = _known(words[1], "who")
    return words[0], verb, words[2:]


def _known(verb: str, form: str) -> str:
    """Return `verb` if it is known and written in `form`, else say how it is written."""
    if verb not in VERBS:
        near = _near(verb, VERBS)
        right = f"did you mean: {usage(near[0])}" if near else f"known are {_verbs(form)}"
        raise FormatError(f"unknown verb {_short(verb)!r}: {right}")
    if VERBS[verb].form != form:
        raise FormatError(f"{verb!r} is written: {usage(verb)}")
    return verb


def _args(verb: str, words: list[str]) -> dict[str, int | str | bool]:
    """Return the arguments that `words` give to `verb`."""
    args = VERBS[verb].args
    keywords = {arg.keyword: arg for arg in args if arg.keyword}
    given: dict[str, int | str | bool] = {}
    rest = list(reversed(words))
    for arg in args:
        if arg.keyword or (arg.optional and (not rest or rest[-1] in keywords)):
            continue
        given[arg.name] = _value(verb, arg, _next(verb, arg, rest))
    while rest:
        word = rest.pop()
        found = keywords.get(word)
        if found is None:
            hint = _guess(word, keywords) if keywords else "nothing more belongs here"
            raise FormatError(f"{_short(word)!r} is not understood: {hint}; write: {usage(verb)}")
        if found.name in given:
            raise FormatError(f"{word!r} stands twice; write: {usage(verb)}")
        flag = found.kind == "flag"
        given[found.name] = flag or _value(verb, found, _next(verb, found, rest))
    return {arg.name: given[arg.name] for arg in args if arg.name in given}


def _next(verb: str, arg: Arg, rest: list[str]) -> str:
    if not rest:
        raise FormatError(f"{_shown(arg)} is missing; write: {usage(verb)}")
    return rest.pop()


def _value(verb: str, arg: Arg, word: str) -> int | str:
    """Return the value that `word` gives to `arg`; raises FormatError with the right form."""
    value: int | str = word
    if arg.kind in ("prot", "advice"):
        words = [*(PROTS if arg.kind == "prot" else ADVICES), *_keywords(verb)]
        problem = "" if not value_problem(arg, word) else f"{_short(word)!r}: {_guess(word, words)}"
    elif arg.kind == "name":
        problem = value_problem(arg, word)
    elif arg.kind == "where" and word == "any":
        return ANY
    else:
        value, problem = _number(arg, word)
    if problem:
        raise FormatError(f"{problem}; write: {usage(verb)}")
    return value


def _keywords(verb: str) -> list[str]:
    return [arg.keyword for arg in VERBS[verb].args if arg.keyword]


def _number(arg: Arg, word: str) -> tuple[int, str]:
    """Return the number that `word` says and what is wrong with it."""
    if word.startswith("-"):
        return 0, f"{_short(word)!r} is negative, {_shown(arg)} is not"
    if len(word) > _LONGEST or not _NUMBER.match(word):
        return 0, f"{_short(word)!r} is no number: {_shown(arg)} is decimal (12) or hex (0x30000)"
    number = int(word, 0)
    return number, f"{word!r} is above 2**63 - 1" if value_problem(arg, number) else ""


def _machine(words: list[str], first: bool) -> Machine:
    """Return the machine that the first line says."""
    if not first:
        raise FormatError("'machine' stands once, before every operation")
    write = "write: machine lesson|x86_32|x86_64 [frames N] [swap N] [tables N]"
    numbers = {name: getattr(Machine, name) for name in ("frames", "swap", "tables")}
    if len(words) % 2 or words[2::2] != list(dict.fromkeys(words[2::2])):
        raise FormatError(f"words are missing or stand twice; {write}")
    for word, value in zip(words[2::2], words[3::2], strict=True):
        if word not in numbers:
            raise FormatError(f"{_short(word)!r}: {_guess(word, numbers)}; {write}")
        numbers[word], problem = _number(Arg(word, "int"), value)
        if problem:
            raise FormatError(f"{problem}; {write}")
    machine = Machine(words[1], **numbers)
    check_machine(machine)
    return machine


# -- words for messages -------------------------------------------------------------------------


def _short(word: str) -> str:
    return word if len(word) <= _LONGEST else word[:_LONGEST] + "…"


def _verbs(form: str) -> str:
    return ", ".join(name for name, verb in VERBS.items() if verb.form == form)


def _near(word: str, known: Iterable[str]) -> list[str]:
    """Return the one of the `known` words that is most like `word`, if any is."""
    from difflib import get_close_matches  # needed for mistakes only, and slow to import

    return get_close_matches(word[:_LONGEST], list(known), n=1)


def _guess(word: str, known: Iterable[str]) -> str:
    """Return which of the `known` words may have been meant."""
    near = _near(word, known)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"

"""Histories that the table of verbs allows, whatever they mean."""

from __future__ import annotations

from hypothesis import strategies as st

from anonlab.formats.history import (
    ADVICES,
    ANY,
    INT_MAX,
    PROTS,
    VERBS,
    Arg,
    History,
    Machine,
    Op,
)

NAMES = st.builds(str.__add__, st.sampled_from("aZ_/ä"), st.text("a9._/+@:-ß", max_size=6))
NUMBERS = st.one_of(st.integers(0, 64), st.integers(0, INT_MAX))
TITLES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=20)
MACHINES = st.builds(
    Machine,
    st.sampled_from(("lesson", "x86_32", "x86_64")),
    st.integers(2, 1 << 31),
    st.integers(0, 1 << 31),
    st.sampled_from((0, 1, 1 << 31)),
)


def value(draw: st.DrawFn, arg: Arg, processes: list[str], files: list[str]) -> int | str | bool:
    known = {"parent": processes, "file": files, "program": ["sh", "file", "spawn", "args"]}
    if arg.kind == "name":
        return draw(st.sampled_from(known[arg.name]))
    words = {"prot": PROTS, "advice": ADVICES, "flag": (True,)}
    if arg.kind in words:
        return draw(st.sampled_from(words[arg.kind]))
    return draw(st.one_of(st.just(ANY), NUMBERS) if arg.kind == "where" else NUMBERS)


@st.composite
def histories(draw: st.DrawFn, verbs: tuple[str, ...] = tuple(VERBS)) -> History:
    names = [f"{draw(NAMES)}{number}" for number in range(6)]
    processes, files = [names.pop()], [names.pop()]
    ops = [Op("spawn", processes[0], {}), Op("file", files[0], {"pages": draw(NUMBERS)})]
    for name in draw(st.lists(st.sampled_from(verbs), max_size=4)):
        verb = VERBS[name]
        given = [arg for arg in verb.args if not arg.optional or draw(st.booleans())]
        args = {arg.name: value(draw, arg, processes, files) for arg in given}
        who = {"who": draw(st.sampled_from(processes)), "machine": ""}.get(verb.form)
        if who is None:
            who = names.pop()
            (files if name == "file" else processes).append(who)
        ops.append(Op(name, who, args))
    return History(tuple(ops), draw(MACHINES), draw(TITLES))

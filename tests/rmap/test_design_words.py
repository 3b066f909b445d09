"""What designs say of steps: true for the design, and fit for the places where labels are shown."""

from __future__ import annotations

import string

import pytest

from anonlab import DESIGNS, LESSON, Kernel, record
from anonlab.formats.labels import LABELS, sentence
from anonlab.histories import library

OWN = [(name, label) for name, design in DESIGNS.items() for label in design.words]


@pytest.mark.parametrize(("name", "label"), OWN)
def test_a_design_says_its_own_words_in_the_place_of_a_known_label(name, label):
    words, usual = DESIGNS[name].words[label], LABELS[label]
    assert words != usual
    assert words.title.partition(":")[0] == usual.title.partition(":")[0], "the same operation"
    assert words.source, "what the step stands for"
    known = {"who", "where", "n", "what"}
    assert {field for _, field, _, _ in string.Formatter().parse(words.sentence) if field} <= known
    for n in (1, 3):
        text = sentence(words, "shell", "0x30000", n, "ls")
        assert text.endswith(".")
        assert not set(text) & set("[]|{}")


@pytest.mark.parametrize("name", [name for name in DESIGNS if name != "anongroup"])
def test_no_other_design_talks_of_the_anon_memory_group(name):
    for history in library.names():
        for step in record(library.load(history), name).steps:
            said = f"{step.title}: {step.sentence}"
            # A fork group is what Rik van Riel's space belongs to.
            assert " group" not in said.replace("fork group", ""), said
            quoted = "mail of 13 March 2004" in step.source
            assert not quoted or step.label in ("fault.file",), f"{step.label}: {step.source}"


@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_says_what_it_is(name):
    design = DESIGNS[name]
    assert design.name == name
    assert 2002 <= design.year <= 2026
    assert design.lock
    assert design.__doc__
    assert str(design.year) in (design_module_doc(name)), "its file tells its history"
    assert ("KSM" in design.cannot) == (name != "pte_chain"), "only chains hold any page"
    assert design.owners in {"", *design.sizes}
    small, large = zip(*design.sizes.values(), strict=True)
    assert all(a < b for a, b in zip(small, large, strict=True)), "pointers grew to 64 bits"


def design_module_doc(name: str) -> str:
    import sys

    return sys.modules[DESIGNS[name].__module__].__doc__ or ""


@pytest.mark.parametrize("name", DESIGNS)
def test_graph_nodes_are_named_once_and_edges_join_them(name):
    kernel = Kernel(name, geometry=LESSON)
    shell = kernel.spawn("shell")
    heap = shell.mmap(6 * 4096, at=0x30000)
    shell.write_range(heap, range(6))
    child = shell.fork("child")
    child.mremap(heap, 3 * 4096, new=0x80000)
    child.fork("grandchild").write(0x81000, 9)
    shell.exit()
    nodes, edges = kernel.design.graph()
    ids = [node.id for node in nodes]
    assert len(ids) == len(set(ids)) > 0
    assert {end for edge in edges for end in (edge.tail, edge.head)} <= set(ids)
    homes = {kernel.design.home(mm) for mm in kernel.mms.values()} - {""}
    assert homes <= set(ids)

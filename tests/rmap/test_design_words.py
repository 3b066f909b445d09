"""What designs say of steps: true for the design, and fit for the places where labels are shown."""

from __future__ import annotations

import re
import string

import pytest
from project import ROOT

from anonlab import DESIGNS, LESSON, Kernel, record
from anonlab.formats.labels import LABELS, Label, sentence
from anonlab.formats.trace import Step
from anonlab.histories import library

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
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
        text = sentence(words.sentence, "shell", "0x30000", "0x31000", n, "ls")
        assert text.endswith(".")
        assert not set(text) & set("[]|{}")


@pytest.mark.parametrize("name", [name for name in DESIGNS if name != "anongroup"])
def test_no_other_design_talks_of_the_anon_memory_group(name):
    wrong: dict[str, str] = {}
    for history in library.names():
        wrong.update(
            (step.label, f"{step.title}: {step.sentence} [{step.source}]")
            for step in record(library.load(history), name).steps
            if talks_of_the_group(step.label, step)
        )
    assert wrong == {}, f"{name} needs words of its own for these labels"


def talks_of_the_group(name: str, words: Step | Label) -> bool:
    """True if the words of the label `name` are the anon memory group's. A fork group is what Rik
    van Riel's space belongs to, and pages of files are every design's."""
    said = f"{words.title}: {words.sentence}".replace("fork group", "")
    quoted = "mail of 13 March 2004" in words.source and name != "fault.file"
    return quoted or " group" in said


def test_contributing_lists_the_labels_that_need_words_of_their_own():
    asked = {name for name, label in LABELS.items() if talks_of_the_group(name, label)}
    (listed,) = re.findall(r"`words` for the labels (.*?)\.\s", CONTRIBUTING, re.DOTALL)
    assert set(re.findall(r"`([\w.]+)`", listed)) == asked


@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_says_what_it_is(name):
    design = DESIGNS[name]
    assert design.name == name
    assert design.lock
    assert design.__doc__
    assert str(design.year) in (design_module_doc(name)), "its file tells its history: the year"
    assert ("KSM" in design.cannot) != design.exact, (
        "a page of KSM has any address anywhere: a design that writes down each place can hold it, "
        "any other says in `cannot` why not"
    )
    assert design.owners in {"", *design.sizes}, "`owners` is '' or a key of `sizes`"
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

"""What a design says of itself: to people, to pictures, and to the checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from anonlab.formats.labels import Label
from anonlab.formats.snapshot import Edge, Node
from anonlab.machine.words import Ints, Pfns, Vpns
from anonlab.mm import Mm


class Description:
    """What a design is called, what it keeps, and what it promises.

    name           what people call it: Kernel(design=name)
    year           when it was proposed
    lock           the lock that a walk takes
    sizes          bytes of each kind of object it makes, (32-bit, 64-bit)
    owners         the kind of object that mem_map.mapping names: a group, an anon_vma, …
    words          labels of steps that read differently under this design: {label: Label}, or a
                   speaker of the catalogue (formats/labels.py)
    cannot         what this design cannot represent, by name, and why
    copies_on_mremap  mremap of a shared page copies it; under the others it must copy nothing
    keeps_mapping  mem_map.mapping stays when a page is mapped nowhere; nobody may follow it then
    syscalls       'whole': a call that fails has done nothing; 'today': as Linux 6.18 does them,
                   which also moves several VMAs at once (anonlab/kernel/syscalls.py)
    exact          candidates never names a place that does not map the page
    stays_in_family  candidates names only address spaces that forks since one execve connect
    version        changes whenever `graph`, `mapping_names` or `home` may say something else, or
                   `candidates` for another reason than a change of the page itself
    """

    name = ""
    year = 0
    lock = ""
    sizes: ClassVar[Mapping[str, tuple[int, int]]] = {}
    owners: ClassVar[str] = ""
    words: ClassVar[Mapping[str, Label]] = {}
    cannot: ClassVar[Mapping[str, str]] = {}
    copies_on_mremap = False
    keeps_mapping = False
    syscalls = "whole"
    exact = False
    stays_in_family = False
    version = 0

    def home(self, mm: Mm) -> str:
        """Return the graph node id of what the design keeps for `mm`, '' if nothing."""
        return ""

    def mapping_names(self) -> Iterable[tuple[int, str]]:
        """Return (number in mem_map.mapping, its name) for every object of the design."""
        return ()

    def graph(self) -> tuple[list[Node], list[Edge]]:
        """Return the design's own structure as nodes and edges, in a stable order."""
        return [], []

    def check(self, mms: Mapping[int, Mm], numbers: Ints, vpns: Vpns, pfns: Pfns) -> None:
        """Raise AssertionError if what the design says of these pages is wrong.

        mms                  the live address spaces by number
        numbers, vpns, pfns  int64[n]: every mapping, as a scan of all page tables found them, of
                             some anonymous pages: of those that changed, or of all
        """

    def check_structure(self, mms: Mapping[int, Mm]) -> None:
        """Raise AssertionError if the design's own structure breaks its rules, whatever is mapped.

        mms  the live address spaces by number
        """

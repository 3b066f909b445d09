"""Any sequence of mmap, munmap, mprotect, mlock and mremap against a dictionary page -> attributes.

The dictionary knows no VMAs: those it should have are the longest runs of pages with the same
attributes, so that splitting and merging are checked as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from watched import PAGE, STEADY

from anonlab import (
    BadAddress,
    BusError,
    InvalidArgument,
    Kernel,
    OutOfMemory,
    SegmentationFault,
)
from anonlab.formats.snapshot import VmaFact

FIRST, LAST = 0x30, 0x48
"""Page numbers that the operations name; what the kernel chooses lies elsewhere, from 0x55 on."""


@dataclass(frozen=True)
class Attributes:
    """What holds for one page; `pgoff` counts only for files. `accounted` is VM_ACCOUNT, and
    `written` that its area has an anon_vma, which does not keep areas apart."""

    prot: str
    shared: bool = False
    file: str = ""
    pgoff: int = 0
    locked: bool = False
    accounted: bool = False
    written: bool = field(default=False, compare=False)

    def at(self, steps: int) -> Attributes:
        """The same, `steps` pages on."""
        return replace(self, pgoff=self.pgoff + steps) if self.file else self


class Pages:
    """The dictionary, with one method per operation; each says which error is right, or None."""

    def __init__(self) -> None:
        self.pages: dict[int, Attributes] = {}
        self.npages = {"f": 40}
        self.nshmem = 0

    def mmap(self, vpn: int, n: int, what: Attributes) -> None:
        if what.shared and not what.file:
            self.nshmem += 1
            what = replace(what, file=f"shmem{self.nshmem}")
            self.npages[what.file] = n
        what = replace(what, accounted=what.prot == "rw-" and not what.shared)
        self.pages |= {vpn + i: what.at(i) for i in range(n)}

    def munmap(self, vpn: int, n: int) -> None:
        for page in range(vpn, vpn + n):
            self.pages.pop(page, None)

    def change(self, vpn: int, n: int, **values: object) -> type[Exception] | None:
        inside = [self.pages.get(page) for page in range(vpn, vpn + n)]
        if None in inside:
            return OutOfMemory
        if values == {"locked": True} and any(
            one.prot == "---" or (one.file and one.pgoff >= self.npages[one.file])
            for one in inside
            if one is not None
        ):
            return OutOfMemory
        writable = [
            page
            for page in range(vpn, vpn + n)
            if self.pages[page].locked and self.pages[page].prot != "rw-"
        ]
        for page in range(vpn, vpn + n):
            self.pages[page] = replace(self.pages[page], **values)
            if "prot" in values:
                self.pages[page] = self.accounted(self.pages[page])
        if values == {"locked": True}:
            self.fill(range(vpn, vpn + n))
        for page in writable if values == {"prot": "rw-"} else ():
            self.fill(range(page, page + 1))
        return None

    @staticmethod
    def accounted(page: Attributes) -> Attributes:
        """Private memory counts once it is writable; anonymous memory that cannot be written and
        never was does not."""
        if page.prot == "rw-" and not page.shared:
            return replace(page, accounted=True)
        return page if page.file or page.written else replace(page, accounted=False)

    def fill(self, vpns: range) -> None:
        """Give every area of private writable memory that has one of these pages an anon_vma."""
        for run in self.runs():
            private = run.prot == "rw-" and not run.shared
            if private and run.start_vpn < vpns.stop and run.end_vpn > vpns.start:
                self.write(range(run.start_vpn, run.end_vpn))

    def write(self, vpns: range, written: bool = True) -> None:
        for page in vpns:
            self.pages[page] = replace(self.pages[page], written=written)

    def share(self) -> None:
        """An area has one anon_vma for all its pages, whatever it was made of."""
        for run in self.runs():
            pages = range(run.start_vpn, run.end_vpn)
            self.write(pages, any(self.pages[page].written for page in pages))

    def touch(self, vpn: int) -> type[Exception] | None:
        """A write of one page."""
        page = self.pages.get(vpn)
        if page is None or page.prot != "rw-":
            return SegmentationFault
        if page.file and page.pgoff >= self.npages[page.file]:
            return BusError
        self.fill(range(vpn, vpn + 1))
        return None

    def runs(self) -> list[VmaFact]:
        """The VMAs there should be: nothing can be merged any more."""
        found: list[VmaFact] = []
        for vpn in sorted(self.pages):
            one = self.pages[vpn]
            last = found[-1] if found else None
            if last and last.end_vpn == vpn and self.pages[vpn - 1].at(1) == one:
                found[-1] = last._replace(end_vpn=vpn + 1)
            else:
                pgoff = one.pgoff if one.file else vpn
                found.append(
                    VmaFact(vpn, vpn + 1, one.prot, one.shared, one.file, pgoff, one.locked, False)
                )
        return found

    def mremap(
        self, vpn: int, n: int, new_n: int, new: int | None, dontunmap: bool
    ) -> type[Exception] | None:
        """None if it works; then `move` or `resize` says what it does."""
        run = [run for run in self.runs() if run.start_vpn <= vpn < run.end_vpn]
        if dontunmap and n != new_n:
            return InvalidArgument
        if new is not None and new < vpn + n and vpn < new + new_n:
            return InvalidArgument
        in_place = new is None and not dontunmap and new_n <= n
        if not run or run[0].end_vpn < vpn + (1 if in_place else min(n, new_n)):
            return BadAddress
        return None

    def in_place(self, vpn: int, n: int, new_n: int) -> bool:
        """Whether a range can be resized where it is."""
        tail = all(page not in self.pages for page in range(vpn + n, vpn + new_n))
        return new_n <= n or tail

    def resize(self, vpn: int, n: int, new_n: int) -> None:
        self.munmap(vpn + new_n, n - new_n)
        if new_n > n:
            last = self.pages[vpn + n - 1]
            self.pages |= {vpn + n + i: last.at(i + 1) for i in range(new_n - n)}
            self.fill(range(vpn + n, vpn + new_n) if last.locked else range(0))

    def move(self, vpn: int, n: int, new_n: int, new: int, dontunmap: bool) -> None:
        head = self.pages[vpn]
        whole = any((run.start_vpn, run.end_vpn) == (vpn, vpn + n) for run in self.runs())
        if dontunmap:  # the whole area is unlocked, whatever is moved
            (run,) = (run for run in self.runs() if run.start_vpn <= vpn < run.end_vpn)
            self.change(run.start_vpn, run.end_vpn - run.start_vpn, locked=False)
            if whole:
                self.write(range(vpn, vpn + n), written=False)
        else:
            self.munmap(vpn, n)
        self.pages |= {new + i: head.at(i) for i in range(new_n)}
        self.fill(range(new + n, new + new_n) if head.locked else range(0))


vpns = st.integers(FIRST, LAST)
lengths = st.integers(1, 6)
prots = st.sampled_from(["r--", "rw-", "---", "r-x"])
attributes = st.one_of(
    st.builds(Attributes, prots),
    st.builds(Attributes, prots, st.just(True)),
    st.builds(Attributes, prots, st.booleans(), st.just("f"), st.integers(0, 5)),
)


def in_line(operation: tuple) -> tuple:
    """Let half of the file mappings lie so that neighbours continue each other."""
    call, vpn, n, what = operation
    return call, vpn, n, replace(what, pgoff=vpn - FIRST) if what.pgoff % 2 else what


operations = st.one_of(
    st.tuples(st.just("mmap"), vpns, lengths, attributes).map(in_line),
    st.tuples(st.just("munmap"), vpns, lengths),
    st.tuples(st.just("mprotect"), vpns, lengths, prots),
    st.tuples(st.sampled_from(["mlock", "munlock"]), vpns, lengths),
    st.tuples(st.just("write"), vpns, st.just(1)),
    st.tuples(
        st.just("mremap"),
        vpns,
        lengths,
        lengths,
        st.none() | vpns,
        st.integers(0, 4).map(lambda n: n == 0),
    ),
)


def do(kernel: Kernel, truth: Pages, operation: tuple) -> None:
    """One operation on both sides; they must agree whether it works."""
    task, (call, vpn, n, *rest) = kernel.processes["p"], operation
    if call == "mmap":
        (what,) = rest
        file, offset = kernel.files.get(what.file), what.pgoff * PAGE
        prot = what.prot.replace("-", "") or "none"
        task.mmap(n * PAGE, vpn * PAGE, prot, what.shared, file, offset, fixed=True)
        truth.mmap(vpn, n, what)
    elif call == "munmap":
        task.munmap(vpn * PAGE, n * PAGE)
        truth.munmap(vpn, n)
    elif call == "mremap":
        remap(kernel, truth, vpn, n, *rest)
    elif call == "write":
        if error := truth.touch(vpn):
            with pytest.raises(error):
                task.write(vpn * PAGE, 1)
        else:
            task.write(vpn * PAGE, 1)
    else:
        values = {"mprotect": {"prot": rest and rest[0]}}.get(call, {"locked": call == "mlock"})
        error = truth.change(vpn, n, **values)
        arguments = [rest[0].replace("-", "") or "none"] if rest else []
        if error:
            with pytest.raises(error):
                getattr(task, call)(vpn * PAGE, n * PAGE, *arguments)
        else:
            getattr(task, call)(vpn * PAGE, n * PAGE, *arguments)


def remap(
    kernel: Kernel, truth: Pages, vpn: int, n: int, new_n: int, new: int | None, dontunmap: bool
) -> None:
    task = kernel.processes["p"]
    options = {"new": None if new is None else new * PAGE, "dontunmap": dontunmap}
    if error := truth.mremap(vpn, n, new_n, new, dontunmap):
        with pytest.raises(error):
            task.mremap(vpn * PAGE, n * PAGE, new_n * PAGE, **options)
        return
    at = task.mremap(vpn * PAGE, n * PAGE, new_n * PAGE, **options) // PAGE
    if new is None and not dontunmap and truth.in_place(vpn, n, new_n):
        assert at == vpn
        truth.resize(vpn, n, new_n)
        return
    if new is None:
        assert not set(range(at, at + new_n)) & set(truth.pages), "that place was not free"
    else:
        assert at == new
    truth.move(vpn, n, new_n, at, dontunmap)


@given(st.lists(operations, max_size=14))
@example(
    [
        ("mmap", 48, 1, Attributes("rw-", False, "f", 0)),
        ("mmap", 49, 1, Attributes("rw-", True, "f", 1)),
    ]
)
@example([("mmap", 48, 3, Attributes("rw-")), ("mremap", 49, 1, 1, 60, True)])
@example(
    [
        ("mmap", 48, 2, Attributes("rw-")),
        ("mlock", 48, 2),
        ("mremap", 48, 2, 2, 60, True),
    ]
)
@example([("mmap", 48, 2, Attributes("r--")), ("mremap", 48, 1, 1, None, False)])
@example([("mmap", 48, 2, Attributes("r--")), ("mremap", 48, 5, 1, None, False)])
@example(
    [
        ("mmap", 48, 3, Attributes("r--")),
        ("mprotect", 49, 1, "rw-"),
        ("mprotect", 49, 1, "r--"),
        ("mprotect", 48, 2, "rw-"),
        ("write", 48, 1),
        ("mprotect", 48, 2, "r--"),
    ]
)
@example(  # who was moved away from has no pages of its own
    [
        ("mmap", 48, 1, Attributes("rw-")),
        ("mmap", 49, 1, Attributes("r--")),
        ("write", 48, 1),
        ("mremap", 48, 1, 1, 60, True),
        ("mprotect", 48, 1, "r--"),
    ]
)
@example(  # the part that was never written has its anon_vma from the whole
    [
        ("mmap", 48, 2, Attributes("rw-")),
        ("mmap", 50, 1, Attributes("r--")),
        ("write", 48, 1),
        ("mprotect", 49, 1, "r--"),
    ]
)
@example(  # so has what merged with it
    [
        ("mmap", 47, 1, Attributes("r--")),
        ("mmap", 48, 2, Attributes("rw-")),
        ("mprotect", 48, 1, "r--"),
        ("write", 49, 1),
        ("mprotect", 48, 1, "rw-"),
        ("mprotect", 48, 1, "r--"),
    ]
)
@settings(STEADY, max_examples=200)
def test_vmas_are_the_longest_runs_of_pages_with_the_same_attributes(steps):
    kernel = Kernel(frames=200)
    kernel.spawn("p")
    kernel.file("f", 40)
    truth = Pages()
    for step in steps:
        do(kernel, truth, step)
        truth.share()
        assert list(kernel.snapshot().mms[0].vmas) == truth.runs(), step
    files = {file.name for file in kernel.snapshot().files}
    assert files == {"f"} | {one.file for one in truth.pages.values() if one.file}


def test_the_model_knows_how_to_merge():
    """The check above could only fail if the dictionary's runs were right by themselves."""
    truth = Pages()
    truth.mmap(1, 2, Attributes("rw-"))
    truth.mmap(3, 2, Attributes("rw-"))
    truth.mmap(5, 2, Attributes("rw-", file="f", pgoff=0))
    truth.mmap(7, 1, Attributes("rw-", file="f", pgoff=2))
    truth.mmap(8, 1, Attributes("rw-", file="f", pgoff=2))
    runs = [(run.start_vpn, run.end_vpn, run.pgoff) for run in truth.runs()]
    assert runs == [(1, 5, 1), (5, 8, 0), (8, 9, 2)]

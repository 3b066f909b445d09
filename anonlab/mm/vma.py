"""A VMA: one stretch of an address space in which all pages follow the same rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from anonlab.formats.words import PTE_PRESENT, PTE_USER, PTE_WRITE

if TYPE_CHECKING:
    from anonlab.mm.file import File
    from anonlab.mm.mm import Mm

VM_READ = 1
VM_WRITE = 2
VM_EXEC = 4
_LETTERS = ((VM_READ, "r"), (VM_WRITE, "w"), (VM_EXEC, "x"))


def prot_of(text: str) -> int:
    """Return the VM_ bits of 'r', 'rw', 'rx', … or 'none'; ValueError for anything else."""
    letters = "" if text == "none" else text
    if not isinstance(text, str) or set(letters) - set("rwx-") or text == "":
        raise ValueError(f"prot is some of the letters r, w, x, or 'none', got {text!r}")
    return sum(bit for bit, letter in _LETTERS if letter in letters)


@cache
def prot_letters(prot: int) -> str:
    """Write VM_ bits as in /proc/PID/maps: 'rw-'."""
    return "".join(letter if prot & bit else "-" for bit, letter in _LETTERS)


@dataclass(eq=False)
class Vma:
    """Pages [start_vpn, end_vpn) of one address space (struct vm_area_struct).

    pgoff   for a file: file offset, in pages, of start_vpn; for anonymous memory what the design
            makes of it (start_vpn when nothing else is wanted)
    shared  MAP_SHARED: writes go to the file's own pages
    accounted   counts against the memory there is (VM_ACCOUNT): private, and writable or once so;
            VMAs that differ in it do not merge
    written may have pages of its own: it has an anon_vma, where the design has such a thing
    rmap    what the reverse-map design keeps here (anon_vma); the kernel only carries it
    number  its name among the VMAs that `mm` has had, from 1
    Two VMAs are the same only if they are the same object.
    """

    mm: Mm
    start_vpn: int
    end_vpn: int
    prot: int
    shared: bool = False
    file: File | None = None
    pgoff: int = 0
    locked: bool = False
    growsdown: bool = False
    accounted: bool = field(init=False)
    written: bool = False
    rmap: Any = None
    number: int = field(init=False)

    def __post_init__(self) -> None:
        self.mm.nvmas += 1
        self.number = self.mm.nvmas
        self.accounted = self.writable and not self.shared

    @property
    def npages(self) -> int:
        """Length in pages."""
        return self.end_vpn - self.start_vpn

    @property
    def writable(self) -> bool:
        """True if the program may write here."""
        return bool(self.prot & VM_WRITE)

    @property
    def page_bits(self) -> int:
        """PTE bits of a page that is mapped here without a write fault (vm_page_prot): private
        pages start write-protected, so that a write is seen first."""
        bits = PTE_PRESENT | (PTE_USER if self.prot else 0)
        return bits | (PTE_WRITE if self.shared and self.writable else 0)

    def goes_on_in(self, upper: Vma) -> bool:
        """Return whether `upper` begins where this VMA ends and has the same file, offsets and
        flags: what merging asks of two VMAs, but for access rights and the reverse map."""
        return (
            self.end_vpn == upper.start_vpn
            and self.file is upper.file
            and self.shared == upper.shared
            and self.locked == upper.locked
            and self.growsdown == upper.growsdown
            and self.accounted == upper.accounted
            and self.pgoff + self.npages == upper.pgoff
        )

    def __repr__(self) -> str:
        geometry = self.mm.geometry
        what = f" {self.file.name}+{self.pgoff}" if self.file else ""
        return (
            f"<Vma {geometry.address(self.start_vpn)}-{geometry.address(self.end_vpn)} "
            f"{prot_letters(self.prot)}{'s' if self.shared else 'p'}{what}>"
        )

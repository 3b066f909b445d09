"""What the kernel keeps of a process and of a file: VMAs, address spaces, files."""

from anonlab.mm.columns import MmColumns
from anonlab.mm.file import File
from anonlab.mm.mm import Mm
from anonlab.mm.process import Process
from anonlab.mm.vma import VM_EXEC, VM_READ, VM_WRITE, Vma, prot_letters, prot_of

__all__ = [
    "VM_EXEC",
    "VM_READ",
    "VM_WRITE",
    "File",
    "Mm",
    "MmColumns",
    "Process",
    "Vma",
    "prot_letters",
    "prot_of",
]

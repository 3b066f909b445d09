"""Questions of notebooks 06 to 09."""

from __future__ import annotations

from anonlab.course.asking.measures import cheapest, copied_in_all, merges, places_in_vain
from anonlab.course.asking.questions import BankQuestion, Order, OrderStep, Table, TableRow

_SHELL = "shell = spawn\nshell mmap 0x30000 4\nshell write 0x30000 7 4\n"

_LARGE = """machine x86_32 frames 400 swap 0
p = spawn
p mmap 0x30000 100
p write 0x30000 1 100
c = fork p
"""

DESIGNS: dict[str, BankQuestion] = {
    "06 copies": Table(
        "A shell has written four pages. It starts a program. How many pages are copied in all?",
        copied_in_all,
        ("0", "1", "2", "4"),
        (
            TableRow(
                "fork; the child calls execve at once",
                _SHELL + "child = fork shell\nchild execve ls\n",
                "fork shared the page-table entries, and execve dropped the child's.",
            ),
            TableRow(
                "fork; the child writes one page, then execve",
                _SHELL + "child = fork shell\nchild write 0x30000 9\nchild execve ls\n",
                "The write copied one page. execve freed the copy.",
            ),
            TableRow(
                "vfork; the child writes one page, then execve",
                _SHELL + "child = vfork shell\nchild write 0x30000 9\nchild execve ls\n",
                "vfork makes no second address space. The child wrote into the shell's own page.",
            ),
            TableRow(
                "fork; the shell writes two pages before the child calls execve",
                _SHELL + "child = fork shell\nshell write 0x30000 9 2\nchild execve ls\n",
                "Whoever writes first gets the copy. Here it was the parent, twice.",
            ),
            TableRow(
                "fork; the child calls execve, then the shell writes all four",
                _SHELL + "child = fork shell\nchild execve ls\nshell write 0x30000 9 4\n",
                "After the execve the shell is alone with its pages. So its writes reuse them.",
            ),
        ),
    ),
    "07 order": Order(
        "mremap moves a range. A page has one address, as in the mail. In which order does the "
        "kernel work?",
        {
            "c": OrderStep("unmap what is at the new place"),
            "f": OrderStep("make a VMA at the new place"),
            "a": OrderStep("copy the pages that are shared"),
            "e": OrderStep(
                "move the page-table entries",
                "cfa",
                "An entry needs an empty slot and a VMA around it. And a copy may fail for lack of "
                "frames. Then nothing must have moved yet.",
            ),
            "b": OrderStep(
                "set the index of each page to its new page number",
                "a",
                "Before the copy, others still have the page at the old address. They need the old "
                "index.",
            ),
        },
        {
            "d": (
                "write the new address into the parent's entries too",
                "nobody else moves. That is why a shared page must be copied.",
            )
        },
    ),
    "07 merge": Table(
        "Two pieces of memory touch in the end. Under which design are they one VMA? Say both, "
        "none, group (only the mail's design) or chain (only anon_vma_chain).",
        merges,
        ("both", "none", "group", "chain"),
        (
            TableRow(
                "an untouched area is moved to the end of another",
                "p = spawn\np mmap 0x30000 2\np mmap 0x50000 2\np mremap 0x50000 2 to 0x32000\n",
                "Nothing was written: no page has an index, and the area has no anon_vma. So "
                "copy_vma gives it a new pgoff, that of its new place.",
            ),
            TableRow(
                "a written area is moved to the end of another written one",
                "p = spawn\np mmap 0x30000 2\np write 0x30000 1 2\np mmap 0x50000 2\n"
                "p write 0x50000 2 2\np mremap 0x50000 2 to 0x32000\n",
                "Under the chain, pages are found by pgoff. It must stay, so it does not go on. "
                "And each area has an anon_vma of its own, from its first write. Under the group, "
                "pages are found by their own index.",
            ),
            TableRow(
                "the upper half of a written area is moved away and back",
                "p = spawn\np mmap 0x30000 4\np write 0x30000 1 4\np mremap 0x32000 2 to 0x60000\n"
                "p mremap 0x60000 2 to 0x32000\n",
                "The VMA is back at its old place, and pgoff fits again. Both halves still have "
                "the one anon_vma of before.",
            ),
            TableRow(
                "the two areas have different rights",
                "p = spawn\np mmap 0x30000 2 r\np mmap 0x32000 2\n",
                "A VMA has one rule for all of its pages.",
            ),
        ),
    ),
    "08 order": Order(
        "A shared page goes to swap. In which order does the kernel work?",
        {
            "c": OrderStep("give the page a slot on swap, and put it into the swap cache"),
            "a": OrderStep(
                "walk, and turn every page-table entry into the swap entry of the slot",
                "c",
                "A swap entry names the slot. So the slot must be known first.",
            ),
            "f": OrderStep(
                "flush: the processors forget the entries that they remember",
                "a",
                "Before the walk the entries are still right: a processor would only remember them "
                "again.",
            ),
            "e": OrderStep(
                "write the page to the slot",
                "af",
                "As long as one entry maps the page, or a processor remembers one, somebody may "
                "still change it. Linux 2.6 flushes entry by entry, today once before it writes.",
            ),
            "b": OrderStep(
                "give the frame to somebody else",
                "e",
                "Before it is written, the frame is the only place with the contents.",
            ),
        },
        {
            "d": (
                "take the page out of its group",
                "the walk needs the group. Without it nobody knows which entries to change.",
            )
        },
    ),
    "08 candidates": Table(
        "The kernel looks for all page-table entries of one page, with the group of the mail. It "
        "stops when it has found as many as mapcount says. At how many places did it look in "
        "vain?",
        places_in_vain,
        ("0", "1", "2", "3"),
        (
            TableRow(
                "the shell's page, shared with one child",
                _SHELL + "child = fork shell\nshell read 0x30000\n",
                "Both places map it.",
            ),
            TableRow(
                "the child's own page, after the child wrote",
                _SHELL + "child = fork shell\nchild write 0x30000 9\nchild read 0x30000\n",
                "The kernel looks at the shell first. The shell has another frame there.",
            ),
            TableRow(
                "the shell's page, after the child wrote its copy",
                _SHELL + "child = fork shell\nchild write 0x30000 9\nshell read 0x30000\n",
                "The kernel looks at the shell first. mapcount is 1, so the walk stops.",
            ),
            TableRow(
                "the own page of the third child of a shell",
                _SHELL + "a = fork shell\nb = fork shell\nc = fork shell\nc write 0x30000 9\n"
                "c read 0x30000\n",
                "It looks at the shell, at a and at b first.",
            ),
            TableRow(
                "the own page of a child after execve",
                _SHELL + "a = fork shell\nb = fork shell\nb execve ls\nb mmap 0x30000 1\n"
                "b write 0x30000 9\nb read 0x30000\n",
                "After execve it is alone in a new group.",
            ),
        ),
    ),
    "09 choose": Table(
        "Two designs are named in each row. Which of them needs less of what is counted?",
        cheapest("times", "fork", "anongroup"),
        ("pte_chain", "anongroup", "anonmm", "anon_vma", "anon_vma_chain"),
        (
            TableRow(
                "places looked at, for the own pages of 20 workers: anongroup or anonmm?",
                "prefork 20",
                "anonmm begins at the process that had the page first. The group looks at its "
                "members in order.",
                cheapest("probes", "walk: the own pages of all children", "anongroup,anonmm"),
            ),
            TableRow(
                "places looked at, for a page that only the last of 20 workers has kept: anonmm or "
                "anon_vma?",
                "prefork 20",
                "The list of anon_vma has the newest VMA first. anonmm begins at the server.",
                cheapest(
                    "probes",
                    "walk: the parent's page that only the last child kept",
                    "anonmm,anon_vma",
                ),
            ),
            TableRow(
                "pages copied by mremap, when 20 children move what they share: anongroup or "
                "anon_vma?",
                "movers 20",
                "Under the group a page has one address. Under anon_vma the VMA keeps its pgoff.",
                cheapest("copies", "mremap", "anongroup,anon_vma"),
            ),
            TableRow(
                "objects made at fork of a process with 100 pages: pte_chain or anon_vma_chain?",
                _LARGE,
                "pte_chain makes a block for every shared page. anon_vma_chain makes three "
                "objects for the VMA.",
                cheapest("allocs", "fork", "pte_chain,anon_vma_chain"),
            ),
            TableRow(
                "objects made at fork, for 20 programs that call execve: anongroup or "
                "anon_vma_chain?",
                "pipeline 20",
                "The child joins a list of the group. The chain makes two links and an anon_vma.",
                cheapest("allocs", "fork", "anongroup,anon_vma_chain"),
            ),
        ),
    ),
}

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
        "A shell has written four pages and starts a program. How many pages are copied in all?",
        copied_in_all,
        ("0", "1", "2", "4"),
        (
            TableRow(
                "fork; the child calls execve at once",
                _SHELL + "child = fork shell\nchild execve ls\n",
                "Words were shared and dropped again.",
            ),
            TableRow(
                "fork; the child writes one page, then execve",
                _SHELL + "child = fork shell\nchild write 0x30000 9\nchild execve ls\n",
                "The copy lived until the execve.",
            ),
            TableRow(
                "vfork; the child writes one page, then execve",
                _SHELL + "child = vfork shell\nchild write 0x30000 9\nchild execve ls\n",
                "With vfork there is one address space: the child wrote into the shell's own page.",
            ),
            TableRow(
                "fork; the shell writes two pages before the child calls execve",
                _SHELL + "child = fork shell\nshell write 0x30000 9 2\nchild execve ls\n",
                "The writer pays, parent or not.",
            ),
            TableRow(
                "fork; the child calls execve, then the shell writes all four",
                _SHELL + "child = fork shell\nchild execve ls\nshell write 0x30000 9 4\n",
                "Four faults, all of them reuse: the pages are the shell's alone again.",
            ),
        ),
    ),
    "07 order": Order(
        "mremap moves a range, under the mail's rule of one address per page. In which order?",
        {
            "c": OrderStep("unmap what is at the new place"),
            "f": OrderStep("make a VMA at the new place"),
            "a": OrderStep("copy the pages that are shared"),
            "e": OrderStep(
                "move the words",
                "cfa",
                "A word needs an empty slot and a VMA around it, and a lack of frames must be "
                "found out before anything has moved.",
            ),
            "b": OrderStep(
                "set the index of each page to its new page number",
                "a",
                "Set before the copy, it would be the index of a page that others still have at "
                "the old address.",
            ),
        },
        {
            "d": (
                "write the new address into the parent's words too",
                "nobody else moves: that is why a shared page must be copied.",
            )
        },
    ),
    "07 merge": Table(
        "The process ends with memory that touches. Under which design is it one VMA: both, none, "
        "group (only the mail's) or chain (only today's anon_vma_chain)?",
        merges,
        ("both", "none", "group", "chain"),
        (
            TableRow(
                "an untouched area is moved to the end of another",
                "p = spawn\np mmap 0x30000 2\np mmap 0x50000 2\np mremap 0x50000 2 to 0x32000\n",
                "Nothing was written: pgoff may follow the address.",
            ),
            TableRow(
                "a written area is moved to the end of another written one",
                "p = spawn\np mmap 0x30000 2\np write 0x30000 1 2\np mmap 0x50000 2\n"
                "p write 0x50000 2 2\np mremap 0x50000 2 to 0x32000\n",
                "Pages of the chain are found by pgoff, which must not change, so it does not go "
                "on; pages of the group are found by their own index.",
            ),
            TableRow(
                "the upper half of a written area is moved away and back",
                "p = spawn\np mmap 0x30000 4\np write 0x30000 1 4\np mremap 0x32000 2 to 0x60000\n"
                "p mremap 0x60000 2 to 0x32000\n",
                "pgoff fits the address again.",
            ),
            TableRow(
                "the two areas have different rights",
                "p = spawn\np mmap 0x30000 2 r\np mmap 0x32000 2\n",
                "A VMA is one rule for all of its pages.",
            ),
        ),
    ),
    "08 order": Order(
        "A shared page goes to swap. In which order?",
        {
            "c": OrderStep("give the page a slot: it enters the swap cache"),
            "a": OrderStep(
                "walk, and turn every word into the entry of the slot",
                "c",
                "Which entry would the words get?",
            ),
            "e": OrderStep(
                "write the page to the slot",
                "a",
                "As long as a word is there, somebody may still change the page.",
            ),
            "b": OrderStep(
                "give the frame to somebody else",
                "e",
                "Before it is written, the frame is the only copy there is.",
            ),
        },
        {
            "d": (
                "take the page out of its group",
                "the walk needs the group: without it nobody knows which words to change.",
            )
        },
    ),
    "08 candidates": Table(
        "The kernel looks for all words of one page, with the group of the mail. How many places "
        "does it look at in vain, before it has found mapcount of them?",
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
                "The shell is asked first, and has another frame there.",
            ),
            TableRow(
                "the shell's page, after the child wrote its copy",
                _SHELL + "child = fork shell\nchild write 0x30000 9\nshell read 0x30000\n",
                "The shell is asked first; mapcount is 1, so the walk stops.",
            ),
            TableRow(
                "the own page of the third child of a shell",
                _SHELL + "a = fork shell\nb = fork shell\nc = fork shell\nc write 0x30000 9\n"
                "c read 0x30000\n",
                "Shell, a and b come first.",
            ),
            TableRow(
                "the own page of a child after execve",
                _SHELL + "a = fork shell\nb = fork shell\nb execve ls\nb mmap 0x30000 1\n"
                "b write 0x30000 9\nb read 0x30000\n",
                "It is alone in a new group.",
            ),
        ),
    ),
    "09 choose": Table(
        "Which of the two needs less of what is counted? One word for each row.",
        cheapest("times", "fork", "anongroup"),
        ("pte_chain", "anongroup", "anonmm", "anon_vma", "anon_vma_chain"),
        (
            TableRow(
                "places looked at, for the own pages of 20 workers: anongroup or anonmm?",
                "prefork 20",
                "anonmm looks at a page's home first; the group asks its members in order.",
                cheapest("probes", "walk: the own pages of all children", "anongroup,anonmm"),
            ),
            TableRow(
                "places looked at, for a page of the server that only the last of 20 workers has "
                "kept: anonmm or anon_vma?",
                "prefork 20",
                "The list of anon_vma has the newest VMA first; the ring begins at the home.",
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
                "One address per page, or one offset per VMA that moves along.",
                cheapest("copies", "mremap", "anongroup,anon_vma"),
            ),
            TableRow(
                "objects made at fork of a process with 100 pages: pte_chain or anon_vma_chain?",
                _LARGE,
                "A block for every page that becomes shared, against three objects for the VMA.",
                cheapest("allocs", "fork", "pte_chain,anon_vma_chain"),
            ),
            TableRow(
                "objects made at fork, for 20 programs that call execve: anongroup or "
                "anon_vma_chain?",
                "pipeline 20",
                "The child joins a list, against two links and an anon_vma for its VMA.",
                cheapest("allocs", "fork", "anongroup,anon_vma_chain"),
            ),
        ),
    ),
}

"""Linus Torvalds's mail of 13 March 2004, line by line: where the course explains what.

Each line has a few words of the mail, the idea in our words, the kernel's function for it, and the
place in anonlab that does the same. `uncovered` tells which paragraphs of the mail have no line.
"""

from __future__ import annotations

import re
from html import escape
from typing import NamedTuple

from anonlab.course.asking.note import Note, TableNote, errors_as_notes

SOURCE = "Linus Torvalds, “Re: anon_vma RFC2”, 13 March 2004"


class MailLine(NamedTuple):
    """A few words of paragraph `paragraph` of the mail, and what becomes of them.

    kernel  the kernel's function, with a version; '' where the words are no code
    code    dotted name of what does it here
    """

    paragraph: int
    words: str
    notebook: str
    idea: str
    kernel: str
    code: str


LINES: tuple[MailLine, ...] = (
    MailLine(
        1,
        "how about this anon-page suggestion?",
        "03",
        "In the released 2.6 every mapped page had a list, the pte_chain. For files a patch did "
        "without it (objrmap, 2003); for anonymous pages there were two proposals.",
        "objrmap, 2003, for files",
        "anonlab.rmap.file_pages",
    ),
    MailLine(
        2,
        "a bit nervous about the complexity issues",
        "03",
        "Two others stood beside it: Andrea Arcangeli's anon_vma, an object for related VMAs, and "
        "Rik van Riel's space per family of address spaces.",
        "anon_vma (2.6.7)",
        "anonlab.rmap.DESIGNS",
    ),
    MailLine(
        3,
        "associated with exactly _one_ virtual address",
        "03",
        "Whoever maps the page has it at this address, so one number is enough.",
        "page_add_anon_rmap (2.6)",
        "anonlab.rmap.anongroup.AnonGroup.add",
    ),
    MailLine(
        4,
        "(shifted down by PAGE_SHIFT) into",
        "03",
        "index is the page number: the address without the offset.",
        "page->index",
        "anonlab.kernel.views.Page",
    ),
    MailLine(
        4,
        'the "anon memory group" pointer into',
        "03",
        "mapping names the group: whom to ask.",
        "page->mapping",
        "anonlab.rmap.anongroup.Group",
    ),
    MailLine(
        4,
        "a PAGE_ANONYMOUS flag to tell",
        "03",
        "The same two fields mean a file and an offset for pages of files; a flag says which.",
        "PG_anon (2.6.7)",
        "anonlab.machine.words.PG_ANON",
    ),
    MailLine(
        5,
        "a list of all mm's",
        "04",
        "The group knows its address spaces, not its pages.",
        "",
        "anonlab.rmap.anongroup.Group",
    ),
    MailLine(
        7,
        "adds the new mm to the mm list",
        "04",
        "fork adds one member, however many pages there are.",
        "dup_mmap, copy_page_range (2.6)",
        "anonlab.rmap.anongroup.AnonGroup.fork_mm",
    ),
    MailLine(
        15,
        "where the page might have been COW'ed or removed",
        "05",
        "After a copy the writer is still in the group of the page that it no longer has: it is "
        "looked at in vain. pte_chain, “rmap” in the mail, would have dropped it.",
        "do_wp_page (2.6 and 6.18)",
        "anonlab.kernel.fault.wp_copy",
    ),
    MailLine(
        6,
        'creates a new "anon memory group" and drops',
        "06",
        "After execve nothing is shared with those before it, so nobody has to ask them.",
        "exec_mmap, exit_mmap (2.6 and 6.18)",
        "anonlab.rmap.anongroup.AnonGroup.drop_mm",
    ),
    MailLine(
        15,
        "A high-performance server would use threads",
        "06",
        "Threads have one address space. So they are one member of the group, however many they "
        "are.",
        "CLONE_VM in copy_mm",
        "anonlab.kernel.exec_exit.share_mm",
    ),
    MailLine(
        11,
        "works 99% of the time",
        "07",
        "The rule holds as long as everybody has the page at the same address.",
        "",
        "anonlab.rmap.anongroup.AnonGroup.candidates",
    ),
    MailLine(
        12,
        "The only problem is mremap() after a fork()",
        "07",
        "mremap gives one of the sharers another address. But a page has room for one address.",
        "move_page_tables (6.18)",
        "anonlab.kernel.mremap.move_vma",
    ),
    MailLine(
        13,
        "page->count > 1",
        "07",
        "It asks whether others share the page. count also counts pins and the swap cache, so it "
        "copies more than it must. The code of April 2004 asked mapcount.",
        "can_move_one_pte (anonmm, 2004)",
        "anonlab.rmap.anongroup.AnonGroup.move",
    ),
    MailLine(
        13,
        "copy_page(page, newpage)",
        "07",
        "Who moves takes a copy along. The others keep the page.",
        "make_page_exclusive (anonmm, 2004)",
        "anonlab.kernel.mremap.copy_shared",
    ),
    MailLine(
        13,
        "page->index = address >> PAGE_SHIFT",
        "07",
        "Now the page belongs to the mover alone, so it may have a new index.",
        "move_one_page (2.6)",
        "anonlab.rmap.anongroup.AnonGroup.moved",
    ),
    MailLine(
        14,
        "we have zero special cases",
        "07",
        "Every page has one address again. Swap entries came later. They move as they are, and "
        "swap-in compares.",
        "do_swap_page (2.6)",
        "anonlab.kernel.swap.swap_in",
    ),
    MailLine(
        16,
        "The extra COW in mremap() seems benign",
        "07",
        "This is a hope about programs. Hardly any of them moves memory that it shares.",
        "",
        "anonlab.histories.costs.compare",
    ),
    MailLine(
        8,
        "to do reverse mapping, we can take a page",
        "08",
        "The walk begins at the page, and knows nothing else.",
        "try_to_unmap (2.6 and 6.18)",
        "anonlab.kernel.walk.walk",
    ),
    MailLine(
        9,
        "(struct anongroup *)page->mapping",
        "08",
        "From the page to its group.",
        "",
        "anonlab.rmap.anongroup.AnonGroup.candidates",
    ),
    MailLine(
        9,
        "page->index << PAGE_SHIFT",
        "08",
        "From the page to its address.",
        "",
        "anonlab.rmap.anongroup.AnonGroup.candidates",
    ),
    MailLine(
        10,
        "for_each_entry(mm, mmlist->anon_mms, anon_mm)",
        "08",
        "Every member is a candidate.",
        "rmap_walk_anon (6.18)",
        "anonlab.rmap.anongroup.Group",
    ),
    MailLine(
        10,
        'look up page in page tables in "mm, address"',
        "08",
        "The page-table entry decides whether the candidate maps the page.",
        "try_to_unmap_one (2.6 and 6.18)",
        "anonlab.kernel.walk.walk_each",
    ),
    MailLine(
        10,
        "most of the time we may not even need to look",
        "08",
        "No VMA is needed to find an entry. One is needed to know whether the page is locked "
        "there.",
        "find_vma, VM_LOCKED (2.6)",
        "anonlab.kernel.swap.reclaim",
    ),
    MailLine(
        10,
        "look up page using the inode vma list",
        "08",
        "Pages of files have their own reverse map, by the VMAs of the file.",
        "i_mmap (2.6 and 6.18)",
        "anonlab.rmap.file_pages.candidates",
    ),
    MailLine(
        15,
        "we only have _one_ address to check",
        "08",
        "A group is small in most cases. A server that forks and never calls execve makes it "
        "large. Then each member costs one look.",
        "",
        "anonlab.histories.scenarios.prefork",
    ),
    MailLine(
        17,
        "a really simple approach",
        "08",
        "It has a few rules and one exception. In the end Linux took anon_vma instead. Notebook 09 "
        "compares them.",
        "anon_vma (2.6.7)",
        "anonlab.rmap.DESIGNS",
    ),
)
"""In the order of notebooks; all paragraphs that say something have a line."""

ASKED: dict[int, tuple[str, ...]] = {
    1: ("00 who uses it",),
    2: ("09 choose",),
    3: ("03 index",),
    4: ("03 index",),
    5: ("04 order",),
    6: ("06 copies",),
    7: ("04 order",),
    8: ("08 order",),
    9: ("08 candidates",),
    10: ("08 order", "08 candidates"),
    11: ("07 order",),
    12: ("07 order",),
    13: ("07 order", "07 merge"),
    14: ("08 always",),
    15: ("05 table", "08 candidates"),
    16: ("09 choose",),
    17: ("09 choose",),
}
"""The scenes and questions that ask about each paragraph of the mail; reveals.py compares."""

_AROUND = re.compile(r"(From:|Date:|Re:|To unsubscribe|the body of|More majordomo|Please read)")


def uncovered(text: str) -> list[str]:
    """Return the paragraphs of the mail in `text` that have no line, without head and foot."""
    found = []
    for block in re.split(r"\n\s*\n", text):
        paragraph = " ".join(block.split())
        told_of = any(" ".join(line.words.split()) in paragraph for line in LINES)
        if paragraph and not told_of and not _AROUND.match(paragraph):
            found.append(paragraph)
    return found


@errors_as_notes
def mail(notebook: str) -> Note:
    """Show the lines of the mail that notebook `notebook` explains."""
    lines = [line for line in LINES if line.notebook == notebook]
    if not lines:
        raise ValueError(f"notebook {notebook!r} explains no line of the mail: 03 to 08 do")
    text = [f"{SOURCE}", ""]
    for line in lines:
        text.append(f"“{line.words}”")
        text.append(f"    {line.idea}")
        kernel = f"kernel: {line.kernel}; " if line.kernel else ""
        text.append(f"    {kernel}here: {line.code}")
    rows = [
        (
            f"“{escape(line.words)}”",
            escape(line.idea),
            f"{escape(line.kernel)}{'<br>' if line.kernel else ''}"
            f'<code title="{escape(line.code)}">{escape(_short(line.code))}</code>',
        )
        for line in lines
    ]
    heads = ("the mail", "what it means", "in the kernel, and here")
    return TableNote("\n".join(text), SOURCE, heads, rows)


def _short(code: str) -> str:
    """Return the last two parts of a dotted name: 'AnonGroup.add', 'mremap.move_vma'."""
    return ".".join(code.split(".")[-2:])

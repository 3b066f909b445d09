"""What people believe about fork and memory, asked: one wrong option says it in its own words.

The beliefs are in misconceptions.py. What is right is measured on the history of each question.
"""

from __future__ import annotations

from anonlab.course.asking import belief_measures as found
from anonlab.course.asking.measures import (
    Measure,
    frames_taken,
    frames_used,
    processes_with_new_frames,
    swap_entries_made,
)
from anonlab.course.asking.questions import Choice, Option

_ONE = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\n"
_PAIR = _ONE + "c = fork p\n"
_EIGHT = "p = spawn\np mmap 0x30000 8\np write 0x30000 7 8\n"
_SHELL = "shell = spawn\nshell mmap 0x30000 4\nshell write 0x30000 7 4\n"
_THREE = "a = spawn\na mmap 0x30000 1\na write 0x30000 7\nb = fork a\nc = fork a\n"
_SERVER = "server = spawn\nserver mmap 0x30000 3\nserver write 0x30000 1 3\n"


def _ask(text: str, history: str, measure: Measure, *options: tuple[str, str, str]) -> Choice:
    """Return a question; options: (text, value, what is said to who chooses it). Numbers stand in
    their order, words by the alphabet: no place tells what is right."""
    numbers = all(value.isdigit() for _, value, _ in options)
    ordered = sorted(options, key=lambda each: int(each[1])) if numbers else sorted(options)
    return Choice(text, history, measure, tuple(Option(*each) for each in ordered))


BELIEFS: dict[str, Choice] = {
    "03 touch": _ask(
        "A program maps eight pages. It reads three of them. How many frames does it use? The zero "
        "page does not count.",
        "p = spawn\np mmap 0x30000 8\np read 0x30000 3\n",
        frames_used,
        ("3: a page is touched when it is read", "3",
         "A read of untouched memory shows the zero page. It takes no frame."),
        ("8: mmap gives the memory", "8", "mmap gives a promise. Frames come with writes."),
        ("0: a read takes no frame", "0", "All three entries name the zero page."),
    ),
    "03 zeros": _ask(
        "A program reads eight untouched pages, and writes to one of them. How many frames does it "
        "use?",
        "p = spawn\np mmap 0x30000 8\np read 0x30000 8\np write 0x30000 7\n",
        frames_used,
        ("1: only the page that was written", "1", "Seven entries still name the zero page."),
        ("8: pages of zeros are memory like other pages", "8",
         "All untouched pages show one page of zeros. It is there once, for everybody."),
        ("0: nothing is used before the program ends", "0", "A write takes a frame at once."),
    ),
    "03 mapcount": _ask(
        "a, b and c share a frame. One of them writes, so the mapcount of the frame falls to 2. "
        "What does this number tell?",
        _THREE + "b write 0x30000 9\n",
        found.what_mapcount_tells,
        ("mapcount tells who maps the page", "who",
         "Whoever of the three writes, it is 2 afterwards."),
        ("mapcount tells how many map the page", "how many",
         "It is 2, whoever wrote. To know who, one must search."),
    ),
    "03 fault": _ask(
        "A program writes to new memory for the first time. What happens?",
        "p = spawn\np mmap 0x30000 1\np write 0x30000 7\n",
        found.what_the_first_touch_needs,
        ("a page fault: the kernel must fetch the page from disk", "disk",
         "There is nothing on a disk for new memory. The kernel takes a frame of zeros."),
        ("a page fault, and no disk", "fault", "The kernel takes a free frame."),
        ("no page fault: mmap has made the entry", "nothing", "mmap only makes a VMA."),
    ),
    "04 memory": _ask(
        "A shell has written four pages, and forks. How many frames does fork take for them?",
        _SHELL + "child = fork shell\n",
        frames_taken,
        ("4: fork copies the memory", "4", "fork copies entries. The four frames are shared."),
        ("0: fork shares the frames", "0", "Both tables name the same four frames."),
        ("1: one frame, to begin with", "1", "No page is copied before somebody writes."),
    ),
    "04 image": _ask(
        "A program has written four pages, and forks. What does fork take at once?",
        _SHELL + "child = fork shell\n",
        found.fork_takes,
        ("memory for all pages: fork duplicates the image of the process", "image",
         "The pages are shared. Only the tables are there twice."),
        ("memory for page tables", "tables",
         "The child has tables of its own. The pages are shared."),
        ("nothing at all", "nothing", "The child needs page tables of its own."),
    ),
    "04 not present": _ask(
        "A program has written one page, and the page is on swap. Its entry is not present. Now "
        "the program forks. How many entries of the child are not empty?",
        _ONE + "p swap_out 0x30000\nc = fork p\n",
        swap_entries_made,
        ("0: an entry that is not present is empty", "0",
         "It holds a swap entry: the slot of the page on the disk."),
        ("1: fork copies the swap entry", "1",
         "The slot is then used by two."),
    ),
    "05 shared memory": _ask(
        "p has memory that was mapped as shared, with the value 7 in it. It forks. The child "
        "writes 9 there. What does p read?",
        "p = spawn\np mmap 0x30000 1 shared\np write 0x30000 7\nc = fork p\nc write 0x30000 9\n"
        "p read 0x30000\n",
        found.value_read,
        ("7: after fork, all memory is copied on write", "7",
         "Shared memory stays shared: both entries may write, and they name one frame."),
        ("9: shared memory stays shared", "9",
         "Nothing is copied, and nothing was write-protected."),
    ),
    "05 read-only": _ask(
        "p and its child share a page. Both entries are read-only, both VMAs allow writing. The "
        "child writes. What happens?",
        _PAIR + "c write 0x30000 9\n",
        found.outcome,
        ("a signal: read-only means that the program may not write", "signal",
         "The VMA says what the program may do. The entry only makes the kernel look."),
        ("the kernel copies the page", "copy", "The VMA allows it, and the frame is shared."),
        ("nothing: the write goes to the shared frame", "nothing", "Then p would read it."),
    ),
    "05 the child": _ask(
        "p and its child share a page. p writes. Who has a new frame?",
        _PAIR + "p write 0x30000 8\n",
        processes_with_new_frames,
        ("the child: the child gets the copy", "c", "The writer gets the copy, whoever it is."),
        ("p, the writer", "p", "The child keeps the old frame."),
        ("both get a new frame", "c and p", "One copy is enough."),
    ),
    "05 owner": _ask(
        "p and its child share frame 1. p, the parent, writes first. Who has frame 1 then?",
        _PAIR + "p write 0x30000 8\n",
        found.who_maps_frame_1,
        ("p: the parent owns the page", "p",
         "Nobody owns it. The writer leaves, and the other one keeps the frame."),
        ("the child", "c", "The child did nothing, and keeps what it had."),
        ("nobody: it is free", "nobody", "The child still uses it."),
    ),
    "05 once more": _ask(
        "p and its child share a page. The child exits. Then p writes. How many frames does the "
        "write take?",
        _PAIR + "c exit\np write 0x30000 8\n",
        frames_taken,
        ("1: the page is copied once more", "1", "Nobody else uses the page. p writes in place."),
        ("0: p is alone, and writes in place", "0", "The count of the page has fallen to 1."),
    ),
    "05 one word": _ask(
        "p has written eight pages, and forks. The child writes one number. How many frames does "
        "this take?",
        _EIGHT + "c = fork p\nc write 0x30000 9\n",
        frames_taken,
        ("8: the first write copies everything", "8",
         "Each page has its own entry. Only the page that was written is copied."),
        ("1: only that page is copied", "1", "The other seven stay shared."),
        ("0: fork has copied already", "0", "fork copied no page."),
    ),
    "05 two copies": _ask(
        "p has written eight pages, and forks. The child writes to one page. How many frames are "
        "in use now?",
        _EIGHT + "c = fork p\nc write 0x30000 9\n",
        frames_used,
        ("10: a write makes two copies, one for each", "10",
         "The old frame is one of the two. Only the writer needs another."),
        ("9", "9", "Eight frames, and one copy for the writer."),
        ("16", "16", "Seven pages are still shared."),
    ),
    "05 grandchild": _ask(
        "p forks c, and c forks g. All three share one page. g writes. How many frames does this "
        "take?",
        _PAIR + "g = fork c\ng write 0x30000 9\n",
        frames_taken,
        ("2: the copy goes through the child", "2",
         "g's entry names the frame itself. p and c go on sharing it."),
        ("1: g gets a copy", "1", "p and c go on sharing the old frame."),
        ("3: one for each", "3", "Who does not write keeps the frame."),
    ),
    "05 address": _ask(
        "The child prints the address of a variable, writes to it, and prints the address again. "
        "The page was copied in between. What does it print?",
        _PAIR + "c write 0x30000 9\n",
        found.address_after,
        ("another address: two copies cannot have the same address", "another",
         "An address belongs to an address space. Only the frame in its entry has changed."),
        ("the same address", "same", "The entry at that address names another frame."),
    ),
    "05 thread": _ask(
        "t is a thread of p: both use one address space. t writes. How many frames does this take?",
        _ONE + "t = clone_vm p\nt write 0x30000 9\n",
        frames_taken,
        ("1: a thread gets its copy when it writes", "1",
         "There is one address space, with one entry for the page. So nobody shares it."),
        ("0: p and t have the same entry", "0", "t writes to the page of both."),
    ),
    "05 room": _ask(
        "A machine has nine frames to give, and no swap. p has written six pages, and forks. Then "
        "the child writes to all six. What happens?",
        "machine lesson frames 10 swap 0\np = spawn\np mmap 0x30000 6\np write 0x30000 7 6\n"
        "c = fork p\nc write 0x30000 9 6\n",
        found.outcome,
        ("it works: there was room at fork, so later writes cannot fail", "copy",
         "fork took no frame. The writes need six, and only three are free."),
        ("the write fails: there is no memory", "ENOMEM", "Six frames are needed, three are free."),
        ("it works without a copy", "reuse", "p still uses all six pages."),
    ),
}  # fmt: skip
"""Questions of notebooks 03 to 05; beliefs_later.py has those of 06 to 08."""

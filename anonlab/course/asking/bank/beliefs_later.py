"""What people believe about exit, mremap and the walk, asked as in beliefs.py."""

from __future__ import annotations

from anonlab.course.asking import belief_measures as found
from anonlab.course.asking.bank.beliefs import _ONE, _PAIR, _SERVER, _SHELL, _THREE, _ask
from anonlab.course.asking.measures import (
    frames_freed,
    frames_taken,
    own_pages,
    swap_entries_made,
)
from anonlab.course.asking.questions import Choice

LATER: dict[str, Choice] = {
    "06 exit": _ask(
        "A server has written three pages, and forks a worker. The server exits. How many frames "
        "does this free?",
        _SERVER + "worker = fork server\nserver exit\n",
        frames_freed,
        ("3: exit of the parent frees the pages", "3",
         "The worker still uses them. The last mapping that goes frees a page."),
        ("0: the worker still uses them", "0", "A page is free when its last user has gone."),
    ),
    "06 execve": _ask(
        "A shell has written four pages, and forks. The child calls execve. Its new stack takes "
        "two pages. How many pages has the child now?",
        _SHELL + "child = fork shell\nchild execve ls\n",
        own_pages,
        ("6: execve inherits the memory", "6", "execve begins with an empty address space."),
        ("2: only its stack", "2", "Nothing of the shell's memory is left in it."),
        ("0: nothing", "0", "The arguments lie on the new stack."),
    ),
    "06 the parent": _ask(
        "A shell has written four pages, and forks. The child calls execve. How many pages has the "
        "shell now?",
        _SHELL + "child = fork shell\nchild execve ls\nshell read 0x30000 4\n",
        own_pages,
        ("0: execve frees the pages of the parent, too", "0",
         "execve drops the entries of the caller. Each page has another user."),
        ("4: the child only dropped its own entries", "4", "The shell has all that it had."),
    ),
    "07 index": _ask(
        "p writes page 0x30, and moves it to 0x80. Which index has the page then?",
        _ONE + "p mremap 0x30000 1 to 0x80000\n",
        found.index_by_design,
        ("0x80: there is one right index after mremap", "0x80",
         "The group needs 0x80. The anon_vma of 2004 needs 0x30: its VMA keeps the old pgoff."),
        ("0x30 under every design", "0x30", "The group looks at the index as an address."),
        ("0x80 for the group, 0x30 for anon_vma", "both", "Each design finds it by its own rule."),
    ),
    "08 one number": _ask(
        "One process maps a page, and a device has it pinned. By how much is count more than "
        "mapcount?",
        _ONE + "p pin 0x30000\n",
        found.count_above_mapcount,
        ("0: count and mapcount are one number", "0", "A pin is in count only."),
        ("1: the pin is in count only", "1", "mapcount counts entries, and a device has none."),
    ),
    "08 knows": _ask(
        "A process with eight written pages forks, under the design of the mail. How many new "
        "objects does the reverse map make?",
        "p = spawn\np mmap 0x30000 8\np write 0x30000 7 8\nc = fork p\n",
        found.notes_at_fork,
        ("8: a page knows its entries, so each page gets an object", "8",
         "A page knows its group and its index. The child is put on the group's list."),
        ("0: the child is put on a list", "0", "It is the same for one page and for a million."),
    ),
    "08 belongs": _ask(
        "p has written a page, and forks c and d. Under the anon_vma of 2004: the VMAs of how many "
        "processes are on the page's anon_vma?",
        _PAIR + "d = fork p\np read 0x30000\n",
        found.processes_on_the_anon_vma,
        ("1: an anon_vma belongs to a process", "1",
         "fork puts the VMAs of the children on the same list."),
        ("3: p, c and d", "3", "It relates VMAs of several processes."),
    ),
    "08 candidate": _ask(
        "p and c share frame 1. Both VMAs are on its anon_vma. Then c writes. How many of the VMAs "
        "on the list map frame 1?",
        _PAIR + "c write 0x30000 9\n",
        found.places_that_map_it,
        ("2: a VMA on the list maps the page", "2",
         "c's entry names another frame now. The list is as it was: it names candidates."),
        ("1: the entry decides", "1", "A VMA on the list is a candidate."),
    ),
    "08 first": _ask(
        "a, b and c share a page, and the page goes to swap. How many entries does the walk turn "
        "into swap entries?",
        _THREE + "a swap_out 0x30000\n",
        swap_entries_made,
        ("0: the page is taken out of the reverse map first", "0",
         "The walk uses the reverse map to find the three entries."),
        ("1: only the entry of a", "1",
         "Then b and c would go on using a frame that is given away."),
        ("3: all entries that map it", "3",
         "Swap-out uses the reverse map, and leaves it as it is."),
    ),
    "06 overcommit": _ask(
        "A database has written six pages. Three frames are free, and it forks. How many frames "
        "can the child's writes need at most?",
        "p = spawn\np mmap 0x30000 6\np write 0x30000 7 6\nc = fork p\nc write 0x30000 9 6\n",
        frames_taken,
        ("3: as long as memory is free, fork cannot fail", "3",
         "Every shared page may be copied: six. A kernel that never promises more than it has must "
         "refuse this fork."),
        ("6: each shared page may be copied", "6",
         "So a kernel that promises no more than it has refuses the fork."),
        ("0: fork takes no frame", "0", "fork takes none. The writes after it do."),
    ),
}  # fmt: skip

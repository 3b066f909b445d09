"""Inverse questions: which operations lead to a machine? Right is what leads to the same one."""

from __future__ import annotations

from anonlab.course.asking.questions import Inverse

INVERSES = {
    "01 inverse": Inverse(
        "Which operations lead from a new process p to this machine?",
        "p = spawn\n",
        "p mmap 0x10000 3\np write 0x11000 5 2\n",
        (
            ("p mmap 0x10000 3\np write 0x10000 5 2\n", "It fills slots 0 and 1."),
            ("p mmap 0x10000 3\np write 0x11000 5 2\n", "It fills slots 1 and 2, in one write."),
            (
                "p mmap 0x10000 3\np write 0x11000 5\np write 0x12000 6\n",
                "Two writes, one page each, leave the same entries as one write of two.",
            ),
            (
                "p mmap 0x11000 2\np write 0x11000 5 2\n",
                "Then p would not have asked for page 0x10000.",
            ),
        ),
    ),
    "02 inverse": Inverse(
        "Which operations lead from a new process p to these two VMAs?",
        "p = spawn\n",
        "p mmap 0x20000 7\np munmap 0x22000 2\n",
        (
            ("p mmap 0x20000 7\np munmap 0x22000 2\n", "The hole is pages 0x22 and 0x23."),
            ("p mmap 0x20000 7\np munmap 0x22000 3\n", "The upper VMA would begin at page 0x25."),
            (
                "p mmap 0x20000 2\np mmap 0x24000 3\n",
                "Two VMAs from the start look the same. The pgoff of memory without a file follows "
                "its address.",
            ),
        ),
    ),
    "03 inverse": Inverse(
        "p has read both of its pages. Which operation came next?",
        "p = spawn\np mmap 0x30000 2\np read 0x30000 2\n",
        "p write 0x31000 4\n",
        (
            ("p read 0x31000\n", "A second read changes nothing."),
            ("p write 0x30000 4\n", "Then page 0x30000 would have a frame of its own."),
            ("p write 0x31000 4\n", "Page 0x31000 lost the zero page and got a frame."),
        ),
    ),
    "04 inverse": Inverse(
        "What came after `a = spawn`, `a mmap 0x30000 2`, `a write 0x30000 7 2`?",
        "a = spawn\na mmap 0x30000 2\na write 0x30000 7 2\n",
        "b = fork a\nb write 0x31000 9\nc = fork b\n",
        (
            (
                "b = fork a\nc = fork b\nb write 0x31000 9\n",
                "Then c would still share page 0x31000 with a.",
            ),
            (
                "b = fork a\nb write 0x31000 9\nc = fork b\n",
                "b wrote before it forked c. So c shares what b had then.",
            ),
            (
                "b = fork a\nb write 0x31000 9\nc = fork a\n",
                "Then c would be a child of a, and share page 0x31000 with a.",
            ),
        ),
    ),
    "05 inverse": Inverse(
        "a and b shared one page after `b = fork a`. Which writes came then?",
        "a = spawn\na mmap 0x30000 1\na write 0x30000 7\nb = fork a\n",
        "b write 0x30000 9\na write 0x30000 7\n",
        (
            ("b write 0x30000 9\n", "The entry of a gets its W back when a writes, not before."),
            (
                "a write 0x30000 7\nb write 0x30000 9\n",
                "Who writes first gets the copy. Then each would have the frame of the other.",
            ),
            ("b write 0x30000 9\na write 0x30000 7\n", "b got the copy. Then a was alone."),
            (
                "b write 0x30000 8\na write 0x30000 7\nb write 0x30000 9\n",
                "The second write of b goes to a page of its own. It leaves nothing but the 9.",
            ),
        ),
    ),
    "06 inverse": Inverse(
        "a and b shared three frames after `b = fork a`. What came then?",
        "a = spawn\na mmap 0x30000 3\na write 0x30000 7 3\nb = fork a\n",
        "b execve sh\n",
        (
            ("b exit\n", "there would be one process."),
            (
                "b execve sh\n",
                "b has a new address space, and a stack for the new program.",
            ),
            ("b munmap 0x30000 3\n", "b would have kept its address space, and it would be empty."),
            (
                "b munmap 0x31000 1\nb execve sh\n",
                "execve lets go of what is left. It makes no difference that one page went before.",
            ),
        ),
    ),
    "07 inverse": Inverse(
        "a and b shared two pages after `b = fork a`. What came then?",
        "a = spawn\na mmap 0x30000 2\na write 0x30000 7 2\nb = fork a\n",
        "b mremap 0x30000 2 to 0x80000\n",
        (
            (
                "b write 0x30000 7 2\nb mremap 0x30000 2 to 0x80000\n",
                "the copies would be writable. A copy by mremap keeps the letters of its entry.",
            ),
            (
                "b mremap 0x30000 2 to 0x80000\n",
                "a shared page cannot have two addresses, so b got copies.",
            ),
            (
                "a mremap 0x30000 2 to 0x80000\n",
                "then a would have moved, and a would have the copies.",
            ),
            (
                "b mremap 0x30000 1 to 0x80000\nb mremap 0x31000 1 to 0x81000\n",
                "one page after the other gives the same, and the two areas become one again.",
            ),
        ),
    ),
    "08 inverse": Inverse(
        "Frame 1 has count 3 and mapcount 1. What came after `a write 0x30000 7`?",
        "a = spawn\na mmap 0x30000 1\na write 0x30000 7\n",
        "a pin 0x30000\na pin 0x30000\n",
        (
            ("a pin 0x30000\na pin 0x30000\n", "two devices hold it, and one entry maps it."),
            (
                "b = fork a\nc = fork a\n",
                "three entries would map it. An entry counts in both numbers.",
            ),
            (
                "a pin 0x30000\na swap_out 0x30000\n",
                "a page with a pin is not swapped out. There would be one pin, and count 2.",
            ),
            (
                "a pin 0x30000\na pin 0x30000\na pin 0x30000\na unpin 0x30000\n",
                "three devices took it, and one let go. Two are left.",
            ),
        ),
    ),
}

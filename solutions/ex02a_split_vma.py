"""02a · Split a VMA

A VMA is a tuple `(start, end, prot, pgoff)`. It is about the pages `[start, end)` of an address
space. `prot` says what the program may do there. `pgoff` says what the page at `start` shows. That
is a page of a file. For anonymous memory (memory of no file) it is a number that the reverse map
may use later.

1. `split(vma, at)` cuts a VMA before page `at`, with start < at < end. It returns the lower and the
   upper part[^halves]. Afterwards every page must show what it showed before[^pgoff].
2. `unmap(vmas, start, end)` unmaps the pages `[start, end)`, as `munmap` does. It returns what is
   left of a list of VMAs, ascending by address[^ascending]. Keep all pages outside of the range[^outside]. Return no
   empty VMA[^empty]. Holes in the range are fine[^holes].

Do not change the lists and arrays that your functions get[^arguments]: the caller still needs them.
"""

EXERCISE = {
    "objectives": [
        "say what a VMA's pgoff means, and what happens to it in a split",
        "reduce munmap to split and remove",
    ],
    "minutes": 15,
    "public": {"test_split": 2, "test_unmap": 2},
    "hidden": {"test_other_histories": 6},
    "families": ["areas", "files", "mixed", "moved"],
    "hints": [
        "Draw a VMA of a file: page 16 shows page 3 of the file. Cut it before page 18. "
        "Which page of the file must page 18 show, and how is that said in a VMA?",
        "The lower part keeps start and pgoff, and ends at `at`. In the upper part two of "
        "the four fields are new, and they change by the same amount.",
        "Cut the VMA (0x10, 0x18, 'rw-', 3) before page 0x12. That page has shown 5 and goes "
        "on to. So the upper part is (0x12, 0x18, 'rw-', 5). For unmap: of each VMA keep what "
        "lies below `start`, and what lies at or above `end`. split() makes these parts.",
    ],
    "equivalent": {
        "unmap: rest[0] < end < rest[1] -> (rest[0] <= end < rest[1])": (
            "cut before its first page, the upper part is the whole VMA"
        ),
    },
    "promises": {
        "halves": ("end up in the lower part", "test_split"),
        "pgoff": ("leave the upper part's pgoff as it was", "test_split"),
        "ascending": (
            "the items are right, their order is not",
            "test_unmap",
            "test_other_histories",
        ),
        "outside": ("drop every VMA that the range touches", "test_unmap"),
        "empty": ("keep a VMA without pages", "test_unmap", "test_other_histories"),
        "holes": ("forget what lies above the hole", "test_unmap"),
        "arguments": ("Did you work in place", "test_unmap"),
    },
    "commentary": """
        Linux does the same. split_vma copies the VMA, moves vm_start, and adds (addr -
        vm_start) >> PAGE_SHIFT to vm_pgoff. do_munmap splits at both ends and then removes
        whole VMAs. So there is only one place where pgoff has to be right.

        You can also compute both parts directly, with max(start, …) and min(end, …). Then
        pgoff is computed in a second place. It has to be right there as well.
    """,
}


def split(vma, at):
    """Return (lower, upper): `vma` cut before page `at`."""
    start, end, prot, pgoff = vma
    # <answer>
    lower = (start, at, prot, pgoff)
    upper = (at, end, prot, pgoff + at - start)
    return lower, upper
    # </answer>


def unmap(vmas, start, end):
    """Return what is left of `vmas` when pages [start, end) are unmapped."""
    # <answer>
    left = []
    for vma in vmas:
        rest = vma
        if rest[0] < start < rest[1]:
            lower, rest = split(rest, start)
            left.append(lower)
        if rest[0] < end < rest[1]:
            rest = split(rest, end)[1]
        if rest[1] <= start or rest[0] >= end:
            left.append(rest)
    return left
    # </answer>

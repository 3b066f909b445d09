"""02b · When two VMAs become one

After `mmap` the kernel looks at the VMA below and above. If two VMAs touch[^neighbours] and have the same rule[^prot][^shared][^file],
one VMA is enough. A VMA is a tuple `(start, end, prot, shared, file, pgoff)`, in pages. `file` is
`""` for anonymous memory (memory of no file).

Write `merge(lower, upper)`: it returns the one VMA that takes the place of both[^both], or `None` if
they must stay two. Private anonymous memory has its own page numbers as pgoff, until it is moved to
another address[^pgoff]. For each field ask: what would a program notice if you ignored it?
"""

EXERCISE = {
    "objectives": [
        "say when two neighbouring VMAs mean the same as one",
        "see why pgoff must go on where the other ends",
    ],
    "minutes": 10,
    "public": {"test_merge": 4},
    "hidden": {"test_other_pairs": 6},
    "families": ["private", "files", "rights", "shared"],
    "hints": [
        "Go through the fields one by one. If two VMAs differ in this one only: would a "
        "page of the merged VMA show or allow something else?",
        "They must touch: the lower one ends where the upper one starts. prot, shared and "
        "file must be equal. For pgoff, equal is wrong: what must the upper one's be?",
        "A VMA of pages 0x10 to 0x13 with pgoff 7 shows 7, 8, 9, 10. Which page and which "
        "pgoff must the next one begin with, to go on with both? Then look at every other "
        "field. The merged one begins where the lower does.",
    ],
    "equivalent": {
        "merge: upper[0] == end -> (upper[0] <= end)": "two VMAs never overlap",
    },
    "promises": {
        "prot": ("forget prot", "test_merge"),
        "shared": ("forget shared", "test_merge"),
        "file": ("forget the file", "test_merge"),
        "neighbours": ("merge across a hole", "test_merge"),
        "both": ("the upper one's pgoff", "test_merge", "test_other_pairs"),
        "pgoff": ("forget pgoff", "test_merge"),
    },
    "commentary": """
        This is can_vma_merge_after and can_vma_merge_before in mm/vma.c
        (mm/mmap.c before Linux 6.12). The reverse map may
        have a say as well: two VMAs with different anon_vmas cannot be one. Under the anon
        memory group a VMA carries nothing for the reverse map, so nothing stands in the way.

        Merging is never needed for correctness. A kernel that always answers None works. It
        has more VMAs to search in.
    """,
}


def merge(lower, upper):
    """Return the VMA that stands for both, or None."""
    # <answer>
    start, end, prot, shared, file, pgoff = lower
    continues = upper[0] == end and upper[5] == pgoff + end - start
    if not continues or upper[2:5] != (prot, shared, file):
        return None
    return start, upper[1], prot, shared, file, pgoff
    # </answer>

"""09b · The walk of two other designs

Here are two designs. In each the operation that matters is missing: where may a page be mapped?

**anonmm** (Hugh Dickins, 2003; his code of 2004). Every address space has a node. The nodes since
one execve form a ring. A page remembers one page number and its *home*, the node of the process
that touched it first. The walk looks at home first[^home]. Then it goes once round the ring from
there[^round].

1. `anonmm_places(ring, home, vpn)`: `ring` lists the nodes, oldest first. Each is the number of
   its address space, or 0 if that is gone or has no page in memory. `home` is the place of the
   home in this list. Return the `(mm, vpn)` to look at, in walking order. A node that is 0 is
   passed over[^gone].

**anon_vma** (Andrea Arcangeli, as merged in 2.6.7). A page remembers an anon_vma and an *index*.
The anon_vma lists VMAs. The page lies in a VMA where its pgoff says so[^pgoff]: a page with the VMA's
`pgoff` as index lies at its first page.

2. `anon_vma_places(vmas, index)`: `vmas` lists `(mm, start, end, pgoff)`, oldest first. All are in
   pages. Return the `(mm, vpn)` to look at, **newest VMA first**[^newest]. A VMA that does not reach the
   index is no place[^reach], and its last page is one[^last].

Do not change the lists and arrays that your functions get[^arguments]: the caller still needs them.
"""

EXERCISE = {
    "objectives": [
        "write the walk of two designs from a description of what a page remembers",
        "see which of them needs a VMA, and what that buys",
    ],
    "minutes": 20,
    "public": {"test_anonmm": 2, "test_anon_vma": 2},
    "hidden": {"test_other_histories": 6},
    "families": ["forked", "family", "moved", "mixed"],
    "hints": [
        "In both designs a page is one number that fits in all processes. What is this "
        "number in anonmm, and what is it in anon_vma after an mremap?",
        "How do you go round a list from the middle? First the part from `home` on, then the part "
        "before it. In a VMA: how far is the index from pgoff, and is it inside?",
        "The days of a week from Wednesday on are days[2:] + days[:2]. A shelf that begins "
        "with volume 7 and has four books has volumes 7 to 10; volume 9 stands two places "
        "from its left end.",
    ],
    "promises": {
        "home": ("begin with the oldest node", "test_anonmm"),
        "round": ("stop at the end of the list", "test_anonmm", "test_other_histories"),
        "gone": ("nodes whose address space is gone", "test_anonmm"),
        "pgoff": ("take the index for the page number", "test_anon_vma"),
        "newest": ("begin with the oldest VMA", "test_anon_vma"),
        "reach": ("a VMA may not reach the page", "test_anon_vma"),
        "last": ("leave out the last page", "test_anon_vma"),
        "arguments": ("Did you work in place", "test_anonmm"),
    },
    "commentary": """
        anonmm needs no VMA and has one address, so mremap of a shared page must copy it.
        anon_vma finds the page through pgoff, wherever the VMA has moved to. It copies
        nothing. It pays with a word in every VMA. And two VMAs cannot merge when their
        pgoffs do not fit.

        An anon_vma may list VMAs that do not reach the page. These are visited and not
        probed. The list of 2.6.7 knew no better. Since 2012 it is an interval tree in Linux.
    """,
}


def anonmm_places(ring, home, vpn):
    """Return [(mm, vpn), …] in walking order."""
    # <answer>
    order = ring[home:] + ring[:home]
    return [(mm, vpn) for mm in order if mm]
    # </answer>


def anon_vma_places(vmas, index):
    """Return [(mm, vpn), …], newest VMA first."""
    # <answer>
    found = []
    for mm, start, end, pgoff in reversed(vmas):
        if pgoff <= index < pgoff + end - start:
            found.append((mm, start + index - pgoff))
    return found
    # </answer>

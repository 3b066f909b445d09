"""08a · The walk, and try_to_unmap

Under the anon memory group a page is at *one* address in every process that maps it. The page knows
its page number (`index`) and its group. The group lists its address spaces. To find who maps the
page, look there. As in 03b, `pgds` are the rows of the top tables. Each address has `levels`
indices of `bits` bits.

1. `rmap_walk(tables, pgds, index, pfn, mapcount, levels, bits)` goes through the top tables
   `pgds` of the group in order. It looks up page number `index` in each. It returns a pair. The
   first part is the list of the places in `pgds` where the word maps frame `pfn`[^maps]; 0 is the first
   place. The second part is the number of address spaces at which it looked[^looked]. It stops when it has
   found `mapcount` mappings[^stops], and not earlier[^all]. If there are fewer, it looks at all.
2. `try_to_unmap(words, pfn, entry)` gets the words that the walk has looked at. Every word that
   maps `pfn` is replaced by the swap entry `entry`[^entry]. The others stay[^others]. It returns the new words.

`word_at` walks one page table for you.

Do not change the lists and arrays that your functions get[^arguments]: the caller still needs them.
"""

EXERCISE = {
    "objectives": [
        "go from a page to its page-table words",
        "tell a candidate from a mapping, and count what a walk costs",
        "turn every mapping of a page into a swap entry",
    ],
    "minutes": 20,
    "public": {"test_walk": 2, "test_unmap": 2},
    "hidden": {"test_other_histories": 3, "test_unmap_of_others": 3},
    "families": ["family", "swapped", "moved_swapped", "mixed"],
    "hints": [
        "A process is in the group because it was forked, not because it maps this page. "
        "What may it have at that address instead? List at least three things.",
        "Nothing, a swap entry, another frame. So a hit needs two tests on the word: is it "
        "present, and is it this frame?",
        "Two red balls are in a row of boxes. Before you open a box, see whether you have found "
        "two. Count each box that you open. If boxes 1 and 4 have them, you open up to 4 and "
        "no more. A box is word_at() here, and red is what 03b asked of a word.",
    ],
    "equivalent": {
        "rmap_walk: len(found) == mapcount -> (len(found) >= mapcount)": (
            "one is found at a time: never more than mapcount"
        ),
    },
    "promises": {
        "maps": ("test only that the word is present", "test_walk"),
        "looked": ("take every member of the group for a mapper", "test_walk"),
        "stops": ("look on after the last mapping", "test_walk", "test_other_histories"),
        "all": ("stop at the first mapping", "test_walk"),
        "entry": ("clear the words", "test_unmap"),
        "others": ("replace every present word", "test_unmap", "test_unmap_of_others"),
        "arguments": ("Did you work in place", "test_unmap"),
    },
    "commentary": """
        The mail says it in a dozen lines of C, "look up page in page tables". It leaves open
        when to stop. With the stop a page that only the parent maps costs one lookup. A page
        that only the last child maps costs all of them. The cost meter shows this, and the
        designs of 2004 argued about it.

        Without the stop the walk is right too. It costs the whole group every time.
    """,
}


def word_at(tables, pgd, vpn, levels, bits):
    """Return the page-table entry of page number `vpn`, 0 if there is none."""
    word = pgd << 12
    for level in range(levels):
        word = int(tables[word >> 12][vpn >> bits * (levels - 1 - level) & (1 << bits) - 1])
    return word


def rmap_walk(tables, pgds, index, pfn, mapcount, levels, bits):
    """Return (places in `pgds` that map the page, how many were looked at)."""
    # <answer>
    found, looked = [], 0
    for place, pgd in enumerate(pgds):
        if len(found) == mapcount:
            break
        looked += 1
        word = word_at(tables, pgd, index, levels, bits)
        if word & 1 and word >> 12 == pfn:
            found.append(place)
    return found, looked
    # </answer>


def try_to_unmap(words, pfn, entry):
    """Return `words` with every mapping of `pfn` replaced by `entry`."""
    # <answer>
    return [entry if word & 1 and word >> 12 == pfn else word for word in words]
    # </answer>

"""10a · Read a pagemap word

`/proc/PID/pagemap` has one word of 64 bits for each page of a process:

| bits | if the page is present (bit 63) | if it is swapped out (bit 62) |
|---|---|---|
| 0–54 | number of its frame (*pfn*)[^pfn] | 0–4 number of the swap device[^device], 5–54 slot[^slot] on it |
| 55 | soft-dirty | soft-dirty |
| 56 | mapped exclusively: by one page table[^exclusive] | 0 |
| 61 | page of a file, or shared memory | the same[^file] |

Other bits may be set as well. Ignore them.

1. `decode(word)` returns a dictionary. `state` is `"page"`, `"swap"` or `"none"`[^state]. `pfn` is the
   frame or `None`[^none]. `device` and `slot` are numbers on swap, or `None`. `exclusive`, `file` and
   `soft_dirty` are `True` or `False`. Report `soft_dirty` for an absent page, too[^soft-dirty]. (Soft-dirty is a
   mark of Linux: a program has written to the page since the marks were last cleared.)
2. `shared(words)` takes an array (uint64) of the words of pages 0, 1, 2, … It returns the numbers
   of some pages, ascending[^ascending]. They are those that are present[^present], not of a file[^not-file], and not mapped
   exclusively[^not-exclusive]. The zero page looks like one of them: the word alone does not tell.

[=test_array_operations] of the 10 points is for array operations[^steps]. For 800 words `shared` may make at most 50 steps more
than for 100. So if it makes 30 steps for 100 words, it may make 80 for 800. A step is a line of
yours that runs, a call of a function of yours, or a turn of a loop. A loop over the words is
correct, but you do not get this point.

Do not change the lists and arrays that your functions get[^arguments]: the caller still needs them.
"""

EXERCISE = {
    "objectives": [
        "read what Linux itself says about a page",
        "say what an ordinary user can see of sharing, and what not",
    ],
    "minutes": 15,
    "public": {"test_decode": 2, "test_shared": 1, "test_array_operations": 1},
    "hidden": {"test_other_words": 3, "test_other_arrays": 3},
    "families": ["forked", "family", "swapped", "files"],
    "hints": [
        "Cut the word up as you cut addresses in 01a. Shift what you want to the bottom, and mask "
        "what is above it. The state comes first: the low bits mean different things.",
        "(1 << 55) - 1 has 55 ones. Of these a swap entry gives its lowest five to the device. A "
        "word may be neither present nor swapped. Then it names nothing, whatever its low bits are.",
        "Bit 3 of every number: `numbers >> np.uint64(3) & np.uint64(1)`. The 3 must be a "
        "uint64 as well. With a signed one NumPy would make floats of both.",
    ],
    "equivalent": {
        "decode: bool(word >> PRESENT & 1) -> (word >> PRESENT & 1)": (
            "it is only asked whether it is true"
        ),
        "decode: word >> PRESENT & 1 -> (word >> PRESENT)": (
            "bit 63 is the highest: nothing is above it"
        ),
        "decode: bool(word >> SWAPPED & 1) -> (word >> SWAPPED & 1)": (
            "it is only asked whether it is true"
        ),
        "bit: np.uint64(number) -> number": "NumPy 2 takes a plain int for a uint64",
        "bit: np.uint64(1) -> 1": "NumPy 2 takes a plain int for a uint64",
    },
    "promises": {
        "pfn": ("keep bits above 54", "test_decode", "test_other_words"),
        "device": ("take four bits for the device", "test_decode"),
        "slot": ("take the whole entry for the slot", "test_decode"),
        "exclusive": ("take bit 61 for exclusive", "test_decode"),
        "file": ("look at bit 61 of present pages only", "test_decode"),
        "state": ("count any word that is not 0 as present", "test_decode"),
        "none": ("give a frame to a page that is not present", "test_decode"),
        "soft-dirty": ("the answer is wrong", "test_decode", "test_other_words"),
        "present": ("forget to ask whether the page is present", "test_shared"),
        "not-file": ("count pages of files", "test_shared"),
        "not-exclusive": ("return the pages that are exclusive", "test_shared"),
        "ascending": (
            "the items are right, their order is not",
            "test_shared",
            "test_other_arrays",
        ),
        "steps": ("right, but page by page", "test_array_operations"),
        "arguments": ("Did you work in place", "test_shared"),
    },
    "commentary": """
        Bit 56 is all that an ordinary user learns about sharing. It is enough to see copy on write
        happen: it is 1 before a fork, 0 after it, and 1 again for both after a write. How many
        share (mapcount) stands in /proc/kpagecount, by frame number. Frame numbers read as 0
        without rights, because they have helped attackers.

        words & np.uint64(1 << 63) != 0 is as good as shifting. A loop with decode() is right too. It
        costs the point for array operations. It also costs 200 times as much time for the 262,144
        pages of one gigabyte.
    """,
}

import numpy as np

PFN_BITS, DEVICE_BITS = 55, 5
SOFT_DIRTY, EXCLUSIVE, FILE, SWAPPED, PRESENT = 55, 56, 61, 62, 63


def decode(word):
    """Return what a word of pagemap says, as a dictionary."""
    # <answer>
    low = word & (1 << PFN_BITS) - 1
    present, swapped = bool(word >> PRESENT & 1), bool(word >> SWAPPED & 1)
    return {
        "state": "page" if present else "swap" if swapped else "none",
        "pfn": low if present else None,
        "device": low & (1 << DEVICE_BITS) - 1 if swapped else None,
        "slot": low >> DEVICE_BITS if swapped else None,
        "exclusive": bool(word >> EXCLUSIVE & 1),
        "file": bool(word >> FILE & 1),
        "soft_dirty": bool(word >> SOFT_DIRTY & 1),
    }
    # </answer>


def shared(words):
    """Return the numbers of the pages that are present, not of a file, and not exclusive."""

    # <answer>
    def bit(number):
        return words >> np.uint64(number) & np.uint64(1) != 0

    return np.flatnonzero(bit(PRESENT) & ~bit(FILE) & ~bit(EXCLUSIVE))
    # </answer>

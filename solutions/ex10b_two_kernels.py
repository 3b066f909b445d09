"""10b · Where 2004 and today differ

The design of the mail and the kernel of today agree on nearly everything that a program can see or
count. Find where they do not. After your history the *same process at the same address* has a page.
Its **mapcount** under the anon memory group is different from the one on today's kernel.

Write `history()`, which returns the text of such a history. It is run twice: under **anongroup**,
and under **anon_vma_chain** with today's rule for reuse. Under `anon_vma_chain` the simulator shows
what a running kernel shows after every operation. We know that from `anonlab verify --live`, and
from the recordings.

`statement("10b")` says how the two must differ in the end. It also says how long our history is.
You get [=test_the_two_differ] of the 10 points if the two differ[^differ]. Your history may be 10 operations long[^ten]. You get [=test_is_short] more
points if it has at most two operations more than ours[^short]. You get [=test_is_shortest] more if it is as short as ours[^shortest].
"""

EXERCISE = {
    "objectives": [
        "say in which situation the design of 2004 is visible from outside",
        "construct a history that tells two kernels apart",
    ],
    "minutes": 15,
    "public": {"test_the_two_differ": 4},
    "hidden": {"test_is_short": 3, "test_is_shortest": 3},
    "families": ["two", "three", "eight", "one address"],
    "hints": [
        "As long as no page is pinned, the two fork, copy on write and exit in the same way. In one "
        "other operation anongroup does something that today's kernel does not.",
        "The operation must meet a page that somebody else has as well. So it comes after a fork. "
        "The page must have been written before: one that was only read is the zero page.",
        "When must the mail's design copy, where today's does not? Make that happen to a page "
        "that somebody else still has, and count who maps what. More sharers, more pages, and "
        "a way back to the old address make the other goals.",
    ],
    "equivalent": {
        "history: p mmap 0x30000 1: 1 -> 2": "a page that nobody touches",
        "history: c mremap 0x30000 1 to 0x80000: 0x80000 -> 0x7f000": "any free place will do",
        "history: c mremap 0x30000 1 to 0x80000: 0x80000 -> 0x81000": "any free place will do",
    },
    "promises": {
        "differ": ("Did you move anything?", "test_the_two_differ"),
        "ten": ("allowed are 10", "test_the_two_differ"),
        "short": ("operations, 7 are enough", "test_is_short"),
        "shortest": ("keep operations that change no mapcount", "test_is_shortest"),
    },
    "commentary": """
        mremap is the one hard case of the mail. A page has one address, so a shared page that
        moves is copied. Today a page has an offset in its VMA, and the VMA remembers by how far it
        has moved. Nothing is copied, and the mapcount stays.

        A write by either side afterwards makes the difference smaller again. Today's kernel then
        copies what anongroup has copied already. In the end both have the same number of frames.
        What anongroup pays is to copy early what may never be written.
    """,
}


def history():
    """Return the text of a history after which the two kernels differ in mapcount."""
    # <answer>
    return """
        p = spawn
        p mmap 0x30000 1
        p write 0x30000 7
        c = fork p
        c mremap 0x30000 1 to 0x80000
    """
    # </answer>

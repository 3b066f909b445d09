"""08b · A test of your own

There are six mutants of the kernel. Each has one changed line in swapping, walking or sharing.
`statement("08b")` lists yours. If you have no variant (a list of your own), they are

* swap-out writes no data
* fork copies a swap entry without counting it
* the walk stops one mapping too early
* a swapped-in copy has no contents
* swap-in keeps the use of its entry
* a page swapped in elsewhere is not copied

Write `history()`: **one** history of at most 30 operations[^thirty]. It is run with each mutant in turn.
Everything is checked after every operation. You get [=test_kills_two] of the 10 points if it kills two[^two]. You get [=test_kills_four]
more for four[^four], and [=test_kills_all] more for all six[^six]. No operation may fail[^no-error].
"""

EXERCISE = {
    "objectives": [
        "test a reverse map on purpose, not by chance",
        "say for each bug in which situation it can be seen at all",
    ],
    "minutes": 25,
    "public": {"test_kills_two": 4},
    "hidden": {"test_kills_four": 3, "test_kills_all": 3},
    "families": ["swap", "walk", "family", "move"],
    "hints": [
        "Take the mutants one by one. For each, write down the one operation that goes "
        "wrong. What must the machine look like before it, so that one sees the difference?",
        "`p swap_out 0x30000 2` sends two pages to swap; `p read 0x30000` brings one back. "
        "A fork in between makes entries shared. A lost content shows only if somebody "
        "reads it, or it is compared with what was written.",
        "Each mutant of swapping needs a page that was shared and went to swap. Then somebody "
        "wants it again: by a read and by a write, in both orders. For the clash one process "
        "must have moved the page before both want it.",
    ],
    "equivalent": {
        "history: p mmap 0x30000 4: 0x30000 -> 0x2f000": "the pages that are needed are in it",
        "history: p mmap 0x30000 4: 4 -> 3": "the pages that are needed are in it",
        "history: p mmap 0x30000 4: 4 -> 5": "the pages that are needed are in it",
        "history: p write 0x30000 7 3: 3 -> 4": "a page more is shared",
        "history: p write 0x30000 7 3: 0x30000 -> 0x31000": "another page stays in memory",
        "history: p swap_out 0x30000 2: 0x30000 -> 0x31000": "another page stays in memory",
        "history: c mremap 0x31000 1 to 0x50000: 1 -> 2": "a page more moves",
    },
    "promises": {
        "thirty": ("allowed are 30", "test_kills_two"),
        "two": ("Did you send pages to swap?", "test_kills_two"),
        "four": ("Did you read the pages again?", "test_kills_four"),
        "six": ("move a page that is on swap in one process only", "test_kills_all"),
        "no-error": ("fails:", "test_kills_two"),
    },
    "commentary": """
        One history can kill all six: each needs only a few operations. They do not disturb
        each other if they use different pages. Random histories find the clash at swap-in
        last. For it a shared page must go to swap, move in one process only, and come back
        in both.

        Six short histories would be easier to read. Here you learn which situations can be
        had together.
    """,
}


def history():
    """Return the text of one history that kills the mutants."""
    # <answer>
    return """
        p = spawn
        p mmap 0x30000 4
        p write 0x30000 7 3
        p swap_out 0x30000 2
        c = fork p
        c mremap 0x31000 1 to 0x50000
        p read 0x31000
        c read 0x50000
    """
    # </answer>

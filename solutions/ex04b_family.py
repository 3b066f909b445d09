"""04b · Which history was it?

You are shown who shares which frames. You write a history that leads there: the inverse of
watching. `statement("04b")` in a notebook shows your state, and so does the first failed check. It
reads like this:

    0x30000: child and shell share one frame
    0x31000: child alone, shell alone

Write `history()`, which returns the text of a history. It starts at an empty machine and ends in
exactly that state[^state]. At each address there are the same processes. The same ones share a frame, and
the same ones have one alone[^sharers]. A process that is not named must not have pages[^nobody-else].

You get [=test_reaches_the_state] of the 10 points for the state. You get [=test_is_short] more if your history has at most two operations
more than ours[^short]. You get [=test_is_shortest] more if it is as short as ours[^shortest]. One operation may touch many pages:
`shell write 0x30000 7 2` writes two.
"""

EXERCISE = {
    "objectives": [
        "work back from what is shared to who forked and who wrote",
        "see that a write after fork, and nothing else, ends sharing",
    ],
    "minutes": 15,
    "public": {"test_reaches_the_state": 4},
    "hidden": {"test_is_short": 3, "test_is_shortest": 3},
    "families": ["one child", "two children", "grandchild", "late page"],
    "hints": [
        "Begin with the addresses at which all share one frame. Who must have written them, "
        "and when: before or after the forks?",
        "An address where somebody is alone although the others share was written after the "
        "fork, by whoever is alone. An address that only one process has was written after "
        "the fork too, or the children would have it.",
        "Another state: `0x40000: a alone` comes from a = spawn; a mmap 0x40000 1; b = fork a; "
        "a write 0x40000 1. With the write before the fork it would be `a and b share one "
        "frame`. What must be written before your forks, and what after them?",
    ],
    "equivalent": {
        "history: shell mmap 0x30000 4: 0x30000 -> 0x2f000": (
            "the pages that are asked for are in it"
        ),
        "history: shell mmap 0x30000 4: 4 -> 3": "the pages that are asked for are in it",
        "history: shell mmap 0x30000 4: 4 -> 5": "the pages that are asked for are in it",
    },
    "promises": {
        "state": ("read where you should have written", "test_reaches_the_state"),
        "sharers": ("forget the write after fork", "test_reaches_the_state"),
        "nobody-else": ("write pages that nobody asked for", "test_reaches_the_state"),
        "short": ("operations, 7 are enough", "test_is_short"),
        "shortest": ("write page by page", "test_is_shortest"),
    },
    "commentary": """
        Every write before the fork is shared by all that are forked later. Every write after
        it makes the writer's own page. So the state tells the order: shared pages first, then
        forks, then the rest. Two histories that end in one state are told apart by nothing
        but frame numbers.

        Reading instead of writing gives no frames at all: only the zero page, which is not
        counted here, because it belongs to nobody.
    """,
}


def history():
    """Return the text of a history that ends in the state that you were given."""
    # <answer>
    return """
        shell = spawn
        shell mmap 0x30000 4
        shell write 0x30000 1 3
        child = fork shell
        child write 0x31000 9
    """
    # </answer>

"""05b · Kill a mutant

Somebody has changed one line of the kernel. After every operation of a history, everything is
checked. All counters are compared with a scan of the page tables. All contents are compared with a
second memory, in which each process has pages of its own. The check also looks at who got a new
frame. A history *kills* the mutant if one of the checks fails with the changed line. With the
right line all of them pass, whatever you do.

`statement("05b")` says which line was changed. If you have no variant (a task of your own), it is
this one: **a page is reused while it is shared**. A write treats the page as the writer's own,
although another process maps it.

Write `history()`, which returns the text of a history that kills your mutant[^kills]. You get [=test_kills_the_mutant] of the 10
points for that. You get [=test_is_short] more if the history has at most two operations more than ours[^short]. You get [=test_is_shortest]
more if it is as short as ours[^shortest].
"""

EXERCISE = {
    "objectives": [
        "turn a suspected bug into a history that shows it",
        "say which check sees a bug, and which cannot",
    ],
    "minutes": 15,
    "public": {"test_kills_the_mutant": 4},
    "hidden": {"test_is_short": 3, "test_is_shortest": 3},
    "families": ["shared", "never", "parent", "contents"],
    "hints": [
        "Ask first: in which situation does the changed line do something else than the "
        "right one? A history in which that situation never comes up cannot kill the "
        "mutant.",
        "All four mutants are about copy on write: a page must be there before a fork, and "
        "somebody must write to it after the fork.",
        "Another mutant, *exit frees what others map*: two processes share a page. Then one of "
        "them makes the call whose line was changed, `c exit`. Which call does your mutant "
        "change? Who must make it? And must somebody look afterwards?",
    ],
    "equivalent": {
        "history: p mmap 0x30000 1: 1 -> 2": "a page that nobody touches",
    },
    "promises": {
        "kills": ("Did you fork?", "test_kills_the_mutant"),
        "short": ("operations, 7 are enough", "test_is_short"),
        "shortest": ("keep operations that the bug does not need", "test_is_shortest"),
    },
    "commentary": """
        count and mapcount stay right under all four mutants. Two are seen because a word is
        writable although two processes map its frame. One is seen because contents differ from
        those of a memory that shares nothing. The last is seen only because a page that was
        somebody's alone must keep its frame. This is why a test of copy on write needs more than counters.

        A longer history kills as well, often by accident. It says less: the shortest one is
        nearly a description of the bug.
    """,
}


def history():
    """Return the text of a history that kills the mutant."""
    # <answer>
    return """
        p = spawn
        p mmap 0x30000 1
        p write 0x30000 7
        c = fork p
        c write 0x30000 9
    """
    # </answer>

"""06b · Why fork and exec is cheap

A shell starts programs: it forks, and the child calls `execve` at once. Show with histories what
that costs, and what it would cost without sharing. `statement("06b")` shows your goal. If you have
no variant (numbers of your own), it is: **at most 1 page copied by copy on write, at least 12
frames shared at one time.**

Write `history()`, which returns the text of a history of at most 12 operations[^twelve] such that

* at some moment, at least the number of frames in your goal are mapped in more than one address
  space[^shared], and
* over the whole history, at most 1 page is copied because somebody wrote[^copies], and
* a forked child has called `execve`[^execve], and two processes are alive at the end, which share
  nothing[^parted].

You get [=test_shares_and_parts] of the 10 points for everything except the limit on copies. You get [=test_few_copies] more if the history
keeps this limit, too.
"""

EXERCISE = {
    "objectives": [
        "say what fork, execve and exit do to sharing",
        "count copies instead of guessing them",
    ],
    "minutes": 15,
    "public": {"test_shares_and_parts": 4},
    "hidden": {"test_few_copies": 6},
    "families": ["12 frames", "16 frames", "20 frames", "24 frames"],
    "hints": [
        "Sharing begins with a fork and ends when somebody writes, or leaves. Which of the "
        "two costs a copy?",
        "A process that has written many pages shares all of them at fork. After execve the "
        "child has an address space of its own: with nothing of the parent's in it.",
        "Badly done, with one page: it is written, the shell forks, the child writes and then "
        "calls `execve`. One frame is shared for a moment, and copied for nothing. Do it with "
        "more pages, and leave out what copies.",
    ],
    "equivalent": {
        "history: shell mmap 0x30000 12: 12 -> 13": "a page that nobody touches",
    },
    "promises": {
        "twelve": ("allowed are 12", "test_shares_and_parts"),
        "shared": ("write the pages before the fork", "test_shares_and_parts"),
        "copies": ("write shared pages before execve", "test_few_copies"),
        "execve": ("Did the parent call execve, or nobody?", "test_shares_and_parts"),
        "parted": ("did somebody exit", "test_shares_and_parts"),
    },
    "commentary": """
        Twelve shared frames and no copy: fork paid for page tables only, and execve threw
        them away again. If fork had copied, every one of these pages would have been copied
        for nothing.

        vfork does not even copy the tables: the child borrows the parent's address space
        until it calls execve. It saves the rest, at the price that the parent has to wait.
    """,
}


def history():
    """Return the text of a history of a cheap fork and exec."""
    # <answer>
    return """
        shell = spawn
        shell mmap 0x30000 12
        shell write 0x30000 1 12
        child = fork shell
        child execve ls
    """
    # </answer>

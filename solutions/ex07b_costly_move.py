"""07b · The worst case of a design

The mail expects that the copy in mremap "should usually not even trigger". Find out how often it
*can* trigger. Find out, too, that today's design does without it.

Write `history()`, which returns the text of a history of at most 12 operations[^twelve]. It makes `mremap`
copy as many pages as you can under **anongroup**. The machine is the lesson machine with 64 frames
and 16 swap slots[^machine]. The same history must copy no page for mremap under **anon_vma_chain**.

`statement("07b")` says how many copies give the first [=test_some_copies] of the 10 points[^some]. It also says
how many are the most that we have found. You get [=test_many_copies] more points for 45 copies[^many]. You get [=test_most_copies] more for as
many as we have found[^most].
"""

EXERCISE = {
    "objectives": [
        "construct the worst case of a design from its rules",
        "see where another design pays nothing",
    ],
    "minutes": 20,
    "public": {"test_some_copies": 4},
    "hidden": {"test_many_copies": 3, "test_most_copies": 3},
    "families": ["16 copies", "20 copies", "24 copies", "28 copies"],
    "hints": [
        "mremap copies a page if somebody else has it. How do you get somebody else with "
        "one operation? And how many pages can one mremap move?",
        "A copied page is not shared any more. Moving it once more copies nothing. But others "
        "still share the old one, and they can move too.",
        "Every copy takes a frame, and there are 63 besides the zero page. What gives the "
        "frames of copies back, while the old pages are there to be shared once more?",
    ],
    "equivalent": {
        "history: p mmap 0x10000 31: 31 -> 32": "a page that nobody touches",
        "history: a mremap 0x10000 31 to 0x50000: 0x50000 -> 0x4f000": "any free place will do",
        "history: a mremap 0x10000 31 to 0x50000: 0x50000 -> 0x51000": "any free place will do",
        "history: b mremap 0x10000 31 to 0x50000: 0x50000 -> 0x4f000": "any free place will do",
        "history: b mremap 0x10000 31 to 0x50000: 0x50000 -> 0x51000": "any free place will do",
        "history: c mremap 0x10000 31 to 0x50000: 0x50000 -> 0x4f000": "any free place will do",
        "history: c mremap 0x10000 31 to 0x50000: 0x50000 -> 0x51000": "any free place will do",
    },
    "promises": {
        "twelve": ("allowed are 12", "test_some_copies"),
        "machine": ("the machine is to be the lesson machine", "test_some_copies"),
        "some": ("Did you move anything?", "test_some_copies"),
        "many": ("Did you let one process move only?", "test_many_copies"),
        "most": ("Did you keep all children alive?", "test_most_copies"),
    },
    "commentary": """
        31 shared pages and 31 copies fill 62 frames. Fork, move, exit is a round of three
        operations that copies all 31. Three rounds fit. Several children at a time that all
        move are worse: (k + 1) n frames must fit for k n copies. That gives 48 at best.

        Under anon_vma_chain a move changes where the VMA starts. Its pgoff and the pages stay
        as they are, so all of them stay shared. The price is paid elsewhere: in VMAs that
        cannot merge, and in chains.
    """,
}


def history():
    """Return the text of a history that makes mremap copy many pages."""
    # <answer>
    return """
        p = spawn
        p mmap 0x10000 31
        p write 0x10000 1 31
        a = fork p
        a mremap 0x10000 31 to 0x50000
        a exit
        b = fork p
        b mremap 0x10000 31 to 0x50000
        b exit
        c = fork p
        c mremap 0x10000 31 to 0x50000
    """
    # </answer>

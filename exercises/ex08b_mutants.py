"""08b · A test of your own

There are six mutants of the kernel. Each has one changed line in swapping, walking or sharing.
`statement("08b")` lists yours. If you have no variant (a list of your own), they are

* swap-out writes no data
* fork copies a swap entry without counting it
* the walk stops one mapping too early
* a swapped-in copy has no contents
* swap-in keeps the use of its entry
* a page swapped in elsewhere is not copied

Write `history()`: **one** history of at most 30 operations. It is run with each mutant in turn.
Everything is checked after every operation. You get 4 of the 10 points if it kills two. You get 3
more for four, and 3 more for all six. No operation may fail.
"""

def history():
    """Return the text of one history that kills the mutants."""
    raise NotImplementedError("08b: your code goes here")

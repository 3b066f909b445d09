"""05b · Kill a mutant

Somebody has changed one line of the kernel. After every operation of a history, everything is
checked. All counters are compared with a scan of the page tables. All contents are compared with a
memory that shares nothing. And it is checked who got a new frame. A history *kills* the mutant if
one of the checks fails with the changed line. With the right line all of them pass, whatever you
do.

`statement("05b")` says which line was changed. If you have no variant of your own it is this one:
**a page is reused while it is shared**. A write takes a page for its own although another process
maps it.

Write `history()`, which returns the text of a history that kills your mutant. That gives 4 of
the 10 points. 3 more are for a history that has at most two operations more than ours.
3 more are for one that is as short as ours.
"""

def history():
    """Return the text of a history that kills the mutant."""
    raise NotImplementedError("05b: your code goes here")

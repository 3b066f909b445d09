"""06b · Why fork and exec is cheap

A shell starts programs: it forks, and the child calls `execve` at once. Show with histories what
that costs, and what it would cost without sharing. `statement("06b")` shows your goal; without a
variant of your own it is: **at most 1 page copied by copy on write, at least 12 frames shared at
one time.**

Write `history()`, which returns the text of a history of at most 12 operations such that

* at some moment at least so many frames are mapped in more than one address space, and
* over the whole history at most so many pages are copied because somebody wrote, and
* a forked child has called `execve`, and two processes are alive at the end, which share
  nothing.

Of the 10 points 4 are for all of this but the copies, and 6 more for the copies as well.
"""

def history():
    """Return the text of a history of a cheap fork and exec."""
    raise NotImplementedError("06b: your code goes here")

"""06b · Why fork and exec is cheap

A shell starts programs: it forks, and the child calls `execve` at once. Show with histories what
that costs, and what it would cost without sharing. `statement("06b")` shows your goal. If you have
no variant (numbers of your own), it is: **at most 1 page copied by copy on write, at least 12
frames shared at one time.**

Write `history()`, which returns the text of a history of at most 12 operations such that

* at some moment, at least the number of frames in your goal are mapped in more than one address
  space, and
* over the whole history, at most 1 page is copied because somebody wrote, and
* a forked child has called `execve`, and two processes are alive at the end, which share
  nothing.

You get 4 of the 10 points for everything except the limit on copies. You get 6 more if the history
keeps this limit, too.
"""

def history():
    """Return the text of a history of a cheap fork and exec."""
    raise NotImplementedError("06b: your code goes here")

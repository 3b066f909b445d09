"""05b · Kill a mutant

Somebody has changed one line of the kernel. After every operation of a history, everything is
checked. All counters are compared with a scan of the page tables. All contents are compared with a
second memory, in which each process has pages of its own. The check also looks at who got a new
frame. A history *kills* the mutant if one of the checks fails with the changed line. With the
right line all of them pass, whatever you do.

`statement("05b")` says which line was changed. If you have no variant (a task of your own), it is
this one: **a page is reused while it is shared**. A write treats the page as the writer's own,
although another process maps it.

Write `history()`, which returns the text of a history that kills your mutant. You get 4 of the 10
points for that. You get 3 more if the history has at most two operations more than ours. You get 3
more if it is as short as ours.
"""

def history():
    """Return the text of a history that kills the mutant."""
    raise NotImplementedError("05b: your code goes here")

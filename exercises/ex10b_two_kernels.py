"""10b · Where 2004 and today differ

The design of the mail and the kernel of today agree on nearly everything that a program can see or
count. Find where they do not. After your history the *same process at the same address* has a page.
Its **mapcount** under the anon memory group is different from the one on today's kernel.

Write `history()`, which returns the text of such a history. It is run twice: under **anongroup**,
and under **anon_vma_chain** with today's rule for reuse. Under `anon_vma_chain` the simulator shows
what a running kernel shows after every operation. We know that from `anonlab verify --live`, and
from the recordings.

`statement("10b")` says how the two must differ in the end. It also says how long our history is.
You get 4 of the 10 points if the two differ. Your history may be 10 operations long. You get 3 more
points if it has at most two operations more than ours. You get 3 more if it is as short as ours.
"""

def history():
    """Return the text of a history after which the two kernels differ in mapcount."""
    raise NotImplementedError("10b: your code goes here")

"""10b · Where 2004 and today part

The design of the mail and the kernel of today agree on nearly everything that a program can see or
count. Find where they do not: a history after which the *same process at the same address* has a
page with another **mapcount** under the anon memory group than on today's kernel.

Write `history()`, which returns the text of such a history. It is run twice: under **anongroup**,
and under **anon_vma_chain** with today's rule for reuse. Of the latter we know that it shows what a
running kernel shows after every operation (`anonlab verify --live`, and the recordings).

`statement("10b")` says how the two must differ in the end, and in how many operations it can be
done. That they differ gives 4 of the 10 points; the history may be 10 operations long. 3 more
points are for one that has at most two operations more than ours, and 3 more for one as short
as ours.
"""

def history():
    """Return the text of a history after which the two kernels differ in mapcount."""
    raise NotImplementedError("10b: your code goes here")

"""07b · The worst case of a design

The mail expects that the copy in mremap "should usually not even trigger". Find out how often it
*can* trigger. Find out, too, that today's design does without it.

Write `history()`, which returns the text of a history of at most 12 operations. It makes `mremap`
copy as many pages as you can under **anongroup**. The machine is the lesson machine with 64 frames
and 16 swap slots. The same history must copy no page for mremap under **anon_vma_chain**.

`statement("07b")` says how many copies give the first 4 of the 10 points. It also says
how many are the most that we have found. You get 3 more points for 45 copies. You get 3 more for as
many as we have found.
"""

def history():
    """Return the text of a history that makes mremap copy many pages."""
    raise NotImplementedError("07b: your code goes here")

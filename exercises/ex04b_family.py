"""04b · Which history was it?

You are shown who shares which frames. You write a history that leads there: the inverse of
watching. `statement("04b")` in a notebook shows your state, and so does the first failed check. It
reads like this:

    0x30000: child and shell share one frame
    0x31000: child alone, shell alone

Write `history()`, which returns the text of a history. It starts at an empty machine and ends in
exactly that state. At each address there are the same processes. The same ones share a frame, and
the same ones have one alone. A process that is not named must not have pages.

You get 4 of the 10 points for the state. You get 3 more if your history has at most two operations
more than ours. You get 3 more if it is as short as ours. One operation may touch many pages:
`shell write 0x30000 7 2` writes two.
"""

def history():
    """Return the text of a history that ends in the state that you were given."""
    raise NotImplementedError("04b: your code goes here")

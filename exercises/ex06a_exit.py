"""06a · exit gives everything back

When a process exits, its words go one by one. Each word used a frame or a slot of swap. So lower
the counters of what it used.

Write `exit_mm(words, count, mapcount, swap_map)`. `words` are the words of the process's private
memory. For each frame, `count` says how many users it has, and `mapcount` how many words map it.
`swap_map` says how many entries use each swap slot; the swap cache counts as one more. Return the
three arrays as they are afterwards, and the ascending list of the frames that became free.

* For a present word that maps a frame, subtract 1 from `mapcount` and 1 from `count` of this frame.
  A frame whose `count` falls to 0 is free. A frame that somebody else holds stays.
* The zero page (frame 0) has no mapcount and is never freed. Nothing changes for it.
* For a swap entry, subtract 1 from `swap_map` of its slot, which is `word >> 8`. Change nothing
  else. Bits 1 to 5 name the swap area: the disk or the file that has the slot. No two slots have
  the same number, even in different areas.
* Do not change the arrays that you get. One process never maps a frame twice.
"""

import numpy as np

PRESENT = 1


def exit_mm(words, count, mapcount, swap_map):
    """Return (count, mapcount, swap_map, freed frames) after the exit."""
    raise NotImplementedError("06a: your code goes here")

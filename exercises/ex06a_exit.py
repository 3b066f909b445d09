"""06a · exit gives everything back

When a process exits, its words go one by one. Each of them held something, and something else
must learn that it is gone.

Write `exit_mm(words, count, mapcount, swap_map)`. `words` are the words of the process's private
memory. `count` and `mapcount` say how many references and mappings every frame has. `swap_map` says
how many entries use every swap slot; the swap cache counts as one more. Return the three arrays as
they are afterwards, and the ascending list of the frames that became free.

* A present word that maps a frame takes one off `mapcount` and one off `count` of this frame. A
  frame whose `count` falls to 0 is free. A frame that somebody else holds stays.
* The zero page (frame 0) has no mapcount and is never freed. Nothing changes for it.
* A swap entry takes one off `swap_map` of its slot, which is `word >> 8`, and
  nothing else. Bits 1 to 5 say in which swap area the slot lies. Slots are numbered
  through all areas.
* The arrays that you get must stay as they are. One process never maps a frame twice.
"""

import numpy as np

PRESENT = 1


def exit_mm(words, count, mapcount, swap_map):
    """Return (count, mapcount, swap_map, freed frames) after the exit."""
    raise NotImplementedError("06a: your code goes here")

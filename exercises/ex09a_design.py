"""09a · A reverse map of your own

Write a whole design. The simulated kernel tells your class `Design` of everything that happens to
anonymous pages, one page at a time. It tells it in whole numbers: `pfn` is a frame, `mm` an address
space, `vpn` a page number.

* `new_mm(mm)`, `fork_mm(child, parent)`, `drop_mm(mm)`: an address space comes (spawn, execve),
  is forked, goes. Its pages are gone before it goes.
* `add(pfn, mm, vpn)`: a new page was mapped, or a page came back from swap. `dup`: fork mapped it
  once more. `remove`: it lost this mapping. The last `remove` means that nobody maps it.
* `must_copy(pfn, mm, vpn)`: mremap wants to move it. Return True if your design cannot follow;
  then this process gets a copy. `moved(pfn, mm, old, new)`: it has moved.
* `clash(pfn, mm, vpn)`: a page that others map comes back from swap at `vpn` of `mm`. Return True
  if your design could not find it there; then this process gets a copy.
* `candidates(pfn)`: return a list of `(mm, vpn)` where the page may be mapped, without
  repetition. A set will do.

You **must not miss** a place that maps the page. You may name places that do not, in any address
space that is there: each costs a look, and looks are counted. Any design that is right gets the
points for being right. It may be the anon memory group of the mail, a chain of all places, or one
that nobody has had before.

Of the 20 points 4 are for the cost, over random histories. You get 1 if you name at most 6
places for each that maps a page. You get 2 more if you name at most 3; the group of the mail
names 1 to 2. You get 1 if no page is copied without need: it comes back from swap at the address
where the others have it.
"""

class Design:
    """A reverse map: from a frame to the places that may map it."""

    raise NotImplementedError("09a: your code goes here")

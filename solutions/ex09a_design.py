"""09a · A reverse map of your own

Write a whole design. The simulated kernel tells your class `Design` of everything that happens to
anonymous pages, one page at a time. It tells it in whole numbers: `pfn` is a frame, `mm` an address
space, `vpn` a page number.

* `new_mm(mm)`, `fork_mm(child, parent)`, `drop_mm(mm)`: an address space comes (spawn, execve),
  is forked[^fork], goes. Its pages are gone before it goes[^gone].
* `add(pfn, mm, vpn)`: a new page was mapped, or a page came back from swap[^swap]. `dup`: fork mapped it
  once more. `remove`: it lost this mapping. The last `remove` means that nobody maps it.
* `must_copy(pfn, mm, vpn)`: mremap wants to move it. Return True if your design cannot follow;
  then this process gets a copy. `moved(pfn, mm, old, new)`: it has moved[^moved].
* `clash(pfn, mm, vpn)`: a page that others map comes back from swap at `vpn` of `mm`. Return True
  if your design could not find it there; then this process gets a copy.
* `candidates(pfn)`: return a list of `(mm, vpn)` where the page may be mapped, without
  repetition[^list]. A set will do.

You **must not miss** a place that maps the page. You may name places that do not, in any address
space that is there: each costs a look, and looks are counted. Any design that is right gets the
points for being right. It may be the anon memory group of the mail, a chain of all places, or one
that nobody has had before.

Of the 20 points 4 are for the cost, over random histories. You get [=test_at_most_6_places] if you name at most 6
places for each that maps a page[^six]. You get [=test_at_most_3_places] more if you name at most 3[^three]; the group of the mail
names 1 to 2. You get [=test_no_needless_copy] if no page is copied without need: it comes back from swap at the address
where the others have it[^needless].
"""

EXERCISE = {
    "objectives": [
        "turn an idea for a reverse map into one that survives random histories",
        "weigh what you keep against what a walk must look at",
    ],
    "minutes": 45,
    "public": {"test_forks_and_writes": 4, "test_moves": 4},
    "hidden": {
        "test_everything": 8,
        "test_at_most_6_places": 1,
        "test_at_most_3_places": 2,
        "test_no_needless_copy": 1,
    },
    "families": ["forked", "family", "moved", "moved_swapped", "mixed"],
    "hints": [
        "Decide first what a page remembers. If it remembers all its places, the walk is "
        "trivial and every fork is work. If it remembers one place and a group, fork is one "
        "line.",
        "The simplest right design is a dictionary: pfn -> list of (mm, vpn). Which hooks "
        "add to it, which take away, and what does a move do?",
        "Think of a list of who has which book. Lending adds a name, giving back takes one out, "
        "and who moves house changes an address. Each hook tells you one of these. If you keep "
        "only one address for each page, must_copy and clash say when that is not enough.",
    ],
    "promises": {
        "fork": ("forget what fork does", "test_forks_and_writes"),
        "gone": ("keep an address space after drop_mm", "test_forks_and_writes"),
        "swap": ("come back from swap", "test_everything"),
        "moved": ("forget to follow mremap", "test_moves", "test_everything"),
        "list": ("something else than a list", "test_forks_and_writes"),
        "six": ("name addresses at which the page has never been", "test_at_most_6_places"),
        "three": ("name addresses at which the page has never been", "test_at_most_3_places"),
        "needless": ("Did clash say True", "test_no_needless_copy"),
    },
    "commentary": """
        This is the group of the mail: a page remembers its group and one address. fork and
        exit are one line each and touch no page. The price is in must_copy and clash: pages
        are copied because one address is not enough. It is also in candidates, which name
        every member.

        The dictionary of all places (hint 2) is right as well. It has no false candidates, but
        at every fork it works for every page. That was pte_chain, and why it went.
    """,
}


class Design:
    """A reverse map: from a frame to the places that may map it."""

    # <answer>
    def __init__(self):
        self.group_of = {}  # mm -> the list of the mms of its group
        self.pages = {}  # pfn -> [group, vpn, number of mappings]

    def new_mm(self, mm):
        self.group_of[mm] = [mm]

    def fork_mm(self, child, parent):
        self.group_of[child] = self.group_of[parent]
        self.group_of[child].append(child)

    def drop_mm(self, mm):
        self.group_of.pop(mm).remove(mm)

    def add(self, pfn, mm, vpn):
        page = self.pages.setdefault(pfn, [self.group_of[mm], vpn, 0])
        page[2] += 1

    def dup(self, pfn, mm, vpn):
        self.pages[pfn][2] += 1

    def remove(self, pfn, mm, vpn):
        self.pages[pfn][2] -= 1
        if self.pages[pfn][2] == 0:
            del self.pages[pfn]

    def must_copy(self, pfn, mm, vpn):
        return self.pages[pfn][2] > 1

    def moved(self, pfn, mm, old, new):
        self.pages[pfn][1] = new

    def clash(self, pfn, mm, vpn):
        return self.pages[pfn][1] != vpn

    def candidates(self, pfn):
        group, vpn, _ = self.pages[pfn]
        return [(mm, vpn) for mm in group]

    # </answer>

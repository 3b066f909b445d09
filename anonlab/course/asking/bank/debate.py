"""What was said about the reverse map in 2003 and 2004, by whom, when, and where to read it.

`words` are quoted from the mail. What stands in `idea` is ours.
"""

from __future__ import annotations

from typing import NamedTuple

LKML = "https://lore.kernel.org/r/"


class Said(NamedTuple):
    """One mail: when, who, a few of its words ('' if none are quoted), its idea, and its id."""

    topic: str
    when: str
    who: str
    words: str
    idea: str
    message: str

    @property
    def url(self) -> str:
        """Where the mail can be read."""
        return LKML + self.message.replace("[", "%5B").replace("]", "%5D")


TOPICS = ("price", "search", "move", "Friday and Saturday", "end")

SAID = (
    Said(
        "price", "20 Feb 2003", "Dave McCracken",
        "The stumbling block has always been anonymous pages.",
        "Pages of files can be found through the VMAs of the file. For anonymous pages the chains "
        "stay.",
        "135130000.1045781211@baldur.austin.ibm.com",
    ),
    Said(
        "price", "8 Mar 2004", "Andrea Arcangeli", "",
        "Chains fill the low memory of 32-bit machines. His sum: 2.7 GiB that 100 tasks share take "
        "half a GiB of chains.",
        "20040308202433.GA12612@dualathlon.random",
    ),
    Said(
        "price", "8 Mar 2004", "Linus Torvalds",
        "I certainly prefer this to the 4:4 horrors.",
        "The other way out was a patch that gives the kernel 4 GiB of addresses of its own "
        "(4G/4G).",
        "Pine.LNX.4.58.0403081238060.9575@ppc970.osdl.org",
    ),
    Said(
        "search", "9 Mar 2004", "Ingo Molnar", "",
        "A database maps one file in 16,000 pieces. Without chains each piece may have to be "
        "looked at for one page of the file. (Linux 2.6.7 has a tree for that, the prio_tree.)",
        "20040309090326.GA10039@elte.hu",
    ),
    Said(
        "search", "13 Mar 2004", "Andrea Arcangeli", "",
        "Memory that one child allocated is looked for in all address spaces of its group, maybe "
        "thousands. 24 bytes for each VMA avoid that.",
        "20040313173348.GI30940@dualathlon.random",
    ),
    Said(
        "search", "13 Mar 2004", "William Lee Irwin III", "",
        "The VMA is needed all the same, for locked memory. And an address space without the page "
        "may have a huge page at that address.",
        "20040314011920.GG655@holomorphy.com",
    ),
    Said(
        "move", "11 Mar 2004", "Hugh Dickins", "",
        "Programs split and merge VMAs all the time. They hardly ever move memory that they have "
        "inherited.",
        "Pine.LNX.4.44.0403111248450.1402-100000@localhost.localdomain",
    ),
    Said(
        "move", "12 Mar 2004", "Andrea Arcangeli", "",
        "After an mremap the index is wrong. It cannot be mended in place, for the others still "
        "have the page at the old address.",
        "20040312131103.GS30940@dualathlon.random",
    ),
    Said(
        "move", "13 Mar 2004", "Hugh Dickins",
        "That's always been a fallback solution, I was just a little too ashamed to propose it "
        "originally",
        "The copy in mremap wastes whole pages. Pages on swap must be copied, too.",
        "Pine.LNX.4.44.0403131653010.3585-100000@localhost.localdomain",
    ),
    Said(
        "move", "13 Mar 2004", "Rik van Riel",
        "Think of it as taking the COW faults early",
        "Who moves pages is about to use them, so the copy would come anyway.",
        "Pine.LNX.4.44.0403131227210.15971-100000@chimarrao.boston.redhat.com",
    ),
    Said(
        "move", "13 Mar 2004", "Andrea Arcangeli",
        "using mremap to _move_ anonymous maps is simply not frequent",
        "Pages that were moved may only be read, and then the copy is for nothing.",
        "20040313175406.GK30940@dualathlon.random",
    ),
    Said(
        "Friday and Saturday", "12 Mar 2004", "Linus Torvalds",
        "That's a GUARANTEED way to get bugs, and really subtle behaviour.",
        "Friday: no code for rare cases that nobody tests. A rule for every page, or none.",
        "Pine.LNX.4.58.0403120812430.1045@ppc970.osdl.org",
    ),
    Said(
        "Friday and Saturday", "13 Mar 2004", "Linus Torvalds",
        "we should make _that_ the expensive operation, instead of making everything else more "
        "complicated",
        "Saturday: the rare case is a copy. Then there is no special case at all.",
        "Pine.LNX.4.58.0403131048340.900@ppc970.osdl.org",
    ),
    Said(
        "Friday and Saturday", "13 Mar 2004", "Hugh Dickins",
        "Friday's Linus has a good point, but I agree more with Saturday's",
        "mremap is a very special case and should not stand in the middle of the design.",
        "Pine.LNX.4.44.0403131902070.3730-100000@localhost.localdomain",
    ),
    Said(
        "end", "24 Mar 2004", "Martin Bligh",
        "within the noise level",
        "He measured anonmm against anon_vma. Both are faster than chains, and equal to each "
        "other. His test had no lack of memory.",
        "35130000.1080146145@[10.10.2.4]",
    ),
    Said(
        "end", "18 May 2004", "Hugh Dickins",
        "It just comes down to whether we can spare the extra 24 bytes",
        "He replaces his own anonmm by Andrea's anon_vma, and names what that buys: swap-out and "
        "mremap.",
        "Pine.LNX.4.44.0405182304150.3416-100000@localhost.localdomain",
    ),
    Said(
        "end", "23 May 2004", "Linus Torvalds",
        "The latter gets rid of the expensive pte chains",
        "Linux 2.6.7-rc1 has anon_vma. He thanks Andrea Arcangeli and Hugh Dickins.",
        "Pine.LNX.4.58.0405222331200.18534@ppc970.osdl.org",
    ),
)  # fmt: skip
"""In the order of topics, then of days."""

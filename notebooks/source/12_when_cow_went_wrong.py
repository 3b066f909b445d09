# %% [markdown]
# # 12 · When copy on write went wrong
#
# **In 45 minutes you can** say how copy on write broke in Linux. You can show each bug in the
# fewest operations, and name the rule that mended it.
#
# You need 05 and 08. Terms: [copy on write](glossary.md#copy-on-write),
# [reuse](glossary.md#reuse), [pin](glossary.md#pin), [mapcount](glossary.md#mapcount),
# [count](glossary.md#count). This notebook has no exercises.

# %%
from anonlab.learn import *

# %% [markdown]
# ## One promise
#
# After [fork](glossary.md#fork), two processes share a page. The promise is simple: **what one of
# them writes, the other never sees.** At each write the kernel must decide. Does it copy the page,
# or may the program write *in place*? Between 2004 and 2022 Linux changed this rule three times.
# Each change mended something, and two of them broke something else.
#
# In the first three bugs all page-table entries are right. The trouble is a third party: somebody
# who holds a frame **without an entry**. Two bugs of other kinds follow.

# %% [markdown]
# ## Who holds a frame without an entry?
#
# A device that fills a page is told the number of the frame, not an address. So it
# [pins](glossary.md#pin) the frame: `count` rises, `mapcount` does not. There is a second kind. A
# program calls `vmsplice` and puts a page into a pipe, without copying it. The pipe holds the frame
# until somebody reads. It never writes.
#
# In a history, `app pin 0x30000` is a device that writes, and `app pin 0x30000 read` is somebody
# who only reads.

# %% [markdown]
# ## 2005 to 2020: count the entries
#
# From June 2005 on (Linux 2.6.13) a page was written in place if **one entry** named it.
# The child of this story takes the page into a pipe. Then it unmaps the page, and waits.

# %%
scene("12 leak")

# %% [markdown]
# ### What this was
#
# <details><summary>The bug, its sources, and its mending</summary>
#
# It is CVE-2020-29374. A program forks children with fewer rights. Android's zygote does so: all
# apps are its children. Such a child could read what its parent wrote *later*, a password for
# example. David Hildenbrand summed it up on [15 November
# 2021](https://lore.kernel.org/r/3ae33b08-d9ef-f846-56fb-645e3b9b4c66@redhat.com): the child
# observes the parent "by smart use of vmsplice()+munmap()".
#
# The [official description](https://nvd.nist.gov/vuln/detail/CVE-2020-29374) says that the kernel
# "can grant unintended write access". The same mail corrects this: it should be *read* access.
#
# </details>

# %% [markdown]
# <details><summary>How was it mended?</summary>
#
# It was mended twice in 2020. First [commit
# 17839856fd58](https://git.kernel.org/linus/17839856fd58): a pin that only reads gets a copy, too.
# That broke other users. So Linux went over to [counting
# holders](https://git.kernel.org/linus/b25d1dc9474e) on 4 September 2020, and took that first
# commit back.
#
# </details>

# %% [markdown]
# The next story is the same one, under the rule of September 2020: in place only if **one holder**
# is left. A holder is an entry, a pin, or the swap cache.

# %%
scene("12 leak mended")

# %% [markdown]
# ## How short can it be?
#
# You saw three operations after the fork. Could two be enough? The machine is small, so we try
# everything: every sequence of nine operations, up to five long. `None` means that no such sequence
# leaks.

# %%
{year: shortest_bug("leak", year) for year in ("2004", "2005", "2020", "2022")}

# %% [markdown]
# So three is the least, with these operations. Only the rule of 2005 leaks, within five of them.
# The rule of 2004 counted all holders, as that of 2020 does. Why did Linux ever give it up? Keep
# the question for the next bug.

# %% [markdown]
# ## 2020: count the holders
#
# Now a device fills the page of `app`. A network card writes into it, for example. `app` has
# asked for that and waits. Nobody forks. Meanwhile a tool removes the right to write to the page,
# and gives it back later.

# %%
scene("12 lost")

# %% [markdown]
# Since 2022 a page that belongs to one process alone carries a mark. The same story again:

# %%
scene("12 lost mended")

# %% [markdown]
# ### Why the rule of 2004 was given up
#
# <details><summary>What Hugh Dickins wrote in June 2005</summary>
#
# A page was lost in those days, too: a device held it, and swap-out took its entry away. At the
# next write the raised count led to a copy. In the words of [commit
# c475a8ab625d](https://git.kernel.org/linus/c475a8ab625d), the kernel "substituted a different page
# into userspace".
#
# From 2.6.7 on swap-out left a page alone that somebody held. This "works, but is unsatisfying".
# A test of page migration hung on it. So Hugh let the write fault count entries. Then swap-out
# could unmap such pages again. That mended this lost page, and opened the way for the leak.
#
# </details>

# %% [markdown]
# ### What this was
#
# <details><summary>The bug of 2020, its sources, and its mending</summary>
#
# Hildenbrand's second and third point in the [same
# mail](https://lore.kernel.org/r/3ae33b08-d9ef-f846-56fb-645e3b9b4c66@redhat.com): "a write-fault
# on a page that has additional references results in a COW and thereby a loss of synchronicity". In
# his example another tool took the right to write away (`clear_refs`). Our `mprotect` stands for
# it. The mark, `PG_anon_exclusive`, came with his series of [29 March
# 2022](https://lore.kernel.org/r/20220329160440.193848-1-david@redhat.com).
#
# </details>

# %% [markdown]
# ## Three bugs, four rules
#
# There is a second way to lose a page: the process forks while the device is at work. **Which of
# the four rules shows none of the three bugs?** Look at what each rule counts before you answer.
#
# | year | written in place if |
# |---|---|
# | 2004 | one holder is left; the swap cache is not counted |
# | 2005 | one entry or swap entry is left |
# | 2020 | one holder is left |
# | 2022 | the page is marked as one process's own; else as in 2004 |

# %%
predict("12 rules", ...)

# %%
years = ("2004", "2005", "2020", "2022")
bugs = ("leak", "lost after fork", "lost alone")
found = {year: [bug for bug in bugs if shortest_bug(bug, year)] for year in years}
lines = [f"{year}: {', '.join(shown) or 'none of the three'}" for year, shown in found.items()]
reveal("12 rules", lines, truth={year for year in years if not found[year]}, among=years)

# %% [markdown]
# <details><summary>Why?</summary>
#
# 2005 counted too little, and leaked. 2004 and 2020 counted too much, and lost pages. After a fork
# 2005 lost them, too. **A count of one for each cannot tell a device from a process.** 2022 looks
# at a mark first, and counts only where there is none. The mark also changes fork: a page
# that is marked and pinned is copied for the child at once.
#
# Linux copied pinned pages at fork from [September
# 2020](https://git.kernel.org/linus/70e806e4e645) on. Our rule of 2020 is that of the write fault
# alone, so it still shows *lost after fork*. Our pages are single: the same mail says that the leak
# came back for huge pages.
#
# </details>

# %% [markdown]
# ### How does fork know that a device is there?
#
# <details><summary>A pin counts 1,024</summary>
#
# In our machine every pin adds 1 to the count. In Linux a device may pin with `pin_user_pages`.
# Since 2020 such a pin adds [1,024](https://docs.kernel.org/core-api/pin_user_pages.html) to the
# count of a single page. Large pages have a number of their own for it, `_pincount`.
#
# `folio_maybe_dma_pinned` asks whether the count is 1,024 or more. It says *maybe* because 1,024
# ordinary holders look the same. Then fork makes a copy that nobody needed. It does not overlook a
# pin of this kind. But it does not see the pipe of the leak: that adds only 1, as any holder does.
#
# </details>

# %%
{bug: [shortest_bug(bug, year) for year in years] for bug in bugs[1:]}

# %% [markdown]
# ## Dirty COW
#
# A process may read a file of passwords, and not write it. It maps the file **privately**: what it
# writes goes to a copy. It asks the kernel to write for it, through `/proc/self/mem`. The kernel
# works in two tries. The first one makes the copy. The second one looks the page up and writes
# there. Between the two, another thread throws the copy away.
#
# In our story the two tries are two pins: we only ask *which frame* the kernel gets. Until 2016 the
# second try only said that it reads.

# %%
scene("12 dirty cow")

# %% [markdown]
# And with a second try that says again that it wants to write:

# %%
scene("12 dirty cow mended")

# %% [markdown]
# Again: is there a shorter way? All sequences of up to five operations:

# %%
tries = ("dirty cow, a retry that reads", "dirty cow, a retry that writes")
{bug: shortest_bug(bug, "2004") for bug in tries}

# %% [markdown]
# ### What this was, and what we left out
#
# <details><summary>The bug, its sources, and its mending</summary>
#
# CVE-2016-5195. The [official description](https://nvd.nist.gov/vuln/detail/CVE-2016-5195) calls it
# a "race condition": users could "write to a read-only memory mapping", and did so in October 2016.
#
# Once the copy was made, the kernel forgot that it wanted to write (`FOLL_WRITE`).
# [Commit 19be0eaffa3a](https://git.kernel.org/linus/19be0eaffa3a) of 13 October 2016 keeps it and
# adds `FOLL_COW`. It also checks that the copy is still there, by its dirty bit. Its text says that
# an earlier attempt of 2005 was undone:
# [commit 4ceb5db9757a](https://git.kernel.org/linus/4ceb5db9757a). **A permission that was checked
# before a retry is no permission.**
#
# </details>

# %% [markdown]
# <details><summary>What is simpler here</summary>
#
# Four things are simpler here. The two tries are operations of ours, so nothing races. Our mapping
# may be written; theirs could not, and the kernel was told to write all the same (`FOLL_FORCE`).
# Our first try keeps its hold on the copy. And nothing is written: you see only the frame.
#
# </details>

# %% [markdown]
# ## 2010: whose page is it?
#
# This bug was not in a rule about writing. It was in the [reverse map](glossary.md#reverse-map). A
# page names one [anon_vma](glossary.md#anon-vma): its home. Since 2010 each process has its own. A
# page that was on [swap](glossary.md#swap) must get a home when it comes back. **Whose?**

# %%
scene("12 home")

# %%
scene("12 home mended")

# %% [markdown]
# Five operations. Is there a shorter way to a page whose home is gone?

# %%
{rule: shortest_bug("home", rule) for rule in ("March 2010", "April 2010")}

# %% [markdown]
# ### What this was
#
# <details><summary>The bug, its sources, and its mending</summary>
#
# A rare crash held up Linux 2.6.34-rc4 for two weeks. It came after hibernation: the machine
# sleeps, and its memory is on the disk. Three other bugs were found on the way. LWN told the story
# as ["The case of the overly anonymous anon_vma"](https://lwn.net/Articles/383162/) on 13 April
# 2010. The rule since: a page that others may still have names the **oldest** anon_vma.
#
# The group of the mail has no such choice: every process of the family is in one group, and it
# lives as long as any of them.
#
# </details>

# %%
answer("12 decisions", ...)

# %% [markdown]
# ## Exit ticket
#
# 1. "mapcount is 1, so no other process can see this page." Give the shortest history that shows
#    the opposite.
# 2. A colleague proposes: copy at *every* write fault. Which of the bugs does that mend? Which one
#    does it make worse?
# 3. Dirty COW and the page of 2010: each believed something that had been true a moment before.
#    What?
#
# <details><summary>Answers</summary>
#
# 1. fork, then the child's pin that reads and its munmap. The parent's write makes it a leak.
# 2. It mends the leak. It loses pages at every write *fault* while a device is at work.
# 3. Dirty COW: "I have made the copy". 2010: "who brings the page back stays".
#
# </details>

# %%
predicted("12")

# %% [markdown]
# **Next:** [10b · Then and now](10b_then_and_now.ipynb), if you have not been there yet.

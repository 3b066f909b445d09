# %% [markdown]
# # 11 · March 2004
#
# **In 90 minutes you can** tell what the developers of Linux argued about, test each argument with
# a history, and defend a choice of your own with measurements.
#
# You need 00 to 05, 07 and 08; 09 helps. Terms: [reverse map](glossary.md#reverse-map),
# [anon memory group](glossary.md#group), [candidate](glossary.md#candidate),
# [anon_vma](glossary.md#anon-vma). Exercise: 11a (10 points).

# %%
from anonlab.learn import *

# %% [markdown]
# ## Before there was a reverse map
#
# In Linux 2.4 nothing led from a page to its [entries](glossary.md#pte). When memory ran out, the
# kernel went through **all page tables**, one after the other, and began again. Each entry has a
# bit that says "used". If the bit is on, the kernel clears it, and the entry stays for now. If it
# is off, the entry becomes a [swap entry](glossary.md#swap-entry). When *all* entries of a page
# have become swap entries, the kernel can free the page.
#
# Ten processes share one page. Each has 100 entries, and all were just used.

# %%
predict("11 scan", ...)

# %%
kernel = shared_by(processes=10, entries=100)
pfn = kernel.processes["p0"].page(0x30000).pfn
scan = scanned_until_free(kernel, pfn)
busy = {every: scanned_until_free(kernel, pfn, every) for every in (1050, 1900, 1950)}
walked = walked_until_free(kernel, pfn)
lines = [f"scan: {scan} entries; walk: {walked} entries", "", "If all use the page once more after"]
lines += [f"every {every} entries: the page is free after {after}" for every, after in busy.items()]
reveal("11 scan", lines, truth=[scan, walked])

# %% [markdown]
# <details><summary>Why?</summary>
#
# The first round looks at 1,000 entries and only clears bits. The second round takes the entries
# away, and the last process comes at the end. The walk looks at the ten entries twice. The first
# time it asks whether the page was used, the second time it unmaps it. *None* means never, in 300
# rounds. A page that is used **less than once a
# round** is never free: each use brings its entries back.
#
# Yet few people had complained about the old scan, as Andrew Morton wrote in [February 2003][1].
# More had complained about the price of what came next.
#
# [1]: https://lore.kernel.org/r/7830000.1045798354@%5B10.10.2.4%5D
#
# </details>

# %% [markdown]
# ## The price of the chains
#
# In July 2002 each page got a list of all its entries, the `pte_chain`. Now the kernel could find
# them all, but the lists take memory. A 32-bit kernel usually reaches about [896
# MiB](https://docs.kernel.org/mm/highmem.html) directly, the **low memory**. The chains must lie
# there. 1,000 processes share 1 GiB. A block of a chain has 32 bytes and room for 7 entries
# ([Andrew Morton, August 2002](https://lore.kernel.org/r/3D5614BC.EB0629B6@zip.com.au)).

# %%
predict("11 chains", ...)

# %%
pages, blocks = (1 << 30) // PAGE_SIZE, -(-1000 // 7)
chains = pages * blocks * 32
full = next(n for n in range(1, 1001) if pages * -(-n // 7) * 32 > 896 << 20)
lines = [f"{pages:,} pages x {blocks} blocks x 32 bytes = {chains / (1 << 30):.2f} GiB",
         f"low memory is full at {full} processes"]  # fmt: skip
reveal("11 chains", lines, truth="more than 1 GiB")

# %% [markdown]
# <details><summary>Why?</summary>
#
# One page that 1,000 processes map needs 143 blocks, and 1 GiB has 262,144 pages. Low memory is
# full long before the 1,000th process, although most of the memory is free.
#
# </details>
#
# Now the same on our machine, smaller. A process with 1,000 written pages forks eight times. How
# many objects does each fork make? Guess for `pte_chain`: when does it need blocks, and when not?


# %%
def objects_made(design, forks=8):
    kernel = Kernel(design=design, frames=1100, swap=0, geometry=X86_64)
    p = kernel.spawn("p")
    p.write_range(p.mmap(1000 * PAGE_SIZE), range(1000))
    sums = [kernel.design.cost.allocs]
    for _ in range(forks):
        p.fork()
        sums.append(kernel.design.cost.allocs)
    return [sums[n + 1] - sums[n] for n in range(forks)]


{design: objects_made(design) for design in ("pte_chain", "anongroup", "anonmm", "anon_vma")}

# %% [markdown]
# <details><summary>Why?</summary>A page with one entry needs no block: it points at the entry
# itself. The first fork adds an entry to each page, so each needs a block. Seven places fit into
# it, and the seventh fork adds an eighth entry. The other designs look at no page in a fork.
# </details>

# %%
debate("price")

# %% [markdown]
# ## The mail, read closely
#
# On 13 March 2004 Linus Torvalds proposed the anon memory group. He was "a bit nervous about the
# complexity" of the other answers. Complexity can be counted. Each design is one file here: lines
# of code, hooks (places where the kernel calls it), kinds of objects, decisions (`if`, `while`,
# `and`, `or`).

# %%
predict("11 complexity", ...)

# %%
counted = complexity()
fewest = min(counted, key=lambda row: row["lines"])["design"]
lines = [f"{r['design']:16}{r['lines']:4} lines {r['hooks']:3} hooks {r['kinds']:2} kinds"
         f" {r['decisions']:3} decisions" for r in counted]  # fmt: skip
reveal("11 complexity", lines, truth=fewest)

# %% [markdown]
# <details><summary>What this says</summary>The group is as simple as the mail says: less than half
# the lines of any other answer, and three decisions. `cow_context`, a draft of 2026, has as many
# lines as today's `anon_vma_chain`. But these are lines of our Python, without locks. In Linux [the
# patch](https://lore.kernel.org/r/Pine.LNX.4.44.0405182310200.3416-100000@localhost.localdomain)
# for anon_vma changed nine files.</details>
#
# The mail says three more things, each in half a line. Each has a scene here.
#
# **One: "drops the old one".** When may a group be freed?

# %%
scene("11 count")

# %% [markdown]
# **Two: "else … look up page using the inode vma list".** The mail's loop has two branches. The
# second one is for pages of files. What does fork do to them?

# %%
scene("11 else")

# %%
answer("11 shared", ...)

# %% tags=["exercise"]
# %%exercise 11a

# %% [markdown]
# Fork leaves the entries of such memory out [since
# 2005](https://git.kernel.org/linus/d992895ba2b2). A fault finds the page again, so the child
# misses nothing.
#
# **Three: "A high-performance server would use threads, anyway".**

# %%
scene("11 threads")

# %% [markdown]
# Is it true that threads make the group small? Eight helpers, once as children and once as threads.
# How many places does a walk look at, for one page?

# %%
start = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\n"
for verb in ("fork", "clone_vm"):
    helpers = "".join(f"h{n} = {verb} p\n" for n in range(8))
    (row,) = compare(start + helpers, "anongroup").table("probes")
    print(verb, row["walk: every anonymous page"])

# %% [markdown]
# ## Objection: the search
#
# The group knows *who* might have a page, not who has it. Does the kernel look at too many places
# then? First read the mails. Then try each claim: say which designs have the worse numbers, and
# see.

# %%
debate("search")

# %%
objection("malloc")

# %%
objection("inherited")

# %%
objection("offsets")

# %%
objection("strangers")

# %%
objection("vma")

# %% [markdown]
# ## Objection: the move
#
# `mremap` of a shared page is the one case that costs the group a copy. Most of the quarrel was
# about this case.

# %%
debate("move")

# %%
objection("reading")

# %% [markdown]
# Rik van Riel said: the copy would come anyway. So let the child write some of the eight pages
# after the move. How many pages are copied in all, for 0, 2 and 8 writes?

# %%
moved = "p = spawn\np mmap 0x30000 8\np write 0x30000 1 8\nc = fork p\n"
moved += "c mremap 0x30000 8 to 0x80000\n"
for k in (0, 2, 8):
    writes = f"c write 0x80000 9 {k}\n" if k else ""
    for row in compare(moved + writes, "anongroup,anon_vma").table("copies"):
        print(k, row["design"], sum(row[verb] for verb in row if verb != "design"))

# %% [markdown]
# The group first, then `anon_vma`. With eight writes Rik is right, with none Andrea. Linus spoke of
# `realloc`, where a little is written. **How rare is it?** The mail hopes that the copy "should
# usually not even trigger". Four programs were recorded on a real Linux. One of them makes a long
# list longer, before and after a fork.

# %%
predict("11 moves", ...)

# %%
met = [moves_met(name) for name in
       ("bash_pipeline", "make_two", "python_threads", "python_grows")]  # fmt: skip
lines = [f"{m.program:16}{m.calls:3} calls, {m.moved} moved, {m.met_shared} met a shared page, "
         f"{m.copied} pages copied" for m in met]  # fmt: skip
reveal("11 moves", lines, truth=[sum(m.met_shared for m in met)])

# %% [markdown]
# <details><summary>What this says</summary>
#
# Four programs are no proof. But it is what the mail hoped for: most never call `mremap`. The one
# that does meets a shared page once, in the child that makes an inherited list longer. Then it
# copies many pages at a time. (The recording does not say which pages were touched. We use a rule
# for that.)
#
# </details>

# %%
objection("swapped")

# %%
objection("merging")

# %% [markdown]
# ## Friday's Linus and Saturday's
#
# Linus Torvalds himself stood on both sides, from one day to the next. Read both.

# %%
debate("Friday and Saturday")

# %% [markdown]
# ## The decision
#
# Hugh Dickins had written `anonmm` a year before: it is much like the group. From [18 April
# 2004][1] on it was in Andrew Morton's test tree, for five weeks. On 22 May, 57 patches went to
# Linus. [One of them][2] adds `anonmm`. [A later one][3] takes it out again, and Andrea Arcangeli's
# `anon_vma` comes in. Linux 2.6.7 had it. No released Linux ever had the group.
#
# [1]: https://lore.kernel.org/r/20040418230131.285aa8ae.akpm@osdl.org
# [2]: https://lore.kernel.org/r/200405222204.i4MM4Nr12454@mail.osdl.org
# [3]: https://lore.kernel.org/r/200405222215.i4MMFlr14820@mail.osdl.org

# %%
debate("end")

# %% [markdown]
# Benchmarks did not decide. [The patch][1] names three "particular advantages over anonmm":
#
# * mremap may move memory "effortlessly".
# * Swap-out comes from the page to the VMA, and needs no `find_vma`. So it "no longer needs
#   page_table_lock to protect an mm's vma tree".
# * Swap-out should use less processor time.
#
# It names the price, too: more code in `mmap.c`, more low memory (24 bytes for each VMA at most, on
# 32 bits), and VMAs that merge less often. You measured the last one, and one more: *inherited*
# pages are searched. 2010 mended this, with `anon_vma_chain`. For VMAs there was [a proposal in
# 2025][2].
#
# [1]: https://lore.kernel.org/r/Pine.LNX.4.44.0405182310200.3416-100000@localhost.localdomain
# [2]: https://lore.kernel.org/r/cover.1746305604.git.lorenzo.stoakes@oracle.com

# %% [markdown]
# ## Who asks?
#
# *Ageing* finds pages that nobody uses any more. *Migration* moves a page to another frame. A walk
# misses *one* entry. Is this harmless, work in vain, or damage?
#
# | who | what it asks | function |
# |---|---|---|
# | ageing | was it used? | `page_referenced` (2.6), `folio_referenced` (6.x) |
# | swap-out | unmap it everywhere | `try_to_unmap` (2.6, 6.x) |
# | migration | change all entries, twice | `try_to_migrate`, `remove_migration_ptes` (6.x) |
# | huge pages | split, everywhere | `unmap_folio` (6.x) |
# | mlock | who else locks it? | `try_to_munlock` (5.0) |
# | write-back | make entries clean | `folio_mkclean` (6.x) |
# | broken memory | whom to stop? | `collect_procs_anon` (3.x) |

# %% [markdown]
# <details><summary>Answer</summary>
#
# - *Harmless*: "Was it used?" may miss an entry. Then the page goes a little early. So may mlock:
#   swap-out finds the lock later.
# - *Work in vain*: swap-out counts afterwards, and so does the first walk of a migration or a
#   split. If `mapcount` says that an entry is left, the page stays where it is. But then it can
#   never move.
# - *Damage*: the second walk gives every process its entry back. An entry that it
#   misses leads nowhere, and a later fault stops the kernel. [Linux had this
#   bug](https://git.kernel.org/linus/7e09e738afd2). Write-back would believe that a page is clean
#   while somebody still writes to it. A program that uses broken memory would not be told then.
#
# </details>

# %% [markdown]
# ## Locks: the third answer
#
# Our machine does one thing at a time. Linux has [locks](glossary.md#lock). In the spring of 2004
# three mattered most here:
#
# * `mmap_sem`, one for each address space, guards the list of its VMAs.
# * `page_table_lock`, one for each address space too, guards all of its page tables.
# * A bit in each page guards its `mapcount`.
#
# A fault takes them in this order. A walk holds the bit of its page first. Then it needs one
# `page_table_lock` after the other. Two that go in opposite orders could wait for each other for
# ever. So the walk only *tries* `page_table_lock` ([2.6.7][1]). It never asks for `mmap_sem`.
#
# [1]: https://elixir.bootlin.com/linux/v2.6.7/source/mm/rmap.c#L11

# %% [markdown]
# A walk therefore has three answers: found, not found, **not known**. One address space was busy.
#
# 1. Swap-out wants to unmap the page everywhere. May the frame be given away?
# 2. Ageing asks whether the page was used. Should "not known" count as yes or as no?
#
# <details><summary>Answers</summary>
#
# 1. No. It counts as "somebody has it". The page stays, and the kernel tries again later.
# 2. Hugh's patch of March said yes. [Andrea had a machine][1] that stopped for ever because of it.
#    So 2.6.7 says no: swap-out asks again anyway.
#
# In [July 2004][2] the bit was taken out of the page. Now both sides take their locks in one order,
# and the walk waits.
#
# [1]: https://lore.kernel.org/r/20040319024251.GA31498@dualathlon.random
# [2]: https://lore.kernel.org/r/Pine.LNX.4.44.0407122252410.4005-100000@localhost.localdomain
#
# </details>

# %% [markdown]
# ## You are the maintainer: choose
#
# It is May 2004, and you decide. There are two proposals: the group, and `anon_vma`. The group may
# look first at the process that had the page first, as `anonmm` does. You may also keep the chains.
# Fill in the four parts below. Each number must come from a cell that you ran. Instructors have a
# rubric for it.
#
# **1. The choice, in two sentences.**
#
# *I take … for … . I would change my mind if … .*
#
# **2. Your measurement.** A history that shows why, under at least two designs.

# %%
mine = "p = spawn\np mmap 0x30000 4\np write 0x30000 1 4\nc = fork p\n"
compare(mine, "anongroup,anonmm,anon_vma").table("bytes32")

# %% [markdown]
# **3. The strongest objection to your choice**, in its author's words. Your answer, with a second
# history and its numbers.

# %%
against = "p = spawn\np mmap 0x30000 4\np write 0x30000 1 4\nc = fork p\n"
compare(against, "anongroup,anonmm,anon_vma").table("probes")

# %% [markdown]
# **4. A second objection**, and your answer. If you cannot answer it, say what you accept, and why
# it is worth it.
#
# *Objection: … (who, when). Answer: … .*

# %% [markdown]
# ## Exit ticket
#
# 1. Friday's Linus wants one rule for every page. Saturday's Linus allows a rare case that is slow.
#    When is each of them right? Give an example from another program that you know.
# 2. "Benchmarks decided." Which line of this notebook says the opposite?
#
# <details><summary>Answers</summary>
#
# 1. Friday's Linus is right where the rare case is easy to meet, or hard to test: nobody knows its
#    cost beforehand. Saturday's is right where the rare case can be counted and stays rare. A good
#    answer names the count.
# 2. "Benchmarks did not decide." The patch names other reasons, and one cost.
#
# </details>
#
# **Next:** [12 · When copy on write went wrong](12_when_cow_went_wrong.ipynb).

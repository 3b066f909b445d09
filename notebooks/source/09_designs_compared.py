# %% [markdown]
# # 09 · Designs compared
#
# **In 75 minutes you can** choose a reverse map for a scenario, with numbers, and write one of
# your own that survives random histories.
#
# You need [08 · The walk](08_the_walk.ipynb). Terms: [reverse map](glossary.md#reverse-map),
# [candidate](glossary.md#candidate). Exercises: 09a (20 points), 09b (10 points).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. Why are all members of a group looked at, although one of them maps the page?
# 2. Which design must copy a shared page in mremap?
# 3. What does swap-out need a reverse map for?
#
# <details><summary>Answers</summary>
#
# 1. They are candidates: the word decides.
# 2. anongroup, and anonmm.
# 3. To find the words that it must turn into swap entries.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# Between July 2002 and today the same question has had several answers in Linux, and more on the
# mailing list. None is the best: each made something cheap and paid elsewhere.

# %%
[(name, design.year) for name, design in DESIGNS.items()]

# %% [markdown]
# What does a **page** know, whom does a **walk** ask, and what is the **price**?
#
# * `pte_chain` (Rik van Riel): every word that maps it; exactly these; an entry for every page at
#   fork.
# * `anongroup` (Linus Torvalds): its group and one address; every address space of the group;
#   copies in mremap.
# * `anonmm` (Hugh Dickins): its home, the first address space that had it, and one address; the
#   home, then all relatives in a ring; copies in mremap.
# * `anon_vma` (Andrea Arcangeli): a list of VMAs, and an offset that is the same in all; the VMAs
#   that come from the first one; VMAs that cannot merge.

# %% [markdown]
# * `anon_vma_chain` (Rik van Riel): the anon_vma of the process that wrote it; this process and its
#   descendants; at fork, a link for every VMA and each of its ancestors.
# * `per_mm_space` (Rik van Riel): a space for the family, and an offset in it; all VMAs of the
#   family with this offset; many looks in vain. Nobody has built it.
# * `cow_context` (Lorenzo Stoakes): the context of the process that wrote it; this one and its
#   descendants; contexts of the dead. It is a draft of 2026.
#
# Linux had `pte_chain` until 2.6.6, `anon_vma` from 2.6.7 on, and `anon_vma_chain` since 2.6.34.

# %% [markdown]
# ## 3 · Predict
#
# A server forks 50 workers; each writes a page of its own, and none calls execve. **Which designs
# find the own page of each worker with one look?** Name them, with commas.

# %%
predict("09 one look", ...)

# %% [markdown]
# **Which design makes the most objects at these forks?** One name.

# %%
predict("09 fork", ...)

# %% [markdown]
# ## 4 · Run

# %%
server = compare(prefork(50))
own = "walk: the own pages of all children"
looks = {row["design"]: row[own] for row in server.table("probes")}
one = {name for name, number in looks.items() if number == 50}
lines = [f"{name:16} {number:6} looks" for name, number in looks.items()]
reveal("09 one look", lines, truth=one, among=DESIGNS)

# %%
made = {row["design"]: row["fork"] for row in server.table("allocs")}
lines = [f"{name:16} {number:6} objects" for name, number in made.items()]
reveal("09 fork", lines, truth=max(made, key=made.get), among=DESIGNS)

# %% [markdown]
# Two workers are enough to see it, side by side: choose the page that the second one wrote, and
# press <kbd>W</kbd>.

# %%
few = "s = spawn\ns mmap 0x30000 1\ns write 0x30000 7\n"
few += "a = fork s\nb = fork s\nb write 0x30000 9\n"
designs = ("anongroup", "anonmm", "anon_vma_chain")
small = {name: record(few, name, "two workers") for name in designs}
play(small, "09 one look")

# %% [markdown]
# ## 5 · Investigate
#
# Five kinds of programs, each run under every design. *Looks* are places in page tables, of all
# walks together; objects and bytes are what the reverse map itself takes; copies are those that the
# design makes, not those of copy on write. Guess each board's winner before you run it.
#
# **Prefork server**: 50 workers, none calls execve.

# %%
scoreboard(server)

# %% [markdown]
# Fewest looks: the designs that know *whose* a page is. `anongroup`, `per_mm_space` and `anon_vma`
# ask the whole family for a page that one of them has. The same knowledge has a price:
# `anon_vma_chain` makes three objects per fork of one VMA. How it grows with the server:

# %%
names = "anongroup,anonmm,anon_vma,anon_vma_chain"
runs = [compare(prefork(n), names).table("probes") for n in range(1, 25)]
grown = {row["design"]: [0] for row in runs[0]}
for rows in runs:
    for row in rows:
        grown[row["design"]].append(row[own])
chart(grown, "Looks to find the own page of every worker", "workers")

# %% [markdown]
# *Published, not measured here:* the commit that brought `anon_vma_chain` in 2010 (5beb49305251)
# speaks of 1000 children that write 1000 pages each: a million pages on one `anon_vma`.
#
# **Shell pipeline**: 50 programs, each started with fork, one write, and execve.

# %%
scoreboard(compare(pipeline(50)))

# %% [markdown]
# No design looks in vain: execve has cut every family apart. What is left to compare is the price
# of a fork that is thrown away at once. `anon_vma_chain` pays most, in objects and in bytes; the
# group pays for one member. `pte_chain` pays least *here*, because the shell has few pages.
#
# **A large process** forks once: 1000 pages.

# %%
large = "machine x86_32 frames 1200 swap 0\np = spawn\np mmap 0x30000 1000\n"
large += "p write 0x30000 1 1000\nc = fork p\n"
{row["design"]: row["fork"] for row in compare(large).table("allocs")}

# %% [markdown]
# A block for every page: that is what `pte_chain` lost for. All others pay by VMA or by address
# space, whatever is mapped. The blocks had to lie in low memory, the first 896 MB of a 32-bit
# machine. 1,000 processes that share 1 GiB need 1.1 GiB of chains: they do not fit.
#
# **Much mremap**: 50 children move four pages that they share with their parent.

# %%
scoreboard(compare(movers(50)))

# %% [markdown]
# `anongroup` and `anonmm` copy every shared page that moves: 200. The others copy none, and keep
# sharing. Afterwards `anonmm` has the fewest looks: who has copied everything shares nothing, and a
# walk begins at home. The group has copied as much, and has no home to begin with.
#
# **Deep fork chain**: each generation forks the next one and exits, a hundred times. What is left
# of the dead?

# %%
scoreboard(compare(fork_chain(100)))

# %% [markdown]
# `cow_context` keeps a context for every dead ancestor, and `anon_vma_chain` would, had it not
# learnt to reuse (Linux commit 7a3ef208e662, 2015). The group of the mail holds one address space,
# and the fewest bytes.
#
# **Swap storm**: memory runs out under a server with 50 workers. All pages go out, and the shared
# ones come back.

# %%
scoreboard(compare(swap_storm(50)))

# %% [markdown]
# Every page that goes out is walked, so the designs that win are those of the server: for a page of
# one's own the family is asked, or it is not. This is the moment for which all of it is made. When
# memory is short, looks in vain cost time that nobody has.

# %% [markdown]
# **Published numbers**, measured by Martin Bligh in March 2004, not by us: Kernbench (building a
# kernel) on 2.6.5-rc1, seconds of *system* time.
#
# | | -j 2 × cpu | -j 16 × cpu |
# |---|---|---|
# | mainline, `pte_chain` | 102.49 | 121.95 |
# | partial objrmap (files only) | 85.75 | 97.16 |
# | `anonmm` | 83.85 | 95.45 |
# | `anon_vma` | 83.69 | 96.17 |
#
# Our counts say what is done, not how long it takes. A build is a shell pipeline, over and over:
# there is no swap storm in it, and hardly a walk.

# %% [markdown]
# 1. anonmm and anon_vma change places from one column to the other. Did speed decide between them?
# 2. In which column of the boards is `pte_chain` never beaten? So why was it given up?
# 3. Which of the five boards would change most, if every process had a thousand VMAs?
#
# <details><summary>Answers</summary>
#
# 1. No: they are within noise of each other, and both far from pte_chain.
# 2. Looks, but for the movers, where the others had nothing shared left: none is in vain. It was
#    given up for what it costs at fork, page by page.
# 3. All in which VMAs are paid for: by anon_vma_chain most, by anon_vma and per_mm_space too.
#    group, anonmm and cow_context pay by address space.
#
# </details>

# %%
answer("09 choose", ...)

# %% [markdown]
# **Inverse question.** A design has no links at fork of many pages, one look for each own page,
# and copies in mremap. Which?
#
# <details><summary>Answer</summary>anonmm: one node per fork, the home is looked at first, one
# address per page.</details>

# %% [markdown]
# ## 6 · Worked example
#
# Scenario → counters → choice. *A server with 10,000 workers on a 32-bit machine; memory is
# short.* **Look** at what is scarce: bytes. **Measure** bytes. **Weigh** it against walks.

# %%
{row["design"]: sum(row[kind] for kind in server.operations) for row in server.table("bytes32")}

# %% [markdown]
# pte_chain pays for every shared mapping, anon_vma_chain for every pair of a VMA and an ancestor.
# The group pays eight bytes per worker, and then walks through all of them. What matters more
# depends on how often memory is reclaimed: **choice**, with a condition.

# %% [markdown]
# ## 7 · Modify: exercise 09b
#
# One missing operation of two designs: the walk.

# %% tags=["exercise"]
# %%exercise 09b

# %% [markdown]
# ## 8 · Make: exercise 09a
#
# A design of your own. Yours may be one that nobody has had; the kernel tells it everything, and
# random histories judge it.

# %% tags=["exercise"]
# %%exercise 09a

# %% [markdown]
# ## 9 · Bug museum
#
# The designs have bugs of their own: `pte_chain` that forgets to remove an entry (M17), or
# `anon_vma_chain` that never reuses (M15): right answers, more and more work. And this one:
#
# A design forgets to clear `mapping` when nobody maps a page any more. Which operation makes that
# dangerous: the exit of whom?

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\np exit\n"
run_mutant("mapping is not cleared when nobody maps the page", history)

# %% [markdown]
# <details><summary>Why does it live, and what would kill it?</summary>A frame that is freed is
# cleaned anyway. A page that stays, held by a device of somebody else or in the swap cache, still
# names a group that may be gone.</details>

# %% [markdown]
# ## 10 · Exit ticket
#
# Write a recommendation of five sentences for each: scenario, choice, the counters that speak for
# it, those that speak against it, and what would change your mind.
#
# 1. A phone: one process is the parent of all apps, none of them calls execve.
# 2. A build machine: thousands of short programs, each started with fork and execve.

# %%
predicted("09")

# %%
progress()

# %% [markdown]
# More questions of this notebook, as many as you like. Five right in a row, and the drill is done.

# %%
drill("09")

# %% [markdown]
# **Next:** [10 · The running kernel](10_the_running_kernel.ipynb), or, to end here,
# [10b · Then and now](10b_then_and_now.ipynb).

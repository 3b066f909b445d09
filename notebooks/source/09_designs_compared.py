# %% [markdown]
# # 09 · Designs compared
#
# **In 75 minutes you can** choose a reverse map for a given use, with numbers. You can write one
# of your own that survives random histories.
#
# You need [08 · The walk](08_the_walk.ipynb). Exercises: 09a (20 points), 09b (10 points).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. Only one member of a group has the page. Why does the kernel look at the others?
# 2. Which design must copy a shared page in mremap?
# 3. What does swap-out need a reverse map for?
#
# <details><summary>Answers</summary>
#
# 1. They are [candidates](glossary.md#candidate). The page-table entry decides, and the kernel does
#    not know it before it looks.
# 2. The anon memory group must, and so must `anonmm`.
# 3. It needs it to find the entries that become swap entries.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# The mail proposed one answer to the question "who uses this page?". **Linux never used this
# answer.** Its sister `anonmm` was in Andrew Morton's test tree for five weeks. What Linux 2.6.7
# got was `anon_vma`.
#
# There were more answers, before and after. No answer is the best. Each makes something cheap, and
# pays for it elsewhere. In this notebook you measure both.

# %% [markdown]
# Each design says three things. What does a **page** know? Where does the kernel **look**? And what
# is the **price**?

# %% [markdown]
# * `pte_chain` (Rik van Riel, 2002). A page knows each entry that maps it. The kernel looks at
#   exactly these. At fork it makes an item for each page.
# * `anongroup` (Linus Torvalds, 2004). A page knows its group and one address. The kernel looks at
#   all members of the group. mremap copies.
# * `anonmm` (Hugh Dickins, 2003). A page knows the process that had it first, and one address. The
#   kernel looks there, and then at the relatives. mremap copies.
# * `anon_vma` (Andrea Arcangeli, 2004). A page knows a list of VMAs, and an offset. The kernel
#   looks at all VMAs of the list. Some VMAs cannot merge.

# %% [markdown]
# * `anon_vma_chain` (Rik van Riel, 2010). A page knows the anon_vma of the process that wrote it.
#   The kernel looks there and at the descendants. At fork it makes links for each VMA.
# * `per_mm_space` (Rik van Riel, 2004). A page knows a space for the family, and an offset. The
#   kernel looks at all VMAs with this offset. Nobody built it.
# * `cow_context` (Lorenzo Stoakes, a draft of 2026). A page knows the context of the process that
#   wrote it. The kernel looks there and at the descendants. Contexts of the dead stay.
#
# Linux had `pte_chain` until 2.6.6, and `anon_vma` from 2.6.7 on. It has had `anon_vma_chain` since
# 2.6.34.

# %% [markdown]
# ## 3 · Predict and run
#
# A server forks two workers. One of them writes. Here are three designs side by side.

# %%
scene("09 looks")

# %% [markdown]
# Now take 50 workers and all seven designs. Each worker writes a page of its own. The list above
# says what a page knows.

# %%
predict("09 one look", ...)

# %% jupyter={"source_hidden": true}
server = compare(prefork(50))
own = "walk: the own pages of all children"
looks = {row["design"]: row[own] for row in server.table("probes")}
one = {name for name, number in looks.items() if number == 50}
lines = [f"{name:16} {number:6} looks" for name, number in looks.items()]
reveal("09 one look", lines, truth=one, among=DESIGNS)

# %% [markdown]
# What a page knows must be kept up to date. Each fork costs something. How much?

# %%
scene("09 fork")

# %% [markdown]
# ## 4 · Investigate
#
# Here are five kinds of programs. Each runs under every design, and a board shows what it cost.
# *Looks* are the places where the kernel looked, in all walks together. Objects and bytes are what
# the reverse map itself needs. Copies are those that the design makes, without copy on write.
#
# **A server with workers.** It has 50 workers, and none calls execve.

# %%
scoreboard(server)

# %% [markdown]
# Read the first column. `anongroup`, `per_mm_space` and `anon_vma` look more than a thousand times.
# They ask the whole family for a page that one member has.
#
# Now read the second. `anon_vma_chain` makes three objects here at the fork of one VMA. For a
# grandchild it makes one more: a link for each ancestor. This is how the
# looks grow with the server.

# %% jupyter={"source_hidden": true}
names = "anongroup,anonmm,anon_vma,anon_vma_chain"
runs = [compare(prefork(n), names).table("probes") for n in range(1, 25)]
grown = {row["design"]: [0] for row in runs[0]}
for rows in runs:
    for row in rows:
        grown[row["design"]].append(row[own])
chart(grown, "Looks to find the own page of every worker", "workers")

# %% [markdown]
# Two lines are straight. The other two grow with the square of the number of workers.
#
# *Published, not measured here:* `anon_vma_chain` came in 2010 with commit 5beb49305251. Its text
# speaks of 1000 children that write 1000 pages each. This makes a million pages on one `anon_vma`.

# %% [markdown]
# **Short programs.** A shell starts 50 programs. Each is a fork, one write, and execve.

# %%
scoreboard(compare(pipeline(50)))

# %% [markdown]
# No design looks in vain, because execve ends every family. What is left is the price of a fork
# whose result is thrown away at once. `anon_vma_chain` pays most, in objects and in bytes. The
# group pays for one member. `pte_chain` pays least *here*, because this shell has few pages.

# %% [markdown]
# **A large process.** It has 1000 pages, and forks once. These are the objects made at the fork.

# %%
large = "machine x86_32 frames 1200 swap 0\np = spawn\np mmap 0x30000 1000\n"
large += "p write 0x30000 1 1000\nc = fork p\n"
{row["design"]: row["fork"] for row in compare(large).table("allocs")}

# %% [markdown]
# `pte_chain` makes a block for each page. For this it was given up. All others pay for each VMA or
# each address space.
#
# The blocks had to lie in low memory. On a 32-bit machine these are the first 896 MB. Let 1,000
# processes share 1 GiB. Then they need 1.1 GiB of blocks, and these do not fit.

# %% [markdown]
# **Much mremap.** 50 children move four pages that they share with their parent.

# %%
scoreboard(compare(movers(50)))

# %% [markdown]
# `anongroup` and `anonmm` copy each shared page that moves. These are 200 copies. The other designs
# copy nothing, and keep sharing.
#
# After the move `anonmm` has the fewest looks. Everything is copied, so nobody shares, and the
# kernel begins at the right process. The group has copied as much, but it does not know where to
# begin.

# %% [markdown]
# **A long chain of forks.** Each process forks the next one and exits, a hundred times. What is
# left of the dead?

# %%
scoreboard(compare(fork_chain(100)))

# %% [markdown]
# `cow_context` keeps a context for each dead ancestor. `anon_vma_chain` would do the same, but it
# learnt to use old objects again in 2015 (commit 7a3ef208e662). The group has one member, and needs
# the fewest bytes.

# %% [markdown]
# **Memory runs out.** A server has 50 workers. All pages go to swap, and the shared ones come back.

# %%
scoreboard(compare(swap_storm(50)))

# %% [markdown]
# Each page that goes out is looked for. So the order is the same as for the server. A reverse map
# is made for this moment. When memory is short, nobody has time for looks in vain.

# %% [markdown]
# **Published numbers.** Martin Bligh measured these in March 2004, not we. He built a kernel on
# 2.6.5-rc1 (Kernbench). The table has seconds of *system* time.
#
# | | -j 2 × cpu | -j 16 × cpu |
# |---|---|---|
# | mainline, `pte_chain` | 102.49 | 121.95 |
# | partial objrmap (files only) | 85.75 | 97.16 |
# | `anonmm` | 83.85 | 95.45 |
# | `anon_vma` | 83.69 | 96.17 |
#
# Our boards count what is done. They do not say how long it takes. To build a kernel means to start
# short programs, over and over. Memory does not run out, so there is hardly a walk in it.

# %% [markdown]
# 1. `anonmm` and `anon_vma` change places from one column to the other. Did speed decide between
#    them?
# 2. In one column of the boards nearly nobody is better than `pte_chain`. Which one is it? Why was
#    the design given up?
# 3. Each process may have a thousand VMAs instead of one. Which designs pay more then?

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. No. The difference between them is noise. Both are far better than `pte_chain`.
# 2. It is the column of looks, because `pte_chain` never looks in vain. Only after the moves others
#    have less to find. It was given up for what each page costs at fork.
# 3. `anon_vma_chain` pays most, and `anon_vma` and `per_mm_space` pay, too. The group, `anonmm` and
#    `cow_context` pay for each address space, so nothing changes for them.
#
# </details>

# %%
answer("09 choose", ...)

# %% [markdown]
# **Inverse question.** A design makes one object at a fork of many pages. It finds a page of one's
# own with one look. It copies in mremap. Which one is it?
#
# <details><summary>Answer</summary>It is `anonmm`. It makes one object for each process, begins at
# the process that had the page first, and has one address for a page.</details>

# %% [markdown]
# ## 5 · Worked example
#
# You choose in three steps. Take *a server with 10,000 workers on a 32-bit machine, where memory is
# short*.
#
# 1. **Look** at what is scarce. Here it is memory, so bytes.
# 2. **Measure** the bytes of each design, on a smaller server.
# 3. **Weigh** them against the looks.

# %%
{row["design"]: sum(row[kind] for kind in server.operations) for row in server.table("bytes32")}

# %% [markdown]
# `pte_chain` pays for each entry of a shared page. `anon_vma_chain` pays for each pair of a VMA and
# an ancestor. The group pays eight bytes for each worker. But then it looks at all of them.
#
# Which of these matters more depends on how often memory runs out. So the **choice** has a
# condition. *We take the group as long as pages seldom go to swap.*

# %% [markdown]
# ## 6 · Modify: exercise 09b
#
# Each of two designs lacks one operation, the walk.

# %% tags=["exercise"]
# %%exercise 09b

# %% [markdown]
# ## 7 · Make: exercise 09a
#
# Write a design of your own. It may be one that nobody has had before. The kernel tells it
# everything, and random histories judge it.

# %% tags=["exercise"]
# %%exercise 09a

# %% [markdown]
# ## 8 · Bug museum
#
# Designs have bugs of their own. In M17 `pte_chain` forgets to remove an entry. In M15
# `anon_vma_chain` never uses an object again. In both the answers stay right, but the work grows.
#
# Here is another bug. A design forgets to clear `mapping` when the last entry of a page goes. When
# is this dangerous? The story below does not show it.

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\np exit\n"
run_mutant("mapping is not cleared when nobody maps the page", history)

# %% [markdown]
# <details><summary>Why does the bug survive, and what would show it?</summary>
#
# The frame becomes free, and a free frame is cleaned anyway. But a page may stay without an entry.
# A device of somebody else may hold it, or the swap cache may have it. Then the page still names a
# group that may be gone.
#
# </details>

# %% [markdown]
# ## 9 · Exit ticket
#
# Write a recommendation of five sentences for each case. Name the case, your choice, the counters
# that speak for it, those that speak against it, and what would change your mind.
#
# 1. A phone. One process is the parent of all apps, and no app calls execve.
# 2. A machine that builds programs. It starts thousands of short programs with fork and execve.

# %%
predicted("09")

# %%
progress()

# %% [markdown]
# The drill has more questions of this kind. It ends when five in a row are right.

# %%
drill("09")

# %% [markdown]
# **Next:** [10 · The running kernel](10_the_running_kernel.ipynb). Or, to end here, take
# [10b · Then and now](10b_then_and_now.ipynb).

# %% [markdown]
# # 09 · Designs compared
#
# **In 75 minutes you can** choose a reverse map for a scenario, with numbers, and write one of
# your own that survives random histories.
#
# You need [08 · The walk](08_the_walk.ipynb). Terms: [reverse map](glossary.md#reverse-map),
# [candidate](glossary.md#candidate). Exercises: 09a (20 points), 09b (10 points).

# %%
from anonlab import DESIGNS, compare, parse
from anonlab.course.desk import check, hint, kill, play, predict, predicted, progress, reveal
from anonlab.histories.scenarios import fork_chain, prefork
from anonlab.record import record
from anonlab.view.picture import chart

# %% [markdown]
# ## 1 · Recall
#
# 1. Why are all members of a group looked at, although one of them maps the page?
# 2. Which design must copy a shared page in mremap?
# 3. What does swap-out need a reverse map for?
#
# <details><summary>Answers</summary>They are candidates: the word decides. anongroup, and anonmm.
# To find the words that it must turn into swap entries.</details>

# %% [markdown]
# ## 2 · Story
#
# Between July 2002 and today the same question has had several answers in Linux, and more on the
# mailing list. None is the best: each made something cheap and paid elsewhere.

# %%
[(name, design.year) for name, design in DESIGNS.items()]

# %% [markdown]
# ## 3 · Predict
#
# A server forks 50 workers; each writes a page of its own, and none calls execve. **Which designs
# find the own pages of all workers with one look each?** And which design pays most at fork?

# %%
predict("09 one look", ...)

# %%
predict("09 fork", ...)

# %% [markdown]
# ## 4 · Run

# %%
server = compare(prefork(50))
rows = server.table("probes")
own = "walk: the own pages of all children"
reveal("09 one look", [f"{row['design']:16} {row[own]:6}" for row in rows])

# %%
links = {row["design"]: row["fork"] for row in server.table("links")}
allocs = {row["design"]: row["fork"] for row in server.table("allocs")}
both = [f"{name:16} links {links[name]:5}  allocations {allocs[name]:5}" for name in links]
reveal("09 fork", both)

# %%
few = "s = spawn\ns mmap 0x30000 1\ns write 0x30000 7\n"
few += "a = fork s\nb = fork s\nb write 0x30000 9\n"
designs = ("anongroup", "anonmm", "anon_vma_chain")
small = {name: record(few, name, "two workers") for name in designs}
play(small, "09 one look")

# %% [markdown]
# ## 5 · Investigate
#
# **Deep fork chain.** Each generation forks the next one and exits; a hundred times. What is left
# of the dead?

# %%
chain = compare(fork_chain(100))
{row["design"]: sum(row[kind] for kind in chain.operations) for row in chain.table("bytes64")}

# %% [markdown]
# cow_context keeps a context for every dead ancestor, and anon_vma_chain would, had it not learnt
# to reuse (Linux commit 7a3ef208e662, January 2015). The group of the mail holds one address
# space.

# %% [markdown]
# **Much mremap.** Five processes share a page each and move it.

# %%
movers = "machine lesson frames 64 swap 0\np = spawn\np mmap 0x10000 8\np write 0x10000 1 8\n"
for who in "abcd":
    movers += f"{who} = fork p\n{who} mremap 0x10000 8 to 0x80000\n"
moved = compare(movers)
{row.design: row.copies for row in moved.rows if row.operation == "mremap"}

# %% [markdown]
# **Shell pipeline.** Forks that end in execve at once: here hardly anything is shared when
# somebody walks.

# %%
pipeline = "sh = spawn\nsh mmap 0x30000 4\nsh write 0x30000 1 4\n"
pipeline += "a = fork sh\na execve ls\nb = fork sh\nb execve wc\n"
piped = compare(pipeline)
{row["design"]: row["walk: every anonymous page"] for row in piped.table("probes")}

# %% [markdown]
# **Published numbers**, from Martin Bligh's measurements of March 2004 (Kernbench on 2.6.5-rc1,
# *system* seconds at -j 2 × cpu): mainline with pte_chain 102.49, partial objrmap 85.75, anonmm
# 83.85, anon_vma 83.69. Our counts say what is done, not how long it takes: the two kinds stand
# beside each other, and neither replaces the other.

# %% [markdown]
# 1. anonmm and anon_vma differ by 0.16 seconds there. Did speed decide between them?
# 2. Which of the scenarios here is the best for pte_chain? Which counter does it lose in all of
#    them?
#
# <details><summary>Answers</summary>No: both are within noise. Walks: every look is a hit.
# Allocations, and links at fork.</details>
#
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
# pte_chain pays for every mapping, anon_vma_chain for every pair of a VMA and an ancestor. The
# group pays eight bytes per worker, and then walks through all of them. What matters more depends
# on how often memory is reclaimed.

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
# A design forgets to clear `mapping` when nobody maps a page any more. Which operation makes that
# dangerous: the exit of whom?

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\np exit\n"
kill("mapping is not cleared when nobody maps the page", history)

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

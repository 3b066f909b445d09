# %% [markdown]
# # 08 · The walk, swap-out and reclaim
#
# **In 75 minutes you can** go from a page to its page-table words under the anon memory group,
# unmap all of them, bring the page back, and count false candidates.
#
# You need [05 · Copy on write](05_copy_on_write.ipynb). Terms: [reverse
# map](glossary.md#reverse-map), [group](glossary.md#group), [candidate](glossary.md#candidate),
# [swap entry](glossary.md#swap-entry), [swap cache](glossary.md#swap-cache). Exercises: 08a, 08b
# (10 points each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. mapcount is 3. Who maps the page?
# 2. What did you have to read in 03b to find out?
# 3. Which number decides copy or reuse in the kernel of 2004?
#
# <details><summary>Answers</summary>
#
# 1. It does not say.
# 2. Every leaf word of every process.
# 3. count.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# Memory is full. The kernel picks a page that parent, child and grandchild share, and wants to
# write it to swap. Before the frame can be used for something else, **three** words in three page
# tables must change. Where are they?

# %%
story = """
parent = spawn
parent mmap 0x30000 2
parent write 0x30000 7 2
child = fork parent
grandchild = fork child
child write 0x31000 9
parent swap_out 0x30000 2
grandchild read 0x30000
"""
trace = record(story, title="a shared page goes to swap")

# %% [markdown]
# ## 3 · Predict
#
# A word that names a slot on swap is a **swap entry**. `parent swap_out 0x30000 2` sends both pages
# of the parent to swap. **How many words become swap entries for the first page, and how many for
# the second?** And at how many address spaces does the kernel look for each? Two numbers for each
# question, such as `"1 1"`.

# %%
predict("08 words", ...)

# %%
predict("08 looked at", ...)

# %% [markdown]
# ## 4 · Run

# %%
play(trace, "08 words")

# %%
before, after = [step.snapshot for step in operations(trace)[-3:-1]]
wanted = ("swap_out", "fault.swap")
lines = [f"{s.title}: {s.sentence}" for s in trace.steps if s.label.startswith(wanted)]
reveal("08 words", lines, truth=swap_entries_made(before, after))

# %%
looks = [len(walk.probes) for walk in before.walks if walk.pfn in (1, 2)]
reveal("08 looked at", [f"frame 1: {looks[0]} looks, frame 2: {looks[1]}"], truth=looks)

# %% [markdown]
# Three words for the first page, two for the second: the child has its own page there, and it stays
# in memory. It was looked at all the same. Every process that shared the page holds the *same*
# entry now.

# %% [markdown]
# ## 5 · Investigate
#
# This is what the mail of 13 March 2004 is for. Its loop, line by line: the page knows its group
# and its address; for each member of the group, look the address up in its tables.

# %%
mail("08")

# %% [markdown]
# The same loop here, in one line of data: whom to ask, and at which page.

# %%
kernel = Kernel(design="anongroup", frames=32, swap=8, geometry=LESSON)
parent = kernel.spawn("parent")
parent.mmap(2 * 4096, at=0x30000)
parent.write_range(0x30000, [7, 8])
children = [parent.fork(f"child{number}") for number in range(4)]
children[1].write(0x31000, 9)
pfn = children[1].page(0x31000).pfn
kernel.design.candidates(pfn)

# %% [markdown]
# All five members, by number of address space, are **candidates**, though only one maps the page. A
# candidate is a place to look; the word decides. The design's counters say what a walk costs.


# %%
def walk_cost(pfn):
    before = kernel.design.cost.probes
    found = kernel.mappers(pfn)
    return [who.name for who, _ in found], kernel.design.cost.probes - before


walk_cost(pfn), walk_cost(parent.page(0x31000).pfn)

# %% [markdown]
# 1. Why did the first walk look at three address spaces and not at five?
# 2. Child 1 is in the group and has another frame at that address. How does the second walk tell?
# 3. If child 1 became another program (`execve`, notebook 06), would it still be looked at?
#
# <details><summary>Answers</summary>
#
# 1. Parent, child 0, child 1: then as many mappings were found as mapcount says.
# 2. The word is present and names another frame.
# 3. No: execve leaves the group.
#
# </details>

# %% [markdown]
# How many looks are in vain?

# %%
answer("08 candidates", ...)

# %% [markdown]
# Back from swap: the entry names a slot, the page comes back, and gets a home again. As long as
# others still hold the entry, the page is in the **swap cache**, so that all find the same one.

# %%
parent.swap_out(0x30000)
before = kernel.snapshot()
children[0].read(0x30000)
picture(kernel.snapshot(), previous=before)

# %% [markdown]
# What holds for **all** histories, with pins and swap in them? Random ones judge your answer.

# %%
answer("08 always", ...)

# %% [markdown]
# **What walks cost when a server forks many workers.** Each worker writes one page of its own.
# Three other designs stand beside the group; notebook 09 explains them. Looks at all workers' own
# pages, and at one page that all share:

# %%
comparison = compare(prefork(50), "anongroup,anonmm,anon_vma,anon_vma_chain")
kinds = ("walk: the own pages of all children", "walk: a page that all share")
for row in comparison.table("probes"):
    print(f"{row['design']:16}", *(f"{row[kind]:6}" for kind in kinds))

# %% [markdown]
# The mail foresaw large groups, *"a ton of forks without any execve's"*, and found them bearable:
# one address in each. *"Any algorithm will have this issue"*, it says, and grants that rmap skips
# every address space *"where the page might have been COW'ed or removed"*. For the page that all
# share this is so, as you see. For the pages of one's own the difference is large. In Linux 6.18
# the walk is `rmap_walk_anon`, and unmapping is `try_to_unmap_one`, both in `mm/rmap.c`.
#
# **Inverse question.** A frame has count 3 and mapcount 1. Which histories led here? More than one
# may fit.

# %%
answer("08 inverse", ...)

# %% [markdown]
# There are more ways to a count that is larger than mapcount: a page in the swap cache has one for
# that too, mapped again while another process still holds the entry.

# %% [markdown]
# ## 6 · Worked example
#
# The whole way to swap first:

# %%
answer("08 order", ...)

# %% [markdown]
# Unmap one page. **Look** at each candidate's word. **Hit** if it is present and names the frame.
# **Replace** it by the entry. **Count**: mapcount falls by one, the slot's use rises by one.

# %%
words, pfn = [0x3065, 0, 0x4067, 0x3045, 0x3122], 3
{hex(word): ("present" if word % 2 else "not present", word >> 12 == pfn) for word in words}

# %% [markdown]
# ## 7 · Modify: exercise 08a

# %% tags=["exercise"]
# %%exercise 08a

# %% [markdown]
# ## 8 · Make: exercise 08b
#
# A test of your own: one history, six mutants.

# %%
statement("08b")

# %% tags=["exercise"]
# %%exercise 08b

# %% [markdown]
# ## 9 · Bug museum
#
# `mremap` gives memory another address (notebook 07), and moves swap entries as they are. So one
# entry can stand at two addresses. M12's bug: the page comes back at one of them while it is mapped
# at the other, and nobody notices that it now has two addresses. Hugh Dickins described the case in
# April 2004 ("rmap 11 mremap moves").

# %%
history = """
p = spawn
p mmap 0x30000 1
p write 0x30000 7
c = fork p
p swap_out 0x30000
c mremap 0x30000 1 to 0x50000
p read 0x30000
"""
run_mutant("a page swapped in elsewhere is not copied", history)

# %% [markdown]
# <details><summary>Which line is missing?</summary>`c read 0x50000`: the child must touch its
# entry while the parent has the page mapped at its own address.</details>

# %% [markdown]
# ## 10 · Exit ticket
#
# 1. Swap-out takes a page out of memory. Does it take it out of the reverse map *first*, or does
#    it need the reverse map for it?
# 2. A page is shared by 1000 workers of a server. Which design finds its words without looking at
#    1000 places?

# %%
predicted("08")

# %%
progress()

# %% [markdown]
# More questions of this notebook, as many as you like. Five right in a row, and the drill is done.

# %%
drill("08")

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. It needs it for it: without the walk nobody knows which words to change.
# 2. None: there are 1000 words to change. Designs differ in the places that they look at in
#    vain.
#
# </details>
#
# **Next:** [09 · Designs compared](09_designs_compared.ipynb), or, at the end of the core track,
# [10b · Then and now](10b_then_and_now.ipynb).

# %% [markdown]
# # 08 · The walk, swap-out and reclaim
#
# **In 75 minutes you can** go from a page to all
# page-table entries that map it. You can unmap them, bring the page back, and
# count where the kernel looked in vain.
#
# You need [05 · Copy on write](05_copy_on_write.ipynb). Exercises: 08a, 08b (10 points each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. The mapcount of a page is 3. Which processes map it?
# 2. What did you have to read in exercise 03b to find out?
# 3. A process writes to a shared page. Which number decided in the kernel of 2004 whether the page
#    is copied?
#
# <details><summary>Answers</summary>
#
# 1. mapcount does not say it. It only says how many entries map the page.
# 2. You had to read every entry of every process.
# 3. It was the [count](glossary.md#count) of the page.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# Memory is full. The kernel chooses a page that three processes share, and wants to send it to
# swap. Then it can give the frame to somebody else.
#
# First it must change every entry that leads to this frame. Each becomes a
# swap entry, which says where on swap the page is. But the frame does not
# say who uses it. How does the kernel find the entries?
#
# Here parent, child and grandchild share two pages since a fork. Then the
# child writes to the second page, and gets a copy of its own by
# copy on write.

# %% [markdown]
# ## 3 · Predict and run
#
# The stage stops before each of two swap-outs. Look at the arrows that lead to the frame.

# %%
scene("08 swap out")

# %% [markdown]
# You can watch the kernel look. Go back with **← Previous** until both frames are in memory again.
# Click a frame, and press <kbd>W</kbd> once for each look.

# %% [markdown]
# ## 4 · Investigate
#
# This is what the mail of 13 March 2004 is for. Read its loop line by line. A page knows its
# group and its one address. The kernel goes through the members of the group,
# and looks up this address in the tables of each.

# %%
mail("08")

# %% [markdown]
# The machine here has the same loop. First we build a family. A parent has four children, and the
# second of them (`child1`) writes to its second page. So this page is its own.

# %%
kernel = Kernel(design="anongroup", frames=32, swap=8, geometry=LESSON)
parent = kernel.spawn("parent")
parent.mmap(2 * PAGE_SIZE, at=0x30000)
parent.write_range(0x30000, [7, 8])
children = [parent.fork(f"child{number}") for number in range(4)]
children[1].write(0x31000, 9)

# %% [markdown]
# Now we ask the reverse map where this page may be.

# %%
pfn = children[1].page(0x31000).pfn
kernel.design.candidates(pfn)

# %% [markdown]
# You see five address spaces by number, and page number 49 for each, which is
# `0x31`. A place where the kernel looks is a [candidate](glossary.md#candidate). Only one of the
# five maps the page. The entry at each place decides.
#
# The machine counts how often it looks. Compare the page that `child1` has alone with the page that
# the four others share.


# %%
def walk_cost(pfn):
    before = kernel.design.cost.probes
    found = kernel.mappers(pfn)
    return [process.name for process, _ in found], kernel.design.cost.probes - before


walk_cost(pfn), walk_cost(parent.page(0x31000).pfn)

# %% [markdown]
# 1. Five places are candidates for the first page. Why did the kernel look at three only?
# 2. `child1` is in the group, and has another frame at this address. How does the second walk
#    notice it?
# 3. `child1` becomes another program with execve. Does the kernel still look
#    at it?
#
# <details><summary>Answers</summary>
#
# 1. It looked at the parent, at `child0` and at `child1`. Then it had found as many entries as
#    mapcount says, and stopped.
# 2. The entry is present, but it names another frame.
# 3. No. A process leaves the group with execve. Notebook 06 shows it.
#
# </details>

# %% [markdown]
# How often does the kernel look in vain? Count for five stories.

# %%
answer("08 candidates", ...)

# %% [markdown]
# ### Back from swap
#
# A page on swap has no frame. When somebody touches it, a fault brings it
# back. Here three processes have the same swap entry, and two of them read.

# %%
scene("08 swap in")

# %% [markdown]
# ### What holds always
#
# You have seen a few stories. Some sentences hold for **all** stories, also for those with
# pins and swap. Choose them. Random stories will judge your answer.

# %%
answer("08 always", ...)

# %% [markdown]
# ### When a server forks many workers
#
# A server forks 50 workers, and each worker writes to one page. The first number below says how
# often the kernel looks to find all these pages. The second says how often it looks for one page
# that all of them share. Three other designs stand beside the group, and notebook 09 explains them.

# %%
rows = compare(prefork(50), "anongroup,anonmm,anon_vma,anon_vma_chain").table("probes")
own, common = "walk: the own pages of all children", "walk: a page that all share"
{row["design"]: (row[own], row[common]) for row in rows}

# %% [markdown]
# For the common page all designs look 51 times, because 51 entries map it. For the 50 own pages the
# group looks more than a thousand times.
#
# The mail foresaw large groups, *"a ton of forks without any execve's"*. It found them bearable:
# *"any algorithm will have this issue"*. It also grants that a list per page skips every address
# space *"where the page might have been COW'ed or removed"* (COW'ed: copied on write). The numbers
# show how much this can be.
#
# In Linux 6.18 the walk is `rmap_walk_anon`, and `try_to_unmap_one` unmaps one entry. Both are in
# `mm/rmap.c`.

# %% [markdown]
# **Inverse question.** A frame has count 3 and mapcount 1. Which stories lead to this? More than
# one may fit.

# %%
answer("08 inverse", ...)

# %% [markdown]
# There are more ways to a count that is larger than mapcount. One is the
# swap cache, which the scene above has shown. It adds 1 to count.

# %% [markdown]
# ## 5 · Worked example
#
# First put the whole way to swap in order.

# %%
answer("08 order", ...)

# %% [markdown]
# Now unmap one page by hand. The kernel takes four steps at each candidate.
#
# 1. **Look** at the entry.
# 2. **Compare.** It is a hit if it is present and names the frame.
# 3. **Replace** a hit by the swap entry.
# 4. **Count.** mapcount falls by 1, and the slot on swap has one user more.
#
# An entry is one number, and exercises call it a [word](glossary.md#word). Its last bit says
# whether it is present. Here are five words. Which of them map frame 3?

# %%
words, pfn = [0x3065, 0, 0x4067, 0x3045, 0x3122], 3
{hex(word): ("present" if word % 2 else "not present", word >> 12 == pfn) for word in words}

# %% [markdown]
# ## 6 · Modify: exercise 08a

# %% tags=["exercise"]
# %%exercise 08a

# %% [markdown]
# ## 7 · Make: exercise 08b
#
# You write a test of your own. It is one story, and it should find six bugs.

# %%
statement("08b")

# %% tags=["exercise"]
# %%exercise 08b

# %% [markdown]
# ## 8 · Bug museum
#
# mremap gives memory another address, as notebook 07 shows. It moves swap
# entries as they are. So two processes can have one swap entry at two addresses.
#
# Bug M12 overlooks this case. The page comes back at one address while it is mapped at the other.
# Then it has two addresses, and nobody notices. Hugh Dickins described the case in April 2004
# ("rmap 11 mremap moves"). The story below does not find the bug. Which line is missing?

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
# <details><summary>Answer</summary>The line `c read 0x50000` is missing. The child must touch the
# page while the parent has it at the old address.</details>

# %% [markdown]
# ## 9 · Exit ticket
#
# 1. Swap-out takes a page out of memory. Does it need the reverse map for this?
# 2. A page is shared by 1000 workers of a server. Which design finds its entries without looking at
#    1000 places?

# %%
predicted("08")

# %%
progress()

# %% [markdown]
# The drill has more questions of this kind. It ends when five in a row are right.

# %%
drill("08")

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. To take out *this* page: yes. Without the walk nobody knows which entries to change. Linux 2.4
#    had no reverse map. It scanned all page tables instead, and took what it met.
# 2. No design does, because there are 1000 entries to change. Designs differ in the places where
#    they look in vain.
#
# </details>
#
# **Next:** [09 · Designs compared](09_designs_compared.ipynb). Or, at the end of the core track,
# [10b · Then and now](10b_then_and_now.ipynb).

# %% [markdown]
# **What people say.** Each question has an answer that many people give, and that is wrong.

# %%
beliefs("08")

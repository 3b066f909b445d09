# %% [markdown]
# # 07 · mremap
#
# **In 75 minutes you can** say what moves in an mremap and what must stay.
# You can say it for each design, and you can construct the worst case of one.
#
# You need [06 · execve and exit](06_execve_and_exit.ipynb). Exercises: 07a, 07b (10 points each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. Under the anon memory group, what does the [index](glossary.md#index) of
#    an anonymous page say?
# 2. The kernel looks for everybody who uses a page. Where does it look?
# 3. A VMA of anonymous memory has never moved. What is its
#    pgoff?
#
# <details><summary>Answers</summary>
#
# 1. It says the one page number that the page has.
# 2. It looks at this page number in each address space of the group.
# 3. It is the number of the first page of the VMA.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# A program needs more memory for a list. There is no room behind the list. So the kernel gives the
# list another address, where there is room. The call for this is mremap.
#
# The kernel need not copy the pages for it. It moves their
# page-table entries. Each page keeps its frame.
#
# This is easy as long as nobody shares the pages. After a fork, a child shares
# them with its parent.

# %% [markdown]
# ## 3 · Predict and run
#
# A child has written one of its three pages. It shares the other two with its parent. Now it moves
# all three.

# %%
scene("07 mremap")

# %% [markdown]
# ## 4 · Investigate
#
# The mail says that the rule of one address *"works 99% of the time"*. It calls what you have just
# seen *"The only problem"*. It solves the problem in a few lines.

# %%
mail("07")

# %% [markdown]
# The mail bets twice.
#
# * It asks whether *"count > 1"*. But [count](glossary.md#count) may be 2 though nobody shares
#   the page. A pin adds 1, and so does the
#   swap cache. Then the copy is needless. Worse, a device that pinned the
#   page keeps the old frame.
# * It calls the copy *"benign"*. It expects that hardly any program moves memory that it shares.

# %% [markdown]
# ### Another design
#
# Linux took another way. Under anon_vma and its successor
# `anon_vma_chain`, a page does not know its address. Its index says which page of a VMA it is. The
# VMA knows its own address, and its pgoff is the index of its first page.

# %%
scene("07 anon_vma")

# %% [markdown]
# The same in a few lines of code. One page moves, and nobody shares it. Read what each design
# writes down for the page.

# %%
for design in ("anongroup", "anon_vma_chain"):
    kernel = Kernel(design=design, frames=32, swap=4, geometry=LESSON)
    p = kernel.spawn("p")
    p.mmap(PAGE_SIZE, at=0x30000)
    p.write(0x30000, 7)
    p.mremap(0x30000, PAGE_SIZE, new=0x80000)
    print(p.page(0x80000), "pgoff", hex(p.mm.vmas[0].pgoff))

# %% [markdown]
# There are more designs than these two. Notebook 09 explains them all. Here is how many pages
# mremap copies under five of them, for the story above.

# %%
story = """
parent = spawn
parent mmap 0x30000 3
parent write 0x30000 7 3
child = fork parent
child write 0x32000 9
child mremap 0x30000 3 to 0x80000
"""
comparison = compare(story, "pte_chain,anongroup,anonmm,anon_vma,anon_vma_chain")
{row.design: row.copies for row in comparison.rows if row.operation == "mremap"}

# %% [markdown]
# `pte_chain` keeps a list of all entries that map a page. It changes one place in this list.
#
# `anonmm` copies as the group does. It is older than the mail. Hugh Dickins posted it in March
# 2003. He took over the copy in mremap after the mail.

# %% [markdown]
# ### The price of a pgoff that stays
#
# Two VMAs become one when they touch and fit together. They must have the same rule. Under
# anon_vma and `anon_vma_chain` two more things must fit:
#
# * The second pgoff goes on where the first one ends.
# * They have the same anon_vma, or one of them has none yet. It gets one at the first write.
#
# So a VMA that has moved may not fit to its new neighbour. Under the group a pgoff of anonymous
# memory says nothing to the kernel.

# %%
answer("07 merge", ...)

# %% [markdown]
# Three questions to think about:
#
# 1. Under the group, a page moves and its index stays at `0x30`. What would the kernel find?
# 2. Under `anon_vma`, the pgoff of the VMA changes to `0x80`. What would the kernel find?
# 3. mremap need not copy a page that is on swap. Why?
#
# <details><summary>Answers</summary>
#
# 1. It would find nothing. It would look at `0x30000`, and the page is no longer there.
# 2. It would find nothing either. The VMA would begin at index `0x80`. Index `0x30` would lie
#    outside.
# 3. The kernel moves its swap entry as it is. If several share the page, the price comes later: who
#    reads it at another address gets a copy.
#
# </details>

# %% [markdown]
# In Linux 6.18 the function `move_page_tables` moves the entries. The function `copy_vma` makes the
# VMA at the new place.
#
# **Inverse question.** Here you see a machine, and you say how it got there. The processes a and b
# have frames with equal contents. One has them at `0x30000`, the other at `0x80000`. Look at the
# letters of the entries, and at the VMAs.

# %%
answer("07 inverse", ...)

# %% [markdown]
# ## 5 · Worked example
#
# One page moves. The kernel takes three steps.
#
# 1. **Shared?** If somebody else uses the page, the kernel copies it first.
# 2. **Move.** It writes the entry to its new place, and empties the old place.
# 3. **Index.** It gives the page its new page number.
#
# The copy comes first because it may fail for lack of memory. Then nothing has moved yet.

# %% [markdown]
# An entry is one number, and exercises call it a [word](glossary.md#word). Its upper digits name
# the frame. Its last three digits say what is allowed.

# %%
word = 0x5065
{"frame": hex(word >> 12), "bits": hex(word & 0xFFF)}

# %% [markdown]
# A range moves in the same way. All copies are made first, at the old address. Then all entries
# move. The page numbers of a range follow each other, so one addition makes them all.

# %%
import numpy as np

0x40 + np.arange(3)

# %% [markdown]
# The whole operation has more steps. Put them in order.

# %%
answer("07 order", ...)

# %% [markdown]
# ## 6 · Modify: exercise 07a

# %% tags=["exercise"]
# %%exercise 07a

# %% [markdown]
# ## 7 · Make: exercise 07b

# %%
statement("07b")

# %% tags=["exercise"]
# %%exercise 07b

# %% [markdown]
# ## 8 · Bug museum
#
# Bug M07 does not update the index. Bug M08 moves a shared page without a copy. One history can
# kill both bugs. The one below kills only one of them. Which operation is missing?

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\np mremap 0x30000 1 to 0x50000\n"
run_mutant("mremap does not update index", history)

# %%
run_mutant("mremap moves a shared page without a copy", history)

# %% [markdown]
# <details><summary>Answer</summary>A fork is missing, before the mremap.</details>

# %% [markdown]
# ## 9 · Exit ticket
#
# 1. A process that never forked moves a gigabyte. How many pages are copied under the group?
# 2. A process forks, and then the *parent* moves its memory. Who has the original pages, and who
#    has the copies? Which copies are saved if the child exits first?

# %%
predicted("07")

# %%
progress()

# %% [markdown]
# The drill has more questions of this kind. It ends when five in a row are right.

# %%
drill("07")

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. No page is copied, as long as none is pinned or in the swap cache: the rule of the mail asks
#    for `count`.
# 2. The child keeps the original pages, and the parent gets the copies. If the child exits first,
#    all copies are saved, because nobody else has the pages.
#
# </details>
#
# **Next:** [08 · The walk](08_the_walk.ipynb).

# %% [markdown]
# **What people say.** Each question has an answer that many people give, and that is wrong.

# %%
beliefs("07")

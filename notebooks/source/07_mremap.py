# %% [markdown]
# # 07 · mremap
#
# **In 75 minutes you can** say what moves in an mremap and what must not, per design, and
# construct the worst case of one design.
#
# You need [06 · execve and exit](06_execve_and_exit.ipynb). Terms: [mremap](glossary.md#mremap),
# [index](glossary.md#index), [pgoff](glossary.md#pgoff). Exercises: 07a, 07b (10 points each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. What does `index` of an anonymous page say under the anon memory group?
# 2. Where does a walk look for a page?
# 3. What is `pgoff` of a VMA of anonymous memory that never moved?
#
# <details><summary>Answers</summary>
#
# 1. Its one page number.
# 2. At this page number, in each address space of its group.
# 3. The number of its own first page.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# A program lets its memory grow; there is no room, so the kernel moves it. That was easy before
# fork. Now a child shares two of the three pages.

# %%
story = """
parent = spawn
parent mmap 0x30000 3
parent write 0x30000 7 3
child = fork parent
child write 0x32000 9
child mremap 0x30000 3 to 0x80000
"""
trace = record(story, title="a child moves its memory")

# %% [markdown]
# ## 3 · Predict
#
# **Which of the child's three pages keep their frames when it moves them?** Name them by their old
# addresses, `0x30000`, `0x31000`, `0x32000`; write `"none"` or `"I do not know"` if you like. And
# what happens to the parent's pages?

# %%
predict("07 frames", ...)

# %% [markdown]
# ## 4 · Run

# %%
play(trace, "07 frames")

# %%
before, after = [step.snapshot for step in operations(trace)[-2:]]
kept = pages_with_same_frames(before, after, "child")
lines = [f"{s.title}: {s.sentence}" for s in trace.steps if s.label.startswith("mremap")]
reveal("07 frames", lines, truth=kept, among=("0x30000", "0x31000", "0x32000"))

# %% [markdown]
# The two shared pages were **copied**, the child's own page moved. One page cannot have two
# addresses when there is room for one number.

# %% [markdown]
# ## 5 · Investigate
#
# The rule of one address *"works 99% of the time"*, says the mail; this is the rest, *"The only
# problem"*, and it is solved in a few lines. Is the page shared? Then copy it for the one who
# moves. Now it is the mover's alone, and its index may change.

# %%
mail("07")

# %% [markdown]
# Two of its words carry a bet. *"count > 1"*: `count` is also 2 for a page that is pinned, or in
# the swap cache, and shared by nobody; then the copy is for nothing, and a device is left with
# the old frame. *"benign"*: that hardly anybody moves what is shared.
#
# First the 99 %. The page is not shared:

# %%
kernel = Kernel(design="anongroup", frames=32, swap=4, geometry=LESSON)
p = kernel.spawn("p")
p.mmap(4096, at=0x30000)
p.write(0x30000, 7)
before = p.page(0x30000)
p.mremap(0x30000, 4096, new=0x80000)
before, p.page(0x80000)

# %% [markdown]
# Unshared, the page keeps its frame, and its index follows. Now the story from above, under this
# and other designs (09 explains them all): pages that mremap copied.

# %%
comparison = compare(story, "pte_chain,anongroup,anonmm,anon_vma,anon_vma_chain")
{row.design: row.copies for row in comparison.rows if row.operation == "mremap"}

# %% [markdown]
# `pte_chain` keeps the places of all words, and moves one place. `anonmm` is older than the mail:
# Hugh Dickins posted it in March 2003. He took the copy in `mremap` over after the mail, and pays
# the same. Under `anon_vma`, what Linux took, a page is found through the VMA: its `pgoff` says
# where the VMA's pages *were*, and the VMA takes it along unchanged.

# %%
modern = Kernel(design="anon_vma_chain", frames=32, swap=4, geometry=LESSON)
p = modern.spawn("p")
p.mmap(4096, at=0x30000)
p.write(0x30000, 7)
p.mremap(0x30000, 4096, new=0x80000)
p.page(0x80000), hex(p.mm.vmas[0].pgoff)

# %% [markdown]
# Index `0x30`, at address `0x80000`, and pgoff `0x30`: they fit, because nothing but the VMA has
# changed. The price comes later: this VMA cannot merge with a neighbour whose pgoff does not go
# on. Which of these become one VMA, and under which design?

# %%
answer("07 merge", ...)

# %% [markdown]
# 1. What would a walk find under anongroup, if the index stayed at `0x30`?
# 2. What would a walk find under anon_vma, if pgoff became `0x80`?
# 3. Why does a swapped page move without any trouble?
#
# <details><summary>Answers</summary>
#
# 1. Nothing: it looks at 0x30000 and misses the page.
# 2. Nothing either: index 0x30 would lie outside a VMA whose pages begin at 0x80.
# 3. Its word is moved as it is; only the swap-in asks for an address.
#
# </details>

# %% [markdown]
# In Linux (6.18) the words are moved in `move_page_tables`, and `copy_vma` makes the VMA at the
# new place.
#
# **Inverse question.** a and b have frames with equal contents, at `0x30000` and at `0x80000`.
# Which operations led here? Look at the letters of the words, and at the areas.

# %%
answer("07 inverse", ...)

# %% [markdown]
# ## 6 · Worked example
#
# A page moves. **Shared?** Then copy first. **Move** the word to its new place. **Index**: the
# new page number. In this order, so that a lack of memory leaves everything where it was.

# %%
word = 0x5065
{"frame": word >> 12, "bits": hex(word & 0xFFF), "page 3 of a range at 0x80": hex(0x80 + 3)}

# %% [markdown]
# On a range, the copies are made at the old address first and moved with the rest; so there is
# one place where words move. The whole operation:

# %%
answer("07 order", ...)

# %% [markdown]
# ## 7 · Modify: exercise 07a

# %% tags=["exercise"]
# %%exercise 07a

# %% [markdown]
# ## 8 · Make: exercise 07b

# %%
statement("07b")

# %% tags=["exercise"]
# %%exercise 07b

# %% [markdown]
# ## 9 · Bug museum
#
# M07 and M08: the index is not updated, and a shared page is moved without a copy. One history
# can kill both. This one kills one of them; which operation is missing?

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\np mremap 0x30000 1 to 0x50000\n"
run_mutant("mremap does not update index", history)

# %%
run_mutant("mremap moves a shared page without a copy", history)

# %% [markdown]
# <details><summary>Answer</summary>A fork, before the mremap.</details>

# %% [markdown]
# ## 10 · Exit ticket
#
# 1. A process that never forked moves a gigabyte. How many pages are copied under anongroup?
# 2. After a fork, the *parent* moves. Who has the original, who has the copy, and which copies
#    would have been saved had the child exited first?

# %%
predicted("07")

# %%
progress()

# %% [markdown]
# More questions of this notebook, as many as you like. Five right in a row, and the drill is done.

# %%
drill("07")

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. None.
# 2. The child keeps the original, the parent gets the copy. All copies would have been saved:
#    nobody else would have had the pages.
#
# </details>
#
# **Next:** [08 · The walk](08_the_walk.ipynb).

# %% [markdown]
# # 04 · fork
#
# **In 75 minutes you can** predict what fork shares and what it write-protects, draw the family
# of mappings, and find a history that leads to a given state.
#
# You need [03 · Anonymous pages](03_anonymous_pages.ipynb). Terms: [fork](glossary.md#fork),
# [copy on write](glossary.md#copy-on-write), [group](glossary.md#group), [swap](glossary.md#swap).
# Exercises: 04a, 04b (10 points each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. What is in the page table of a page that was only read?
# 2. What does `index` of an anonymous page say?
# 3. What is the difference between count and mapcount?
#
# <details><summary>Answers</summary>
#
# 1. A word for the zero page, not writable.
# 2. The one address of the page, in pages.
# 3. count also counts who holds the frame without a word: pins, for one.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# A shell has four pages: two written, one only read, one never touched. It forks. The child must
# find everything as it was, and neither may see what the other writes from now on.

# %%
story = """
shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7 2
shell read 0x32000
child = fork shell
"""
trace = record(story, title="a shell forks")

# %% [markdown]
# ## 3 · Predict
#
# Before you step: **how many frames does the fork take?** A number, or `"I do not know"`.

# %%
predict("04 frames", ...)

# %% [markdown]
# **Which words will be read-only after the fork?** Name side and address, with commas between, such
# as `"shell 0x30000, child 0x33000"`. In the player below, mark the cells that will change at the
# fork.

# %%
predict("04 words", ...)

# %% [markdown]
# ## 4 · Run

# %%
at = [number for number, step in enumerate(trace.steps) if step.label == "fork.share_ptes"]
play(trace, "04 words", ask=at)

# %%
last = [step for step in trace.steps if step.operation == trace.steps[-1].operation]
before, after = [step.snapshot for step in operations(trace)[-2:]]
taken = frames_used(after) - frames_used(before)
reveal("04 frames", [f"{s.title}: {s.sentence}" for s in last], truth=taken)

# %% [markdown]
# <details><summary>What happened?</summary>
#
# No frame was taken: only page tables. Both written pages are mapped twice now, and W is gone **on
# both sides**. If the parent kept it, the parent could write into the child's memory. The page that
# was only read is read-only too, as it was: it is the zero page.
#
# </details>
#
# Your marks, word by word:

# %%
reveal("04 words", [], truth=read_only_words(after), among=nonzero_words(after))

# %% [markdown]
# ## 5 · Investigate
#
# Four steps, and Linux has a function for each (2.6 names): **copy VMAs** (`dup_mmap`), **link
# rmap**, the reverse map (the mail: *"adds the new mm to the mm list"*), **write-protect and share
# PTEs** (`copy_page_range`, `copy_one_pte`), **flush**: a processor remembers the words that it has
# used (in its TLB), and must forget those that have changed. Linux does the first three for one VMA
# after the other, and flushes once at the end. The simulator has no TLB.

# %%
mail("04")

# %% [markdown]
# The mail's *"mm copy operation"* is fork. It adds **one** entry to the list of the group, whether
# the parent has one page or a million; and it *"increments the reference count"*, so that the group
# lives as long as somebody is in it. In which order?

# %%
answer("04 order", ...)

# %%
kernel = Kernel(design="anongroup", frames=16, swap=4, geometry=LESSON)
shell = kernel.spawn("shell")
shell.mmap(4 * 4096, at=0x30000)
shell.write(0x30000, 7)
child = shell.fork("child")
shell.page(0x30000), [who.name for who, _ in kernel.mappers(1)]

# %%
picture(kernel.snapshot())

# %% [markdown]
# 1. mapcount is 2. What was it before?
# 2. The VMA still says `rw`, the words say read-only. Is that a contradiction?
# 3. The child has not touched anything. Which letter is missing in its word ("The same as text"
#    has them), and who would set it?
#
# <details><summary>Answers</summary>
#
# 1. 1.
# 2. No: the gap between what the VMA allows and what the word allows is where copy on write
#    lives.
# 3. A, which the machine sets at the first access.
#
# </details>

# %% [markdown]
# **Swap** is room on a disk for pages that do not fit into memory. A page there has no frame to
# share, but its word is not empty: it names a *slot* on the disk. fork copies the word. Slot 1 is
# then used by three: shell and child, who shared the page, and the second child.

# %%
shell.swap_out(0x30000)
shell.fork("second")
kernel.swap.map.tolist()

# %% [markdown]
# **Inverse question.** Which history was it? First look who shares what.

# %%
answer("04 inverse", ...)

# %% [markdown]
# ## 6 · Worked example
#
# One page: **look** at the word, **write-protect** it if it is present, give the **child** the
# same word, but for one bit. Bits are taken out with `&` and `~`; here D, which is bit 6. A range
# is the same `&` on an array, where the word is present.

# %%
word, dirty = 0x3067, 1 << 6
hex(word), hex(word & ~dirty)

# %% [markdown]
# ## 7 · Modify: exercise 04a
#
# Do it for every kind of word. The public checks run your function at every fork of random
# histories, and compare with what the kernel did.

# %% tags=["exercise"]
# %%exercise 04a

# %% [markdown]
# If a check fails you see the shortest history that shows it, and the picture of its last
# operation. `check("04a")` runs the checks again, `hint("04a")` opens a hint.

# %% [markdown]
# ## 8 · Make: exercise 04b

# %%
statement("04b")

# %% tags=["exercise"]
# %%exercise 04b

# %% [markdown]
# ## 9 · Bug museum
#
# M01, the classic: fork leaves the parent writable. Before you run the cell: which of the checks
# sees it, if nobody ever writes?

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\nc = fork p\n"
run_mutant("fork leaves the parent writable", history)

# %% [markdown]
# Counters alone would never have told: count and mapcount are what they should be. Try the second
# bug of fork: the entry of a swapped page is copied, but not counted.

# %%
run_mutant("fork copies a swap entry without counting it", "p = spawn\nc = fork p\n")

# %% [markdown]
# <details><summary>What must happen before the fork?</summary>A page must be written and swapped
# out: `p swap_out 0x30000`.</details>

# %% [markdown]
# ## 10 · Exit ticket
#
# 1. A process with a gigabyte of written memory forks. How much memory does that take at once?
# 2. Its child calls `execve` at once. How much of it was ever copied?

# %%
predicted("04")

# %%
progress()

# %% [markdown]
# More questions of this notebook, as many as you like. Five right in a row, and the drill is done.

# %%
drill("04")

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. Page tables: 8 bytes for each page of 4096 on x86-64, a five-hundredth.
# 2. Nothing, except what one of them wrote in between.
#
# </details>
#
# **Next:** [05 · Copy on write](05_copy_on_write.ipynb).

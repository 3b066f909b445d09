# %% [markdown]
# # 04 · fork
#
# **In 75 minutes you can** say what `fork` shares and what it makes read-only. You can draw the
# family of mappings. You can find a history that leads to a given state.
#
# You need [03 · Anonymous pages](03_anonymous_pages.ipynb). Terms: [fork](glossary.md#fork),
# [copy on write](glossary.md#copy-on-write), [group](glossary.md#group),
# [swap](glossary.md#swap). Exercises: 04a, 04b (10 points each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. A program has read a [page](glossary.md#page) and never written it. What does its
#    [page-table entry](glossary.md#pte) name?
# 2. What does the [index](glossary.md#index) of an
#    [anonymous page](glossary.md#anonymous-page) say?
# 3. What is the difference between [count](glossary.md#count) and
#    [mapcount](glossary.md#mapcount)?
#
# <details><summary>Answers</summary>
#
# 1. It names the [zero page](glossary.md#zero-page), and the page is not writable.
# 2. It is the one address of the page, without its last three digits.
# 3. mapcount counts entries only. count also counts others who hold the
#    [frame](glossary.md#frame), such as a [pin](glossary.md#pin).
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# A shell has four pages. It has written two of them and read a third. Nobody has touched the
# fourth. Now the shell calls `fork`, which makes a child.
#
# The child must find every page as it was. From then on each of the two may write. Neither may see
# what the other writes.

# %% [markdown]
# ## 3 · Predict and run
#
# The stage shows the fork in small steps. Press **Next →** and read the line under the buttons.
# Before the entries are shared, you are asked. To mark an entry, click it in the picture.

# %%
scene("04 fork")

# %% [markdown]
# ## 4 · Investigate
#
# A fork has five steps. Linux 2.6 has these functions for them, in the order of the alphabet:
#
# | function | step | what it does |
# |---|---|---|
# | `copy_page_range` | **write-protect and share PTEs** | Both processes name the same frames. |
# | `dup_mmap` | **copy [VMAs](glossary.md#vma)** | The child may use the same addresses. |
# | `dup_mmap` | **link rmap** | The reverse map learns of the child. |
# | `flush_tlb_mm` | **flush** | The processor forgets old entries. |
# | `mm_init` | **duplicate the mm** | The child gets an empty address space. |

# %% [markdown]
# Why a flush? A processor does not walk the [page table](glossary.md#page-table) at every access.
# It remembers entries that it has used, in its [TLB](glossary.md#tlb). After the fork it must
# forget those that have changed. The simulator has no TLB, so the stage has no flush.
#
# **In which order** must the steps come? The card begins after the last row of the table: the child
# has an empty address space. Two of the four steps may change places. One row of the card does not
# belong to fork.

# %%
answer("04 order", ...)

# %% [markdown]
# One step is about the [reverse map](glossary.md#reverse-map). This is what the mail says about it:

# %%
mail("04")

# %% [markdown]
# The mail calls fork the *"mm copy operation"*. It adds **one** entry to the list of the
# [group](glossary.md#group). It does not matter whether the parent has one page or a million.
#
# It also *"increments the reference count"* of the group. So the group lives as long as somebody is
# in it.

# %% [markdown]
# Here is a fork by program. The last line shows what the kernel knows about the page, and who maps
# frame 1.

# %%
kernel = Kernel(design="anongroup", frames=16, swap=4, geometry=LESSON)
shell = kernel.spawn("shell")
shell.mmap(4 * PAGE_SIZE, at=0x30000)
shell.write(0x30000, 7)
child = shell.fork("child")
shell.page(0x30000), [who.name for who, _ in kernel.mappers(1)]

# %%
picture(kernel.snapshot())

# %% [markdown]
# 1. mapcount is 2. What was it before the fork?
# 2. The VMA still says `rw`. The entries say read-only. Is that a contradiction?
# 3. The child has not touched anything yet. Open "The same as text" under the picture. Besides W,
#    which letter is missing in the child's entry, and who would set it?
#
# <details><summary>Answers</summary>
#
# 1. It was 1.
# 2. No. The VMA holds the rights that the program asked for. The entry says what needs no help from
#    the kernel. [Copy on write](glossary.md#copy-on-write) needs this difference.
# 3. The letter A (ACCESSED) is missing. The machine sets it at the first access.
#
# </details>

# %% [markdown]
# **[Swap](glossary.md#swap)** is room on a disk. The kernel puts pages there that do not fit into
# memory. Such a page has no frame. Its entry is not present. But it is not empty either, since it
# holds the number of a *slot* on the disk.
#
# What does fork do with such an entry?

# %%
scene("04 swap")

# %% [markdown]
# **Inverse question.** You see a picture, and you look for the history that led to it. First look
# who shares which page.

# %%
answer("04 inverse", ...)

# %% [markdown]
# ## 5 · Worked example
#
# For one page, fork does three things. It **looks** at the entry. If the entry is present, it
# **write-protects** it. Then it gives the **child** the same entry, but for one bit.
#
# A bit is taken out with `&` and `~`. Here this is done to D, which is bit 6, as an example: fork
# takes other bits. The same `&` works on an array of entries.

# %%
word, dirty = 0x3067, 1 << 6
hex(word), hex(word & ~dirty)

# %% [markdown]
# ## 6 · Modify: exercise 04a
#
# Now write it yourself, for every kind of entry. The public checks run random histories. They call
# your function at every fork, and they compare its result with what the kernel did.

# %% tags=["exercise"]
# %%exercise 04a

# %% [markdown]
# When a check fails, you see the shortest history that makes it fail. Below it stands the picture
# of its last operation. `check("04a")` runs the checks again. `hint("04a")` opens a hint.

# %% [markdown]
# ## 7 · Make: exercise 04b
#
# The [glossary](glossary.md) has a table of all operations that a history may have.

# %%
statement("04b")

# %% tags=["exercise"]
# %%exercise 04b

# %% [markdown]
# ## 8 · Bug museum
#
# M01 is a classic bug: fork leaves the parent's entries writable. In the history below, nobody
# writes after the fork. Which check can see the bug all the same? Make a guess, then run the cell.

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\nc = fork p\n"
run_mutant("fork leaves the parent writable", history)

# %% [markdown]
# <details><summary>Would a check of the counters have been enough?</summary>No. count and mapcount
# are what they should be. Only a check of the entries themselves finds it.</details>
#
# The second bug of fork is about swap. The entry of a swapped page is copied, but the new user of
# the slot is not counted. The history below does not show it. What must happen before the fork?

# %%
run_mutant("fork copies a swap entry without counting it", "p = spawn\nc = fork p\n")

# %% [markdown]
# <details><summary>Answer</summary>A page must be written and swapped out. The line for it is
# `p swap_out 0x30000`.</details>

# %% [markdown]
# ## 9 · Exit ticket
#
# 1. A process has written a gigabyte of memory. It forks. How much memory does the fork take?
# 2. Its child calls `execve` at once, and so becomes another program. How much of the gigabyte was
#    ever copied?
#
# <details><summary>Answers to the exit ticket</summary>
#
# 1. It takes page tables only. On x86-64 they need 8 bytes for each page of 4096 bytes. That is one
#    part in 512. In our machine tables take no frames. So you saw 0.
# 2. Nothing was copied, except pages that one of the two wrote in between. A page of the stack is
#    one of them, since both return from fork.
#
# </details>

# %%
predicted("04")

# %%
progress()

# %% [markdown]
# Here are more questions of this notebook, as many as you like. After five right answers in a row
# the drill is done.

# %%
drill("04")

# %% [markdown]
# **Next:** [05 · Copy on write](05_copy_on_write.ipynb).

# %% [markdown]
# **What people say.** Each question has an answer that many people give, and that is wrong.

# %%
beliefs("04")

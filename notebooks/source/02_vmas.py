# %% [markdown]
# # 02 · VMAs
#
# **In 60 minutes you can** tell a VMA from a page-table entry. You can split and merge VMAs as
# `munmap` and `mprotect` do. You can say what `vm_pgoff` means.
#
# You need [01 · Page tables](01_page_tables.ipynb). Terms: [VMA](glossary.md#vma),
# [pgoff](glossary.md#pgoff), [address space](glossary.md#mm). Exercises: 02a, 02b (10 points
# each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. The [word](glossary.md#word) in a slot of a [page table](glossary.md#page-table) is 0. May the
#    program use this [page](glossary.md#page)?
# 2. Which digits of `0x3a123` choose the byte in the page?
# 3. What does a [fault](glossary.md#fault) do to the program?
#
# <details><summary>Answers</summary>
#
# 1. The page table does not say. A VMA does, and this notebook is about VMAs.
# 2. The last three choose it.
# 3. It stops the program. The kernel then lets it go on, or sends it a signal, which usually ends
#    it.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# An editor maps six pages. It makes the upper half read-only, with `mprotect`. It gives back two
# pages in the middle, with `munmap`.
#
# The kernel must know what a program *may* do, even where nothing was touched yet. So it keeps a
# list for each address space. An element of the list is a **VMA**, a virtual memory area. It is a
# range of pages with one rule.

# %% [markdown]
# ## 3 · Predict and run
#
# The stage shows the VMAs of the editor as lines above its table. How many will there be?

# %%
scene("02 areas")

# %% [markdown]
# ## 4 · Investigate
#
# A VMA is a *rule* for a range of pages. A [page-table entry](glossary.md#pte) (PTE) says what *is*
# at one page. Both speak of rights, and they are not the same. What if they differ?

# %%
scene("02 rights")

# %% [markdown]
# A VMA has one more number, its **pgoff**. For a file, it says which page of the file stands at the
# start of the VMA. `mmap` can show a file in memory. Here it shows the file `libc` from page 2 on.

# %%
kernel = Kernel(design="anongroup", frames=16, swap=0, geometry=LESSON)
editor = kernel.spawn("editor")
libc = kernel.file("libc", 8)
editor.mmap(4 * PAGE_SIZE, at=0x50000, prot="r", file=libc, offset=2 * PAGE_SIZE)
editor.mm.vmas

# %% [markdown]
# Now the editor gives back the second of the four pages. Two VMAs remain. What is the pgoff of the
# upper one? Make a guess, then run the cell.

# %%
editor.munmap(0x51000, PAGE_SIZE)
editor.mm.vmas

# %% [markdown]
# Was your guess right? And why is it this number?
#
# <details><summary>Answer</summary>
#
# The upper VMA begins at page `0x52`, and it says `libc+4`. This page showed page 4 of the file
# before the split. It must show the same page after it. With a pgoff of 2 the program would
# suddenly read other contents. In Linux the function is `__split_vma` in `mm/`.
#
# </details>
#
# Memory without a file has a pgoff, too. It is the number of the first page: the address without
# its last three digits.

# %%
editor.mmap(2 * PAGE_SIZE, at=0x30000)
editor.mm.vmas

# %% [markdown]
# **Inverse question.** A new process has the two VMAs in the picture. Which operations led here?
# More than one answer may fit.

# %%
answer("02 inverse", ...)

# %% [markdown]
# ## 5 · Worked example
#
# We split a VMA `(start, end, prot, pgoff)` before page `at`. The **lower part** ends at `at`, and
# everything else about it stays. The **upper part** begins at `at`. Its first page shows what it
# showed before. To find that out, list what each page shows:

# %%
start, end, prot, pgoff = 0x50, 0x54, "r--", 2
{hex(start + n): f"page {pgoff + n} of the file" for n in range(end - start)}

# %% [markdown]
# `munmap` takes a range of pages out of a VMA. Put its steps in order. One of the rows does not
# belong, and more than one order is right.

# %%
answer("02 order", ...)

# %% [markdown]
# You have seen a few histories. What holds for **all** of them? Random histories judge your answer.

# %%
answer("02 always", ...)

# %% [markdown]
# ## 6 · Modify: exercise 02a

# %% tags=["exercise"]
# %%exercise 02a

# %% [markdown]
# ## 7 · Make: exercise 02b
#
# When may two neighbours become one VMA? For each field ask: what would a program notice if the
# kernel ignored it?

# %% tags=["exercise"]
# %%exercise 02b

# %% [markdown]
# ## 8 · Bug museum
#
# Mutant M06 is a split that leaves the pgoff as it was. Write a history that shows the bug. The one
# below does not. Which memory needs the pgoff? Add it to the history.

# %%
run_mutant("split does not advance pgoff", "p = spawn\np mmap 0x30000 4\np munmap 0x31000 1\n")

# %% [markdown]
# <details><summary>What is missing?</summary>
#
# A file is missing. Begin with `f = file 6`, and then `p mmap 0x30000 4 r file f`.
#
# Under the [anon memory group](glossary.md#group) nothing looks at the pgoff of memory without a
# file. Its pages are found by their addresses. Linux since 2.6.7 finds them by pgoff. There the bug
# would be fatal.
#
# </details>

# %% [markdown]
# ## 9 · Exit ticket
#
# 1. A program calls `mprotect` on every second page of a large VMA. What grows, the page tables or
#    the list of VMAs?
# 2. Then it sets all pages to `rw` again. How many VMAs are there?
#
# <details><summary>Answers to the exit ticket</summary>
#
# 1. The list grows. There is one VMA for each page then.
# 2. There is one again. All parts touch, they have the same rule, and pgoff goes on from part to
#    part.
#
# </details>

# %%
predicted("02")

# %%
progress()

# %% [markdown]
# Here are more questions of this notebook, as many as you like. After five right answers in a row
# the drill is done.

# %%
drill("02")

# %% [markdown]
# **Next:** [03 · Anonymous pages](03_anonymous_pages.ipynb).

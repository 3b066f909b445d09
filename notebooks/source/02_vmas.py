# %% [markdown]
# # 02 · VMAs
#
# **In 60 minutes you can** tell a VMA from a page-table entry, split and merge VMAs under munmap
# and mprotect, and say what `vm_pgoff` means.
#
# You need [01 · Page tables](01_page_tables.ipynb). Terms: [VMA](glossary.md#vma),
# [pgoff](glossary.md#pgoff), [address space](glossary.md#mm). Exercises: 02a, 02b (10 points
# each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. A word in a page table is 0. May the program use the page?
# 2. Which digits of `0x3a123` choose no table?
# 3. What does a fault do to the program?
#
# <details><summary>Answers</summary>
#
# 1. The table cannot say: that is what this notebook is about.
# 2. The last three: they choose a byte in the page.
# 3. It stops it until the kernel has decided: go on, or a signal.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# An editor maps six pages, makes the upper half read-only (`mprotect`), and gives back two pages in
# the middle (`munmap`). Where is it written what the program *may* do, even where nothing was
# touched yet? In a list that the kernel keeps for each address space. Each entry is a **VMA**, a
# virtual memory area: a range of pages with one rule.

# %%
story = """
editor = spawn
editor mmap 0x30000 6
editor write 0x30000 7 6
editor mprotect 0x33000 3 r
editor munmap 0x32000 2
editor mprotect 0x34000 2 rw
"""
trace = record(story, title="an editor and its areas")

# %% [markdown]
# ## 3 · Predict
#
# **How many VMAs has the editor after each of the five operations** that follow `spawn`? Five
# numbers, such as `"1 1 1 1 1"`, or `"I do not know"`.

# %%
predict("02 how many", ...)

# %% [markdown]
# ## 4 · Run

# %%
play(trace, "02 how many")


# %%
def areas(step):
    return ", ".join(f"{v.start_vpn:x}-{v.end_vpn:x} {v.prot}" for v in step.snapshot.mms[0].vmas)


ends = operations(trace)[2:]
lines = [f"{step.text:32} {areas(step)}" for step in ends]
reveal("02 how many", lines, truth=[len(step.snapshot.mms[0].vmas) for step in ends])

# %% [markdown]
# One, one, two, two, two: `mprotect` split the area at its border. `munmap` took a page from each
# of the two. The last `mprotect` made both alike again, but they do not touch any more, so they
# stay two.

# %% [markdown]
# ## 5 · Investigate
#
# A VMA is a *rule* for a range of pages; a PTE is what *is* at one page. Both have rights, and
# they are not the same.

# %%
kernel = Kernel(design="anongroup", frames=16, swap=0, geometry=LESSON)
editor = kernel.spawn("editor")
editor.mmap(2 * 4096, at=0x30000)
editor.read(0x30000)
editor.mm.vmas, editor.page(0x30000).flags

# %%
picture(kernel.snapshot())

# %% [markdown]
# 1. The VMA says `rw`, the PTE of the page that was read has no W. May the program write?
# 2. What if the VMA said `r`?
# 3. The VMA also has a number, `pgoff`: here it is `0x30`. Of which page is that the number?
#
# <details><summary>Answers</summary>
#
# 1. Yes: the fault looks at the VMA, finds that it allows writing, and gives a frame.
# 2. Then the same fault ends in a signal, SIGSEGV.
# 3. Of its first page: memory that belongs to no file counts its pages by their addresses, as
#    long as nothing moves.
#
# </details>

# %% [markdown]
# For a file, `pgoff` says which page of the file stands at the start of the VMA. (`mmap` can also
# show a file in memory.)

# %%
libc = kernel.file("libc", 8)
editor.mmap(4 * 4096, at=0x50000, prot="r", file=libc, offset=2 * 4096)
editor.munmap(0x51000, 4096)
editor.mm.vmas

# %% [markdown]
# The upper part now begins at page `0x52`, and says `libc+4`: page `0x52` still shows page 4 of
# the file. If the split had left `pgoff` at 2, two pages would suddenly show other contents. In
# Linux this is `__split_vma` in `mm/`.
#
# **Inverse question.** A new process has the two areas in the picture. Which operations led here?
# More than one may fit.

# %%
answer("02 inverse", ...)

# %% [markdown]
# ## 6 · Worked example
#
# Split a VMA `(start, end, prot, pgoff)` before page `at`. **Lower part**: ends at `at`, the rest
# stays. **Upper part**: starts at `at`, and its first page shows what it showed before. What does
# each page show?

# %%
start, end, prot, pgoff = 0x50, 0x54, "r--", 2
{hex(start + n): f"page {pgoff + n} of the file" for n in range(end - start)}

# %% [markdown]
# For a range: `munmap` of pages `[start, end)` splits at both ends, and then drops what lies
# between. So pgoff has to be right in one place only. Put the steps in order, and leave out the one
# that does not belong. There is more than one right order.

# %%
answer("02 order", ...)

# %% [markdown]
# You have seen a few histories. What holds for **all** of them? Random histories judge your answer.

# %%
answer("02 always", ...)

# %% [markdown]
# ## 7 · Modify: exercise 02a

# %% tags=["exercise"]
# %%exercise 02a

# %% [markdown]
# ## 8 · Make: exercise 02b
#
# When may two neighbours become one? Ask for each field what a program would notice.

# %% tags=["exercise"]
# %%exercise 02b

# %% [markdown]
# ## 9 · Bug museum
#
# M06: a split that does not advance pgoff. For memory without a file nothing seems to happen at
# first.
# Write the history that kills it; the one below is not enough. What must be there that depends on
# pgoff?

# %%
run_mutant("split does not advance pgoff", "p = spawn\np mmap 0x30000 4\np munmap 0x31000 1\n")

# %% [markdown]
# <details><summary>What is missing?</summary>A file: begin with f = file 6, and let p mmap
# 0x30000 4 r file f. Under the anon memory group nothing looks at the pgoff of memory without a
# file: its pages are found by their address. What Linux has since 2.6.7 finds them by pgoff, and
# there it would be fatal.</details>

# %% [markdown]
# ## 10 · Exit ticket
#
# 1. A program calls `mprotect` on every second page of a large area. What grows: the page tables,
#    or the list of VMAs?
# 2. It then sets all pages to `rw` again. How many VMAs are there?

# %%
predicted("02")

# %%
progress()

# %% [markdown]
# More questions of this notebook, as many as you like. Five right in a row, and the drill is done.

# %%
drill("02")

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. The list: one VMA per page.
# 2. One again: they touch, say the same, and pgoff goes on.
#
# </details>
#
# **Next:** [03 · Anonymous pages](03_anonymous_pages.ipynb).

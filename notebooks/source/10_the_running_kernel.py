# %% [markdown]
# # 10 · The running kernel
#
# **In 90 minutes you can** run a history on Linux and on the model, and explain each difference.
# You can go through the kernel's own reverse map, from a page to its processes.
#
# You need [07 · mremap](07_mremap.ipynb) and [08 · The walk](08_the_walk.ipynb). Exercises: 10a,
# 10b (10 points each). You need no administrator rights.

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. A child moves a page that it shares with its parent. What does the anon memory group do?
# 2. A VMA moves. What does `anon_vma_chain` change, and what does it leave alone?
# 3. A page was only read. Why may fork leave its page-table entry out?
#
# <details><summary>Answers</summary>
#
# 1. It copies the page, because a page has one address.
# 2. It changes the place of the VMA. The VMA keeps its pgoff, and pages keep their
#    [index](glossary.md#index).
# 3. The page is the zero page. The child finds it by itself, with a fault, when it reads there.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# A model can be wrong and still convince you. So run one history on two machines, on the simulated
# one and on Linux. Real processes do what the lines say. Each waits for its next command. After
# each line, we read in `/proc` where each page is.
#
# Your machine may have no Linux, or may not show this. Then the cells use a
# [recording](glossary.md#recording) of a kernel.
#
# No Linux runs the mail's design. It was proposed, and **Linux did not take it**. So we compare the
# simulated group with the Linux of today, which has `anon_vma_chain`.

# %%
case = live_or_recorded("mremap_of_shared_pages")
print(case.source)
case.recording.history

# %% [markdown]
# ## 3 · Predict and run
#
# The history above has eleven operations. First the model runs it under today's design,
# `anon_vma_chain`.

# %%
predict("10 today", ...)

# %% jupyter={"source_hidden": true}
today = compare_steps(case)
told = f"{len(today.differ)} of {len(today.steps)} operations differ"
reveal("10 today", [told], truth=len(today.differ))

# %%
today

# %% [markdown]
# Each line of the list is an operation. `5×1` means page 5 with mapcount 1. Now the model runs the
# same history under the group of the mail.

# %%
predict("10 the group", ...)

# %% jupyter={"source_hidden": true}
group = compare_steps(case, GROUP)
told = f"they differ for the first time after operation {group.differ[0]}"
reveal("10 the group", [told], truth=group.differ[0])

# %%
group

# %% [markdown]
# Compare the two lines of the first operation that differs. The simulated child has new pages
# there. The real one still has pages with mapcount 2.
#
# This is the one hard case of the mail. Suppose that there is no swap and no pin. Then only this
# case shows which of the two designs runs.
#
# What does the copy mean for the writes that come later? Watch both designs side by side.

# %%
scene("10 after the move")

# %% [markdown]
# ## 4 · Investigate
#
# ### A difference has a name
#
# In the next history, the shell only reads one area. In the other area it reads and writes. Then it
# forks. Look at operation 7.

# %%
compare_steps(live_or_recorded("fork_of_what_was_only_read"))

# %% [markdown]
# Linux 6.18 asks `vma_needs_copy` (in `mm/memory.c`). An area that was never written has no
# anon_vma, and its page-table entries are not copied. We know this difference and can explain it.
# Such a known difference is called a *rule* here. The name of this rule is `zero_page`.
#
# A rule does no harm to programs, and each rule has a test. Is there a difference without a rule?
# Then the model has a bug. `anonlab verify --live` looks for such bugs in random histories.

# %% [markdown]
# ### The kernel's own graph
#
# Here are three generations. p0 writes four pages and forks p1. p1 writes one page and forks p2. p2
# moves all four pages and writes one of them.
#
# All three have the first page. p0 and p1 have it at `0x30000`, which is page number `0x30`. p2 has
# it at `0x40000`.

# %%
predict("10 graph", ...)

# %% jupyter={"source_hidden": true}
maps = compare_rmaps("three_generations")
page = next(p for p in maps.real[-1].pages if p.mapcount == 3)
places = maps.real[-1].candidates(page)
seen = f"index {page.page_index:#x}, {len(places)} VMAs"
names = ("three_generations", "fork", "split", "rehomed", "merged")
others = [f"{name}: {len(compare_rmaps(name).differences())} differences" for name in names]
reveal("10 graph", [seen, maps.source, *others], truth=[hex(page.page_index), len(places)])

# %% [markdown]
# The right side below comes from the memory of the kernel, if you are the administrator. If not, it
# is a recording. You see pages, their anon_vma, and the VMAs and processes on it. Both sides are
# drawn in the same way, and differences are marked.

# %%
maps

# %% [markdown]
# The move changed nothing in the page. The VMA of p2 starts at `0x40000`, and still says index
# `0x30`. So `rmap_walk_anon` (in `mm/rmap.c`) computes `0x40000` for p2. There is no copy and no
# new index. You see the price on the right: six links. The group has only one list.
#
# What is better now? For each entry that the walks find: at how many places do they look?

# %% jupyter={"source_hidden": true}
graph = maps.real[-1]
looked = sum(len(graph.candidates(page)) for page in graph.pages)
found = sum(page.mapcount for page in graph.pages)
in_group = 3 * len(graph.pages)
{"anon_vma_chain": looked / found, "anongroup": in_group / found}

# %% [markdown]
# Two more graphs are worth a look, with `compare_rmaps("rehomed")` and
# `compare_rmaps("dead_parent")`.
#
# 1. In `rehomed` a page gets another anon_vma: a new home. The parent writes first, and then the
#    child. Who moves the old page to the child's anon_vma, and when?
# 2. In `dead_parent` p0 and p1 are gone. Why is anon_vma 0 still there?
#
# <details><summary>Answers</summary>
#
# 1. The child's own write does. It finds nobody else at the page, and writes in place. Then
#    `folio_move_anon_rmap` gives the page to the child's anon_vma.
# 2. It is the *root* (the first anon_vma) of the family. Its [lock](glossary.md#lock) guards the
#    whole family. Live processes still have VMAs on it, and these VMAs still have old pages.
#
# </details>

# %% [markdown]
# **Inverse question.** A real kernel shows one page with mapcount 3. It is at three addresses, in
# three VMAs with one index. Which operations were needed, at least?
#
# <details><summary>Answer</summary>Two forks and two moves were needed. A fork keeps addresses, and
# only mremap changes them.</details>
#
# ### What is it worth?
#
# Seven steps were timed on Linux and on the simulator. Both ran on one machine, in one run. Which
# step costs Linux most? And where is the simulator slower?

# %%
predict("10 price", ...)

# %% jupyter={"source_hidden": true}
rows = [row for row in measured()["rows"] if row["pages"] == 16384]
dear = max(rows, key=lambda row: row["real_ns_per_page"])["name"]
slower = [row["name"] for row in rows if row["ratio"] > 1]
told = f"slowest on Linux: {dear}; the simulator is slower: {', '.join(slower)}"
reveal("10 price", [told], truth={dear, *slower}, among=[row["name"] for row in rows])

# %% [markdown]
# In the chart, the time is ten times longer from one mark to the next.

# %%
bench_chart(measured(), 16384)

# %% [markdown]
# In the row of mremap both do the same work. They only move page-table entries, one by one. Linux
# can move a whole table at once. But then both addresses must begin where a table begins. Here the
# new address is one page off.
#
# PyOS is another simulator for learners, with a dictionary for each table. It has no mremap and no
# reverse map.
#
# You can measure your own machine, if it has gcc. Set `HERE = True`.

# %%
HERE = False
bench_chart(measure_here()) if HERE else "HERE = True measures this machine, in some seconds"

# %% [markdown]
# ## 5 · Worked example
#
# The file pagemap has one number of 64 bits for each page. Read it in three steps.
#
# 1. **State.** Is the page there?
# 2. **Number.** In which frame is it?
# 3. **Marks.** Does somebody else have it?
#
# First take one page that was written.

# %%
mine = own_pagemap_words()
word = mine.words[2]
state, alone = word >> 63, word >> 56 & 1
print(mine)
{"present": state, "mapped exclusively": alone}

# %% [markdown]
# A pfn of 0 means that you may not see it. Linux shows frame numbers only to the administrator (the
# user *root*).
#
# Everybody may read bit 56, and it is enough to watch copy on write. It is 1 before a fork, 0 after
# it, and 1 again after a write. For a range, the same is one array expression:
# `words >> np.uint64(56) & np.uint64(1)`.

# %% [markdown]
# ## 6 · Modify: exercise 10a

# %% tags=["exercise"]
# %%exercise 10a

# %% [markdown]
# ## 7 · Make: exercise 10b

# %%
statement("10b")

# %% tags=["exercise"]
# %%exercise 10b

# %% [markdown]
# **Your own history.** Change this history, and predict before you run it. Without Linux, only
# recorded histories work. There is a recording of this one, as it stands here.

# %%
own = """
shell = spawn
shell mmap 0x3f000 2
shell write 0x3f000 7 2
child = fork shell
shell write 0x3f000 9
child write 0x3f000 5
child write 0x40000 6
shell write 0x40000 8
shell read 0x3f000 2
child read 0x3f000 2
"""

# %%
compare_steps(live_or_recorded(own))

# %% [markdown]
# **Your own program.** The tool strace writes down what a program asks of the kernel. Then the
# simulated kernel does these things, too. In a terminal this takes two commands, `anonlab record -o
# my.log -- COMMAND` and `anonlab replay my.log`.

# %%
trace_and_replay(["sh", "-c", "echo hello | wc -c"])

# %% [markdown]
# **Report.** Here are five sentences about Linux. Which of them are true? For each, name an
# operation that shows it.
#
# 1. fork copies no page.
# 2. When the parent writes first, the child gets the copy.
# 3. mremap of a shared page copies nothing.
# 4. A page that moved has a new index.
# 5. The last process that has a page writes it in place.

# %%
predict("10 report", ...)


# %% jupyter={"source_hidden": true}
write = compare_steps(live_or_recorded("who_gets_the_copy")).steps
reuse = compare_steps(live_or_recorded("reuse_after_exit")).steps
checked = [
    today.steps[3].pages("child") == today.steps[3].pages("shell"),
    write[4].pages("child") != write[3].pages("child"),
    today.steps[5].pages("child") == today.steps[4].pages("child"),
    page.page_index == 0x40,
    reuse[5].pages("shell") == reuse[4].pages("shell"),
]
true = {number for number, fact in enumerate(checked, 1) if fact}
reveal("10 report", [f"true: {sorted(true)}"], truth=true, among=range(1, 6))

# %% [markdown]
# **What the model leaves out.** It says what happens to pages and counts. It does not say how long
# it takes.
#
# * It has no [huge pages](glossary.md#huge-page), no locks, no control groups (limits), and no TLBs
#   that must forget. Equal pages never become one (KSM). All memory is equally near (no NUMA).
# * A CPU of Linux holds pages that it has just touched. So it sometimes copies without need.
# * A page of the model holds one number.
# * The zero page of the model is frame 0. In Linux it is a frame like others.
# * Swap entries have another form in Linux. Our tables have an empty row 0, and Linux has none.

# %% [markdown]
# ## 8 · Bug museum
#
# Some bugs of the museum change what a page shows. The recorded kernels find all of these. The next
# bug was in Linux until 2015: Linux never reused an old anon_vma. Which history would show it? This
# one does not.

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\nc = fork p\nc write 0x30000 9\n"
run_mutant("anon_vma_chain: no anon_vma is ever taken over (before 2015)", history)

# %% [markdown]
# <details><summary>Why does the bug survive, and what shows it?</summary>
#
# All pages and counts are right. The bug only wastes memory: each generation (child, grandchild, …)
# costs one anon_vma more. No page shows it, but the kernel's graph does.
#
# In `dead_parent`, p3 takes over an anon_vma that p1 has left. With the bug there is a fourth one.
# Look at `compare_rmaps("dead_parent")`.
#
# </details>

# %% [markdown]
# ## 9 · Exit ticket
#
# Write five sentences for each case.
#
# * **A.** A database forks to write a snapshot of its memory. Its writes become slow while the
#   child lives. What would you measure in `/proc`, and what would it show?
# * **B.** Somebody wants to add the anon memory group to Linux, which never had it, to save links.
#   What speaks for it, and what against? Which history would you show?
#
# **Next:** [10b · Then and now](10b_then_and_now.ipynb) asks eight questions like those of notebook
# 00.

# %%
predicted("10")

# %%
progress()

# %% [markdown]
# The drill has more questions of this kind. It ends when five in a row are right.

# %%
drill("10")

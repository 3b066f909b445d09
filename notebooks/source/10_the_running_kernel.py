# %% [markdown]
# # 10 · The running kernel
#
# **In 90 minutes you can** run a history on Linux and on the model, explain each difference by the
# rule that it has, and go through the kernel's own reverse map from a page to its processes.
#
# You need [07 · mremap](07_mremap.ipynb) and [08 · The walk](08_the_walk.ipynb). Terms:
# [pagemap](glossary.md#pagemap), [anon_vma](glossary.md#anon-vma),
# [recording](glossary.md#recording), [mapcount](glossary.md#mapcount). Exercises: 10a, 10b (10
# points each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. A child moves a page that it shares with its parent. What does the group of the mail do?
# 2. What does anon_vma_chain change when a VMA moves, and what does it leave alone?
# 3. Why may a page that was only read be forgotten at fork?
#
# <details><summary>Answers</summary>It copies the page: one page, one address. It changes the
# VMA's place and keeps its pgoff; pages keep their index. The child will find the zero page by
# itself: a read fault costs one word.</details>

# %% [markdown]
# ## 2 · Story
#
# A model can be wrong and convincing. So run one history on two machines: the simulated one, and
# Linux. Real processes do what the lines say, each waits for its next command, and `/proc` says
# after each line which page stands where.
#
# Where Linux does not show that (it takes root, and Linux), a **recording** of a kernel answers.
# The cells are the same.

# %%
case = live_or_recorded("mremap_of_shared_pages")
print(case.source)
case.recording.history

# %% [markdown]
# ## 3 · Predict
#
# Eleven operations. **Under today's design, anon_vma_chain: after how many of them do the two
# machines show something different?** A number.

# %%
predict("10 today", ...)

# %% [markdown]
# And under the group of the mail, **anongroup: after which operation for the first time?** The
# number of a line; and think of what is different then.

# %%
predict("10 the group", ...)

# %% [markdown]
# ## 4 · Run

# %%
today = compare_steps(case)
told = f"{len(today.differ)} of {len(today.steps)} operations differ"
reveal("10 today", [told], truth=len(today.differ))

# %%
today

# %%
group = compare_steps(case, GROUP)
told = f"the first is operation {group.differ[0]}"
reveal("10 the group", [told], truth=group.differ[0])

# %%
group

# %% [markdown]
# `child 0x48000 5×1 6×1 …` here, `5×1 2×2 …` there: mremap gave the child *new* pages, where Linux
# let it keep page 2 with a mapcount of 2. This is the one hard case of the mail. Where nothing is
# swapped or pinned, it is what tells the two designs apart from outside.

# %%
both = {name: record(case.recording.history, name) for name in ("anongroup", "anon_vma_chain")}
play(both, "10 the group")

# %% [markdown]
# ## 5 · Investigate
#
# ### A difference has a name
#
# The next history only reads one area, and reads and writes another.
# Then it forks. Look at operation 7.

# %%
compare_steps(live_or_recorded("fork_of_what_was_only_read"))

# %% [markdown]
# Linux 6.18 asks `vma_needs_copy` (mm/memory.c): an area that was never written has no anon_vma,
# and its words are not copied. The rule is called `zero_page`. A rule is harmless to programs and
# has a test of its own; a difference without a rule is a bug in the model. `anonlab verify --live`
# looks for one in random histories.

# %% [markdown]
# ### The kernel's own graph
#
# Three generations: p0 writes four pages, forks p1; p1 writes one,
# forks p2; p2 moves all four and writes one. Page 0x30 is mapped by all three, p2 has it at
# 0x40000. **Which index does it have, and how many VMAs hang on its anon_vma?** `"0x…, …"`

# %%
predict("10 graph", ...)

# %%
maps = compare_rmaps("three_generations")
page = next(p for p in maps.real[-1].pages if p.mapcount == 3)
places = maps.real[-1].candidates(page)
seen = f"index {page.page_index:#x}, {len(places)} VMAs"
names = ("three_generations", "fork", "split", "rehomed", "merged")
others = [f"{name}: {len(compare_rmaps(name).differences())} differences" for name in names]
reveal("10 graph", [seen, maps.source, *others], truth=[hex(page.page_index), len(places)])

# %% [markdown]
# With enough rights the right side is read from kernel memory: struct page, its anon_vma, the
# interval tree in it, the links, the VMAs, the processes. Both graphs stand at the same places;
# what differs would be marked.

# %%
maps

# %% [markdown]
# The page did not notice the move: p2's VMA starts at 0x40000 and still says index 0x30, so
# `rmap_walk_anon` (mm/rmap.c) computes 0x40000 for it. No copy, no new index. The price is on the
# right: six links where the group has one list.
#
# What does that buy? Count the places at which walks look, per place that they find.

# %%
graph = maps.real[-1]
looked = sum(len(graph.candidates(page)) for page in graph.pages)
found = sum(page.mapcount for page in graph.pages)
in_group = 3 * len(graph.pages)
{"anon_vma_chain": looked / found, "anongroup": in_group / found}

# %% [markdown]
# 1. `rehomed`: the parent writes first, then the child. Who moves the old page to the child's
#    anon_vma, and when?
# 2. `dead_parent`: p0 and p1 are gone. Why is anon_vma 0 still there?
#
# <details><summary>Answers</summary>The child's own write: it finds nobody else, writes in place,
# and `folio_move_anon_rmap` gives the page to its own anon_vma. It is the root: its lock guards
# the family, and VMAs of the living are on it, with pages from before.</details>
#
# **Inverse question.** A real kernel shows one page with mapcount 3, at three addresses, in three
# VMAs with one index. Which operations were needed, at least?
#
# <details><summary>Answer</summary>Two forks and two moves: a fork keeps addresses, and only
# mremap changes them.</details>

# %% [markdown]
# ### What is it worth?
#
# The same steps were timed on both, on one machine, in one run. Bars grow by
# factors of ten. **Which step costs Linux most per page, and in which is the simulator slower?**
# Two of: first_touch, read_zero, fork, cow_copy, cow_reuse, mremap, munmap.

# %%
predict("10 price", ...)

# %%
rows = [row for row in measured()["rows"] if row["pages"] == 16384]
dear = max(rows, key=lambda row: row["real_ns_per_page"])["name"]
slower = [row["name"] for row in rows if row["ratio"] > 1]
told = f"dearest on Linux: {dear}; the simulator is slower: {', '.join(slower)}"
reveal("10 price", [told], truth={dear, *slower}, among=[row["name"] for row in rows])

# %%
bench_chart(measured(), 16384)

# %% [markdown]
# A kernel clears and copies 4096 bytes where the simulator writes one number: that is why it looks
# so fast there. mremap is the honest row: both only move words here, because the new place is off
# by one page. Where both places are aligned, Linux moves whole tables. PyOS is another simulator
# for learners, with a dictionary for each table; it has no mremap and no reverse map. For your own
# machine, with gcc, set `HERE = True`.

# %%
HERE = False
bench_chart(measure_here()) if HERE else "HERE = True measures this machine, in some seconds"

# %% [markdown]
# ## 6 · Worked example
#
# What Linux says of a page is one word of 64 bits. Subgoals: **state** (is it there?), **number**
# (which frame?), **marks** (whose is it?). First for one page that was written.

# %%
mine = own_pagemap_words()
word = mine.words[2]
state, alone = word >> 63, word >> 56 & 1
print(mine)
{"present": state, "mapped exclusively": alone}

# %% [markdown]
# A pfn of 0 means: not for you. Linux shows frame numbers to root alone. Bit 56 is for everybody,
# and it is enough to watch copy on write: 1 before a fork, 0 after it, 1 again after a write. For a
# range the same is an array expression: `words >> np.uint64(56) & np.uint64(1)`.

# %% [markdown]
# ## 7 · Modify: exercise 10a

# %% tags=["exercise"]
# %%exercise 10a

# %% [markdown]
# ## 8 · Make: exercise 10b

# %%
statement("10b")

# %% tags=["exercise"]
# %%exercise 10b

# %% [markdown]
# **Your own history.** Change it, and predict before you run it. With a recording in place of a
# kernel only histories that were recorded can be told, such as this one.

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
# **Your own program.** strace writes down what it asks of the kernel, and the simulated kernel does
# it too; in a terminal: `anonlab record -o my.log -- COMMAND`, then `anonlab replay my.log`.

# %%
trace_and_replay(["sh", "-c", "echo hello | wc -c"])

# %% [markdown]
# **Report.** Five sentences about Linux. Which are true? Write their numbers, and have ready which
# operation shows it.
#
# 1. fork copies no page.
# 2. When the parent writes first, the child gets the copy.
# 3. mremap of a shared page copies nothing.
# 4. A page that moved has a new index.
# 5. Who is last at a page writes in place.

# %%
predict("10 report", ...)


# %%
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
# **What the model leaves out.** Huge pages, NUMA, KSM, control groups. All locks, all flushes of
# TLBs. The batches in which a CPU keeps pages that it has just touched: they make Linux copy now
# and then where it need not. Contents beyond one number a page. Our zero page is frame 0; in Linux
# it is a frame like others. Words of pages on swap have another form there, and the row 0 of our
# tables, which is always empty, is ours. The model says what happens to pages and
# counts, not how long it takes.

# %% [markdown]
# ## 9 · Bug museum
#
# Every mutant of the museum that changes what a page shows is killed by the recorded kernels. This
# one was in Linux until 2015: no anon_vma is ever taken over. Which history would kill it?

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\nc = fork p\nc write 0x30000 9\n"
run_mutant("anon_vma_chain: no anon_vma is ever taken over (before 2015)", history)

# %% [markdown]
# <details><summary>Why does it live, and what sees it?</summary>All pages and counts are right; it
# only wastes memory, one anon_vma per generation, without end. No page shows it. The kernel's
# graph does: in `dead_parent` p3 takes over an anon_vma that p1 has left, and the mutant makes a
# fourth. Look at `rmaps("dead_parent")`.</details>

# %% [markdown]
# ## 10 · Exit ticket
#
# Two scenarios, five sentences each. **A:** a database forks to write a snapshot of its memory;
# its writes become slow while the child lives. What would you measure in `/proc`, and what would it
# show? **B:** somebody wants to add the anon memory group to Linux, which never had it, to save
# links. What speaks for it, what against, and which history would you show?
#
# **Next:** [10b · Then and now](10b_then_and_now.ipynb), eight scenarios as before the course.

# %%
predicted("10")

# %%
progress()

# %% [markdown]
# More questions of this notebook, as many as you like. Five right in a row, and the drill is done.

# %%
drill("10")

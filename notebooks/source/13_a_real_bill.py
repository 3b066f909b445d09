# %% [markdown]
# # 13 · A real bill
#
# **In 40 minutes you can** say what a fork costs a real server, who pays for it, and in which
# memory. You can make this bill for a program of your own.
#
# You need 05 and 05b. Terms: [fork](glossary.md#fork),
# [copy on write](glossary.md#copy-on-write), [frame](glossary.md#frame),
# [address space](glossary.md#mm).

# %%
from anonlab.learn import *

# %% [markdown]
# ## A server that saves itself
#
# redis is a server that keeps all its data in memory. Now and then it must save the data to a disk.
# Saving takes long, and the server must go on answering. So redis calls `fork`. The child has the
# same memory, as it was at that moment. It writes that memory to the disk, and then it exits. The
# parent goes on and changes what its clients want to change.

# %% [markdown]
# This works because of copy on write. But it is not free. People who run redis ask two questions:
# *how much memory will a save take, and who causes it?*
#
# We recorded such a save on Linux 6.18. The server held 105 MB. While the child saved, a client
# changed 2,000 of the 100,000 keys. The recording has every [fault](glossary.md#fault) of both
# processes.

# %%
log = read_strace(strace_log("redis_bgsave"))
{"lines": log.lines, "page faults": len(log.touches), "left out": log.skipped}

# %%
[moment for moment in log.moments if moment.kind in ("fork", "execve")]

# %% [markdown]
# ## Before you look
#
# The two processes share about 28,000 pages when the child is born. A key takes about 1,000 bytes,
# so about four keys lie in one page.

# %%
predict("13 copies", ...)

# %% [markdown]
# ## The bill
#
# The simulated machine does what the log says, one fault after the other. Each copy is charged
# once: to the fork that shared the page, on the side of the one who wrote.

# %%
bill = bill_of(log.history, tuple(DESIGNS), touches="recorded")
fork = bill.forks[0]
share = sum(fork.copied.values()) / fork.shared
size = "fewer than half" if share < 0.5 else "more than half"
payer = max(fork.copied, key=fork.copied.get)
memory = next(iter(bill.areas()))
reveal("13 copies", [f"{share:.1%} of the shared pages"], truth=[size, payer, memory])

# %%
bill

# %% [markdown]
# Read the first table from left to right. The child was born with its page tables, and without one
# page of its own. Then the **parent** made nearly all of the copies: it is the one who writes. Most
# shared pages were never copied. Without copy on write, fork would have copied all of them.

# %% [markdown]
# ## Over time

# %%
chart(
    bill.series(),
    "Pages copied because of the fork",
    f"operations since the fork / {bill.every}",
    bill.marks(),
)

# %% [markdown]
# The line of the parent rises with each write to a page that is still shared. A second write to the
# same page is free. When the client has changed its 2,000 keys the line stops.

# %% [markdown]
# ## Is it true?
#
# redis asks the kernel, too. Right before its child exits, the child adds up its `Private_Dirty`.
# These are the bytes that it alone has: what it copied, what is new, and what the *parent* left to
# it. A page that the parent has copied belongs to the child alone. redis calls the sum
# `rdb_last_cow_size`. In this run it was 14,528,512.

# %%
{"the kernel": 14_528_512, "the simulated machine": fork.private * PAGE_SIZE,
 "copies and new pages": (sum(fork.copied.values()) + fork.new) * PAGE_SIZE}  # fmt: skip

# %% [markdown]
# The first two are equal to the byte. The third differs by two pages of 3,547. A thread of the
# parent gave memory back, with `madvise`. Two of those pages were shared. The child has them alone
# now, and nobody copied them.

# %% [markdown]
# ## What a fork costs at once
#
# Copies come later, one by one. What must be there at birth are the page tables: one
# [page-table entry](glossary.md#pte) of 8 bytes for each page. While fork copies them the server
# answers nobody.

# %%
{"pages of page tables": fork.tables, "KiB": fork.tables * PAGE_SIZE // 1024,
 "entries to copy": fork.shared}  # fmt: skip

# %% [markdown]
# ## And the reverse map?
#
# While the child lives, thousands of pages have two users. The kernel may want one of these pages
# back. Then it must find both. The last table of the bill says how many places it looks at, under
# each design. With one child there is little to choose: every design finds two users fast. A server
# with a thousand children is another matter, and notebook 09 has it.

# %% [markdown]
# ## If the client had written more
#
# We made three such recordings, with 1,000, 2,000 and 3,000 changed keys. The kernel counted
# 9.3, 14.5 and 18.5 MB. Why is the third not three times the first? Think of two keys in one page,
# then open the answer.
#
# <details><summary>Answer</summary>
#
# A page is copied once, however many of its keys are written. The more keys are written, the more
# often two of them share a page. In the end every page is copied, and the bill cannot grow any
# more. It is 105 MB then, as if fork had copied everything at once.
#
# </details>

# %% [markdown]
# ## A program of your own
#
# On Linux, record a program with its page faults, and ask for its bill:
#
#     anonlab record -o my.log -- COMMAND
#     anonlab replay my.log --bill --chart my.svg
#
# Where the kernel does not tell the page faults, the bill follows from a stated rule, and says so.
# `docs/LOGS.md` explains the columns.
#
# **Try it:** a pool of Python processes, once with `multiprocessing.get_context("fork")` and once
# with `"spawn"`. Which of them copies pages, and of which memory? Python writes a count into every
# object that it looks at. So a child that only *reads* a list copies its pages.

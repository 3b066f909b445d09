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
# changed 2,000 of the 100,000 keys. The recording is a text with one line for each call of both
# processes, and for each [fault](glossary.md#fault).

# %%
log = read_strace(strace_log("redis_bgsave"))
{"lines": log.lines, "page faults": len(log.touches), "left out": sum(log.skipped.values())}

# %% [markdown]
# Nearly every line is a page fault. Lines that change no memory are left out, such as a call that
# waits for a child. `log.skipped` names them all. These two lines begin the story:

# %%
[
    (moment.kind, moment.name, moment.what)
    for moment in log.moments
    if moment.kind in ("fork", "execve")
]

# %% [markdown]
# `p20262` is the process with the number 20262. It ran `redis-server`, and later it made the child
# `p20319`.

# %% [markdown]
# ## Before you look
#
# The two processes share about 28,000 pages when the child is born. A key and its value take about
# 1,000 bytes, so about four of them lie in one page.

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
# Why 3,481 copies, if the client changed only 2,000 keys? redis writes more than the new value. An
# entry of a table leads to each value, and this entry changes, too. So does the list of free
# memory. They lie in other pages.
#
# The second table names the memory. `data of redis-check-rdb` belongs to the server itself: here
# `redis-server` is only a second name of that file.

# %% [markdown]
# ## Over time

# %%
chart(
    bill.series(),
    "Pages copied because of the fork",
    "operations since the fork",
    bill.marks(),
    bill.places(),
)

# %% [markdown]
# To the right run the operations of the log, nearly all of them page faults. The line of the parent
# rises with each write to a page that is still shared. A second write to the same page is free.
# When the client has changed its 2,000 keys the line stops.

# %% [markdown]
# ## Is it true?
#
# redis asks the kernel, too. Right before its child exits, the child adds up its `Private_Dirty`.
# These are the bytes that it alone has: what it copied, what is new, and what the *parent* left to
# it. A page that the parent has copied belongs to the child alone. redis calls the sum
# `rdb_last_cow_size`. In this run it was 14,528,512.

# %%
changed = sum(fork.copied.values()) + fork.new
{"kernel": 14_528_512, "model": fork.private * PAGE_SIZE, "copied or new": changed * PAGE_SIZE}

# %% [markdown]
# The first two are equal to the byte. The third differs by two pages of 3,547. A thread of the
# parent gave memory back, with `madvise`. Two of those pages were shared. The child has them alone
# now, and nobody copied them.

# %% [markdown]
# ## What a fork costs at once
#
# Copies come later, one by one. What must be there at birth are the page tables. They have one
# [page-table entry](glossary.md#pte) of 8 bytes for each page. While fork copies them the server
# answers nobody.

# %%
{"entries to copy": fork.shared, "pages of tables": fork.tables}

# %% [markdown]
# A page of tables has room for 512 entries. 28,389 entries would fill 56 pages, but the child has
# 80. A table stands for 2 MB of addresses, and it takes a whole page even where few of them are
# used. Tables of the upper levels come on top.

# %% [markdown]
# ## And the reverse map?
#
# While the child lives, thousands of pages have two users. The kernel may want one of these pages
# back. Then it must find both. A [reverse map](glossary.md#reverse-map) leads it there. The last
# table of the bill counts what the kernel looks at on the way, under each design: entries of lists,
# and page tables.
#
# With one child there is little to choose: every design finds two users with three or four looks.
# `anon_vma` and the others differ when there are many children. Notebook 09 has a thousand.

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
# Stop a server with Ctrl-C: its log is kept. Where the kernel does not tell the page faults, the
# bill follows from a stated rule, and says so. In a row, `until` says what ended the sharing:
# `exit`, or `execve` and the program that the child became. A `vfork` shares all and costs nothing.

# %% [markdown]
# **Try it:** a pool of Python processes, once with `multiprocessing.get_context("fork")` and once
# with `"spawn"`. Which of them copies pages, and of which memory? Python writes a count into every
# object that it looks at. So a child that only *reads* a list copies its pages.

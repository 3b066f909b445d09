# %% [markdown]
# # 01 · Page tables
#
# **In 60 minutes you can** translate an address by hand and by program, name the bits of a
# page-table entry, say what a fault is, and go back from a frame to its addresses.
#
# You need [00 · Start here](00_start_here.ipynb). Terms: [page](glossary.md#page),
# [frame](glossary.md#frame), [page table](glossary.md#page-table), [PTE](glossary.md#pte),
# [word](glossary.md#word), [fault](glossary.md#fault). Exercises: 01a, 01b (10 points each).

# %%
import numpy as np

from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. What did `mmap` give the shell in notebook 00: memory, or something else?
# 2. What did `fork` copy?
# 3. Who got the copy when the child wrote?
#
# <details><summary>Answers</summary>
#
# 1. A promise: a range that it may use.
# 2. Page-table entries, and no page.
# 3. The writer, whoever it is.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# A program writes to address `0x3a123`. There is no wire with that number. Somewhere in the
# machine is a frame, and between the two lie two tables. The machine walks them at every access;
# the kernel walks them whenever it wants to change something.

# %%
story = """
shell = spawn
shell mmap 0x38000 4
shell write 0x3a000 7
shell write 0x39000 8
shell read 0x38000
"""
trace = record(story, title="three touches")

# %% [markdown]
# ## 3 · Predict
#
# The picture of a page table has one row per table and one cell per slot. **Which slots will be
# filled after the first write**, to `0x3a000`: which of the top table, and which of the table below
# it? Write two hex digits, such as `"0 1"`, or `"I do not know"`.

# %%
predict("01 slots", ...)

# %% [markdown]
# ## 4 · Run

# %%
play(trace, "01 slots")

# %%
before, after = [step.snapshot for step in operations(trace)[2:4]]
reveal("01 slots", [], truth=slots_filled(before, after), among="0123456789abcdef")

# %% [markdown]
# Digit 3 of `0x3a000` chose a slot in the top table, digit a a slot in the table below. The last
# three digits chose a byte in the page, and no table at all. Did you mark the slot in the *top*
# table too? It is filled by the first write below it.

# %% [markdown]
# ## 5 · Investigate
#
# A page-table entry is one number, a *word*: the frame above bit 12, and bits that say what is
# allowed and what has happened. Each process has an address space (`mm`), and its top table is the
# one in row `mm.pgd`.

# %%
kernel = Kernel(design="anongroup", frames=16, swap=0, geometry=LESSON)
shell = kernel.spawn("shell")
shell.mmap(4 * 4096, at=0x38000)
shell.write(0x3A000, 7)
shell.read(0x38000)
for address in (0x38000, 0x39000, 0x3A000):
    word = int(kernel.tables.lookup(shell.mm.pgd, address >> 12))
    print(f"{address:#x}  word {word:#07x}  frame {word >> 12}  {pte_letters(word)}")

# %% [markdown]
# | letter | bit | name | meaning |
# |---|---|---|---|
# | P | 0 | PRESENT | the word maps a frame; without it an access faults |
# | W | 1 | WRITE | a write needs no fault |
# | U | 2 | USER | the program itself may access it |
# | A | 5 | ACCESSED | set by the machine at an access |
# | D | 6 | DIRTY | set by the machine at a write |

# %% [markdown]
# 1. Page `0x38000` was only read. Which frame has it, and which letter is missing?
# 2. The word at `0x39000` is 0. What would an access do?
# 3. What happens if the program *writes* to `0x38000` now?
#
# <details><summary>Answers</summary>
#
# 1. Frame 0, the zero page. W is missing.
# 2. It would fault: the machine stops the program and calls the kernel, which may map a frame
#    and let it go on.
# 3. A fault again: the word is present, but not writable.
#
# </details>

# %% [markdown]
# **Inverse question.** Here is a machine. Which operations led to it? More than one may fit.

# %%
answer("01 inverse", ...)

# %% [markdown]
# In Linux (6.18) the walk is written out level by level, as in `follow_page_mask` and
# `__handle_mm_fault` in `mm/`; here one line does all levels.

# %% [markdown]
# ## 6 · Worked example
#
# Walk to `0x3a123` in the lesson machine. **Cut** the address: `0x3a123` → indices 3, a and
# offset 123. **Top table**: word at slot 3. **Next row**: the word above bit 12. **Leaf**: the
# word at slot a. In the picture each field of bits stands over the table where it chooses a slot.

# %%
address_picture(kernel.snapshot(), shell.mm.number, 0x3A123)

# %% [markdown]
# The first step by program. The machine cuts the address for you here; the step to the leaf is the
# same once more, from another row.

# %%
tables, row = kernel.tables.words, shell.mm.pgd
slot = int(LESSON.index(0x3A, 0))
word = int(tables[row, slot])
f"top table: row {row}, slot {slot:x} -> {word:#x}: the next row is {word >> 12}"

# %% [markdown]
# The same step for four addresses at once: with arrays of rows and slots, one line looks up all of
# them. Row 0 is always empty, so a missing table leads to 0 by itself.

# %%
rows, slots = np.array([row, row, row, 0]), np.array([3, 3, 7, 5])
[hex(word) for word in tables[rows, slots]]

# %% [markdown]
# Real machines have more levels and wider tables: x86-64 has four of nine bits. The loop does not
# change. Nothing is mapped at this address: at which table does the walk end?

# %%
big = Kernel(design="anongroup", frames=16, swap=0, geometry=X86_64)
program = big.spawn("program")
program.mmap(4096, at=0x7F12_3400_0000)
program.write(0x7F12_3400_0000, 1)
address_picture(big.snapshot(), program.mm.number, 0x7F12_3456_7000)

# %%
[hex(int(X86_64.index(0x7F12_3456_7000 >> 12, level))) for level in range(4)]

# %% [markdown]
# Do one by hand, and one backwards. The numbers are your own; `answer("01 slot", again=True)` asks
# with others.

# %%
answer("01 slot", ...)

# %%
answer("01 address", ...)

# %% [markdown]
# ## 7 · Modify: exercise 01a
#
# Write the walk yourself: for one address, then for an array of them. Running the cell runs the
# public checks.

# %% tags=["exercise"]
# %%exercise 01a

# %% [markdown]
# ## 8 · Make: exercise 01b
#
# Now backwards: from slots, and from a frame, to addresses. Note while you write how many words
# you read for *one* frame.

# %% tags=["exercise"]
# %%exercise 01b

# %% [markdown]
# ## 9 · Bug museum
#
# M00: a walk that takes the wrong level's index. In exercise 01a it is the first of the known
# wrong answers. Try it: swap the order in your `indices`, run the checks, and read what they say.
# Which scan told them?
#
# <details><summary>Answer</summary>The simulator's scan of all page tables, which shares no code
# with any walk: it starts at the top tables and reads every word.</details>

# %% [markdown]
# ## 10 · Exit ticket
#
# 1. A program maps a gigabyte and touches one page of it in the lesson machine's style of tables.
#    How many tables are made?
# 2. The kernel wants frame 5 back. It knows nothing but the frame's number. What must it read?

# %%
predicted("01")

# %%
progress()

# %% [markdown]
# More questions of this notebook, as many as you like. Five right in a row, and the drill is done.

# %%
drill("01")

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. One for each level: only the tables on the way to that page.
# 2. Every word of every page table of every process. This is why a reverse map is needed.
#
# </details>
#
# **Next:** [02 · VMAs](02_vmas.ipynb).

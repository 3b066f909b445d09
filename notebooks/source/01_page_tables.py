# %% [markdown]
# # 01 · Page tables
#
# **In 60 minutes you can** translate an address, by hand and by program. You can name the bits of a
# page-table entry and say what a fault is. You can go back from a frame to its addresses.
#
# You need [00 · Start here](00_start_here.ipynb). Terms: [page](glossary.md#page),
# [frame](glossary.md#frame), [page table](glossary.md#page-table),
# [page-table entry](glossary.md#pte), [word](glossary.md#word), [fault](glossary.md#fault).
# Exercises: 01a, 01b (10 points each).

# %%
import numpy as np

from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. What did `mmap` give the shell in notebook 00? Was it memory?
# 2. What did [fork](glossary.md#fork) copy?
# 3. Who got the copy when the child wrote?
#
# <details><summary>Answers</summary>
#
# 1. It gave a promise. The shell may use a range of pages.
# 2. It copied page-table entries, and no page.
# 3. The writer got it. It is always the writer.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# A program writes to address `0x3a123`. The machine must find the right frame. To do so it reads
# two tables, one after the other. This is called a *walk*.
#
# The kernel walks through the same tables whenever it wants to change something.

# %% [markdown]
# ## 3 · Predict and run
#
# The stage draws the top table as one row of slots. Below it stand the slots of the lower table.
# Which of them does a write fill?

# %%
scene("01 slots")

# %% [markdown]
# ## 4 · Investigate
#
# What stands in a slot of the lower table is a page-table entry, PTE for short. It is one number.
# The bits from bit 12 up are the number of the frame. The lower bits say what is allowed and what
# has happened.
#
# Programmers call such a number a *word*. The names in our code do so, too. A word is an entry, or
# 0 where there is none.
#
# Each process has an [address space](glossary.md#mm), called `mm` in the code. Its top table is
# number `mm.pgd`.

# %%
kernel = Kernel(design="anongroup", frames=16, swap=0, geometry=LESSON)
shell = kernel.spawn("shell")
shell.mmap(4 * PAGE_SIZE, at=0x38000)
shell.write(0x3A000, 7)
shell.read(0x38000)
for address in (0x38000, 0x39000, 0x3A000):
    word = int(kernel.tables.lookup(shell.mm.pgd, address >> 12))
    print(f"{address:#x}  word {word:#07x}  frame {word >> 12}  {pte_letters(word)}")

# %% [markdown]
# | letter | bit | name | meaning |
# |---|---|---|---|
# | P | 0 | PRESENT | The entry names a frame. Without it an access is a fault. |
# | W | 1 | WRITE | A write needs no fault. |
# | U | 2 | USER | The program itself may use the page. |
# | A | 5 | ACCESSED | The machine sets it at an access. |
# | D | 6 | DIRTY | The machine sets it at a write. |

# %% [markdown]
# A **fault** is an access that the entry does not allow. The machine stops the program and calls
# the kernel. The kernel may change the entry and let the program go on.
#
# 1. The program has only read page `0x38000`. Which frame does its entry name? Which letter,
#    for a right, is missing?
# 2. The word for `0x39000` is 0. What happens at an access?
# 3. What happens when the program *writes* to `0x38000` now?
#
# <details><summary>Answers</summary>
#
# 1. It names frame 0, which is called the [zero page](glossary.md#zero-page). W is missing.
# 2. There is a fault, because P is missing.
# 3. There is a fault, too. P is there, but W is not.
#
# </details>

# %% [markdown]
# **Inverse question.** Here is a machine. Which operations led to it? More than one answer may fit.

# %%
answer("01 inverse", ...)

# %% [markdown]
# In Linux (6.18) the walk is written out, level by level. Two functions that do it are
# `follow_page_mask` and `__handle_mm_fault`, both in `mm/`. Here one line does all levels.

# %% [markdown]
# ## 5 · Worked example
#
# We walk to `0x3a123` in the lesson machine.
#
# 1. **Cut** the address. It gives the indices 3 and a, and the [offset](glossary.md#offset) 123.
# 2. **Top table**: read the word at slot 3.
# 3. **Next row**: take the bits of this word from bit 12 up. All tables are rows of one array, and
#    this is the row of the lower table.
# 4. **Leaf**: read the word at slot a of that row.
#
# In the picture each part of the address stands over the table where it chooses a slot.

# %%
address_picture(kernel.snapshot(), shell.mm.number, 0x3A123)

# %% [markdown]
# Here is the first step by program. The machine cuts the address for you. The step to the leaf is
# the same once more, from another row.

# %%
tables, row = kernel.tables.words, shell.mm.pgd
slot = int(LESSON.index(0x3A, 0))
word = int(tables[row, slot])
f"top table: row {row}, slot {slot:x} -> {word:#x}: the next row is {word >> 12}"

# %% [markdown]
# Now the same step for four addresses at once. Rows and slots are arrays, and one line looks up
# all of them. Where a table is missing, the word is 0. So the next step looks in row 0, which is
# always empty. It finds 0 once more.

# %%
rows, slots = np.array([row, row, row, 0]), np.array([3, 3, 7, 5])
[hex(word) for word in tables[rows, slots]]

# %% [markdown]
# Real machines have more levels and wider tables. x86-64 has four levels of nine bits each. The
# steps stay the same. Nothing is mapped at the address below. At which table does the walk end?

# %%
big = Kernel(design="anongroup", frames=16, swap=0, geometry=X86_64)
program = big.spawn("program")
program.mmap(PAGE_SIZE, at=0x7F12_3400_0000)
program.write(0x7F12_3400_0000, 1)
address_picture(big.snapshot(), program.mm.number, 0x7F12_3456_7000)

# %%
[hex(int(X86_64.index(0x7F12_3456_7000 >> 12, level))) for level in range(4)]

# %% [markdown]
# <details><summary>Where does it end?</summary>
#
# It ends at the third table. From the top down the four are called pgd, pud, pmd and pte. The first
# two have the entries that the walk needs. The word in slot 1a2 of the pmd is 0.
#
# </details>

# %% [markdown]
# Nine bits are not a whole number of hex digits. So cut such an address by hand like this:
#
# 1. Leave out the last three digits, the offset: `7f1234567`.
# 2. Write each digit as four bits: `0111 1111 0001 0010 0011 0100 0101 0110 0111`.
# 3. Cut from the left into nines: `011111110 001001000 110100010 101100111`.
# 4. Each nine is a slot, from level 0 to level 3. The third is 1 1010 0010, so `1a2`.
#
# You may type it as `0x1a2`, or as 256 + 128 + 32 + 2 = `418`.

# %% [markdown]
# Now translate one address by hand, and one backwards. The numbers are your own.
# `answer("01 slot", again=True)` asks with others.

# %%
answer("01 slot", ...)

# %%
answer("01 address", ...)

# %% [markdown]
# ## 6 · Modify: exercise 01a
#
# Write the walk yourself, first for one address, then for an array of addresses. When you run the
# cell, the public checks run, too.

# %% tags=["exercise"]
# %%exercise 01a

# %% [markdown]
# ## 7 · Make: exercise 01b
#
# Now go backwards. You get slots, or a frame, and you find the addresses. Count how many words you
# read for *one* frame.

# %% tags=["exercise"]
# %%exercise 01b

# %% [markdown]
# ## 8 · Bug museum
#
# A *mutant* is a kernel with one line changed on purpose. Mutant M00 is a walk that takes the index
# of the wrong level. You can build it yourself: turn the order of the indices round in your
# exercise 01a. Run the checks, and read what they say. How could they know?
#
# <details><summary>Answer</summary>
#
# The simulator scans all page tables. The scan shares no code with any walk. It starts at the top
# tables and reads every word.
#
# </details>

# %% [markdown]
# ## 9 · Exit ticket
#
# 1. A program maps a gigabyte and touches one page of it. On the way to this page, how many
#    tables are there then?
# 2. The kernel wants frame 5 back. It knows only the number of the frame. What must it read?
#
# <details><summary>Answers to the exit ticket</summary>
#
# 1. One table for each level: four on x86-64. The top table was there before. The others are made
#    at the touch.
# 2. It must read every word of every page table of every process. This is why a
#    [reverse map](glossary.md#reverse-map) is needed.
#
# </details>

# %%
predicted("01")

# %%
progress()

# %% [markdown]
# Here are more questions of this notebook, as many as you like. After five right answers in a row
# the drill is done.

# %%
drill("01")

# %% [markdown]
# **Next:** [02 · VMAs](02_vmas.ipynb).

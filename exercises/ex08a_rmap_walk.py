"""08a · The walk, and try_to_unmap

Under the anon memory group a page is at *one* address in every process that maps it. The page knows
its page number (`index`) and its group. The group lists its address spaces. To find who maps the
page, look there. As in 03b, `pgds` are the rows of the top tables. Each address has `levels`
indices of `bits` bits.

1. `rmap_walk(tables, pgds, index, pfn, mapcount, levels, bits)` goes through the top tables
   `pgds` of the group in order. It looks up page number `index` in each. It returns a pair. The
   first part is the list of the places in `pgds` where the word maps frame `pfn`; 0 is the first
   place. The second part is the number of address spaces at which it looked. It stops when it has
   found `mapcount` mappings, and not earlier. If there are fewer, it looks at all.
2. `try_to_unmap(words, pfn, entry)` gets the words that the walk has looked at. Every word that
   maps `pfn` is replaced by the swap entry `entry`. The others stay. It returns the new words.

`word_at` walks one page table for you.

Do not change the lists and arrays that your functions get: the caller still needs them.
"""

def word_at(tables, pgd, vpn, levels, bits):
    """Return the page-table entry of page number `vpn`, 0 if there is none."""
    word = pgd << 12
    for level in range(levels):
        word = int(tables[word >> 12][vpn >> bits * (levels - 1 - level) & (1 << bits) - 1])
    return word


def rmap_walk(tables, pgds, index, pfn, mapcount, levels, bits):
    """Return (places in `pgds` that map the page, how many were looked at)."""
    raise NotImplementedError("08a: your code goes here")


def try_to_unmap(words, pfn, entry):
    """Return `words` with every mapping of `pfn` replaced by `entry`."""
    raise NotImplementedError("08a: your code goes here")

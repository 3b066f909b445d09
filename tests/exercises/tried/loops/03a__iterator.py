import enum
class Bit(enum.IntFlag):
    PRESENT = 1
    WRITE = 2
    USER = 4
    ACCESSED = 32
    DIRTY = 64
READ = Bit.PRESENT | Bit.USER | Bit.ACCESSED
def touch_page(word, write, pfn):
    if word in (0, READ):
        return (pfn << 12) + (READ | Bit.WRITE | Bit.DIRTY) if write else READ
    return word
def touch_range(words, write, pfns):
    free = iter(pfns)
    return [touch_page(w, write, next(free) if write and w in (0, READ) else None) for w in words.tolist()]

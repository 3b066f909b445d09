"""Known wrong answers of exercise 01b: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "write 16 for the number of slots",
        "enumerate(tables[row].tolist()):",
        "enumerate(tables[row].tolist()[:16]):",
    ),
    ("put the last slot on top", "for slot in slots:", "for slot in slots[::-1]:"),
    ("return the page's number", "return vpn << PAGE_SHIFT | offset", "return vpn"),
    ("leave the offset out", "return vpn << PAGE_SHIFT | offset", "return vpn << PAGE_SHIFT"),
    ("stop at the first page", "    return found\n", "    return found[:1]\n"),
    (
        "take swap entries for mappings",
        "elif word & PRESENT and word >> PAGE_SHIFT == pfn:",
        "elif word and word >> PAGE_SHIFT == pfn:",
    ),
    (
        "the items are right, their order is not",
        "    below(pgd, [])\n    return found\n",
        "    below(pgd, [])\n    return found[::-1]\n",
    ),
    (
        "Did you work in place",
        "    vpn = 0\n",
        "    vpn = 0\n    slots.append(slots.pop() + 0)\n    slots[:] = [int(slot) for slot in slots][::-1]\n    slots = slots[::-1]\n",
    ),
    (
        "keep addresses in 32 bits",
        "    return found\n",
        "    return [each & 0xFFFFFFFF for each in found]\n",
    ),
)

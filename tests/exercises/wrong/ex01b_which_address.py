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
)

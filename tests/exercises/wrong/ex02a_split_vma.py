"""Known wrong answers of exercise 02a: (what the message says, replaced text, its replacement)."""

WRONG = (
    ("leave the upper part's pgoff as it was", "pgoff + at - start)", "pgoff)"),
    ("advance pgoff by bytes", "pgoff + at - start)", "pgoff + (at - start) * 4096)"),
    (
        "end up in the lower part",
        "    lower = (start, at, prot, pgoff)\n    upper = (at, end, prot, pgoff + at - start)\n",
        "    lower = (start, at + 1, prot, pgoff)\n"
        "    upper = (at + 1, end, prot, pgoff + at + 1 - start)\n",
    ),
    (
        "drop every VMA that the range touches",
        "        if rest[0] < start < rest[1]:\n",
        "        if vma[0] < end and vma[1] > start:\n            continue\n"
        "        if rest[0] < start < rest[1]:\n",
    ),
    (
        "forget what lies above the hole",
        "rest = split(rest, end)[1]",
        "continue",
    ),
    ("the items are right, their order is not", "    return left\n", "    return left[::-1]\n"),
    (
        "keep a VMA without pages",
        "        if rest[0] < start < rest[1]:\n            lower, rest = split(rest, start)\n            left.append(lower)\n        if rest[0] < end < rest[1]:\n",
        "        if rest[0] <= start < rest[1]:\n            lower, rest = split(rest, start)\n            left.append(lower)\n        if rest[0] < end <= rest[1]:\n",
    ),
    (
        "Did you work in place",
        "    left = []\n",
        "    left = []\n    vmas.sort(reverse=True)\n    vmas = vmas[::-1]\n",
    ),
)

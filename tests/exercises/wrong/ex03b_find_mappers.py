"""Known wrong answers of exercise 03b: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "write 16 for the number of slots",
        "if word & 1 and word >> 12 == pfn\n    ]",
        "if word & 1 and word >> 12 == pfn and (address >> 12) % (1 << bits) < 16\n    ]",
    ),
    (
        "stop at the first mapping",
        "if word & 1 and word >> 12 == pfn\n    ]",
        "if word & 1 and word >> 12 == pfn\n    ][:1]",
    ),
    (
        "look in one process only",
        "for place, pgd in enumerate(pgds)\n",
        "for place, pgd in enumerate(pgds[:1])\n",
    ),
    ("return page numbers", "        (place, address)\n", "        (place, address >> 12)\n"),
    (
        "keep addresses in 32 bits",
        "        (place, address)\n",
        "        (place, address & 0xFFFFFFFF)\n",
    ),
    ("return the rows of the top tables", "        (place, address)\n", "        (pgd, address)\n"),
    (
        "count only words that are not empty",
        "for _ in leaves(tables, pgd, levels, bits))",
        "for _, word in leaves(tables, pgd, levels, bits) if word)",
    ),
    (
        "count tables",
        "return sum(1 for pgd in pgds for _ in leaves(tables, pgd, levels, bits))",
        "return sum(1 for pgd in pgds for _ in leaves(tables, pgd, levels, bits)) >> bits",
    ),
    (
        "the items are right, their order is not",
        "        for place, pgd in enumerate(pgds)\n        for address, word in leaves(tables, pgd, levels, bits)\n",
        "        for place, pgd in reversed(list(enumerate(pgds)))\n        for address, word in leaves(tables, pgd, levels, bits)\n",
    ),
    (
        "take swap entries for mappings",
        "        if word & 1 and word >> 12 == pfn\n",
        "        if word >> 12 == pfn and word\n",
    ),
    (
        "Did you work in place",
        "    return [\n        (place, address)\n",
        "    pgds.reverse()\n    pgds = pgds[::-1]\n    return [\n        (place, address)\n",
    ),
)

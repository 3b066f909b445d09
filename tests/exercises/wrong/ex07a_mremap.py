"""Known wrong answers of exercise 07a: (what the message says, replaced text, its replacement)."""

WRONG = (
    ("leave out the index", "np.where(mapped, new_vpn + np.arange(words.size), 0)", "0 * words"),
    (
        "move a shared page without a copy",
        "copied = mapped & (count > 1)",
        "copied = mapped & (count > 99)",
    ),
    (
        "give swap entries or the zero page an index",
        "np.where(mapped, new_vpn",
        "np.where(words != 0, new_vpn",
    ),
    ("forget the bits of a copied word", "words[copied] & 0xFFF", "0x67"),
    (
        "copy a page that nobody shares",
        "    copied = mapped & (count > 1)\n    new = words.copy()\n    new[copied] = pfns[: np.count_nonzero(copied)] << 12 | words[copied] & 0xFFF\n",
        "    copied = mapped\n    free = np.concatenate([pfns, np.zeros(words.size, dtype=np.int64)])\n    new = words.copy()\n    new[copied] = free[: np.count_nonzero(copied)] << 12 | words[copied] & 0xFFF\n",
    ),
    (
        "hand out frames by the place of the page",
        "    new[copied] = pfns[: np.count_nonzero(copied)] << 12 | words[copied] & 0xFFF\n",
        "    new[copied] = pfns[: words.size][copied] << 12 | words[copied] & 0xFFF\n",
    ),
    ("Did you work in place", "    new = words.copy()\n", "    new = words\n"),
)

"""Known wrong answers of exercise 10a: (what the message says, replaced text, its replacement)."""

WRONG = (
    ("take four bits for the device", "(1 << DEVICE_BITS) - 1 if", "15 if"),
    (
        "look at bit 61 of present pages only",
        "bool(word >> FILE & 1)",
        "present and bool(word >> FILE & 1)",
    ),
    ("keep bits above 54", "low = word & (1 << PFN_BITS) - 1", "low = word & (1 << 61) - 1"),
    ("give no frame to a page whose number is 0", "low if present", "low or None if present"),
    (
        "leave out pages whose frame number is 0",
        "bit(PRESENT) & ~bit(FILE)",
        "bit(PRESENT) & (words & np.uint64((1 << PFN_BITS) - 1) != 0) & ~bit(FILE)",
    ),
    ("give a frame to a page that is not present", '"pfn": low if present else None', '"pfn": low'),
    ("take the whole entry for the slot", "low >> DEVICE_BITS if swapped", "low if swapped"),
    ("take bit 61 for exclusive", "bool(word >> EXCLUSIVE & 1)", "bool(word >> FILE & 1)"),
    (
        "count any word that is not 0 as present",
        "present, swapped = bool(word >> PRESENT & 1), bool(word >> SWAPPED & 1)",
        "present, swapped = word != 0, False",
    ),
    ("return the pages that are exclusive", "& ~bit(EXCLUSIVE)", "& bit(EXCLUSIVE)"),
    (
        "forget to ask whether the page is present",
        "bit(PRESENT) & ~bit(FILE)",
        "~bit(FILE)",
    ),
    ("count pages of files", " & ~bit(FILE)", ""),
    (
        "the answer is wrong",
        '        "soft_dirty": bool(word >> SOFT_DIRTY & 1),\n',
        '        "soft_dirty": bool(word >> SOFT_DIRTY & 1) and (present or swapped),\n',
    ),
    (
        "the items are right, their order is not",
        "    return np.flatnonzero(bit(PRESENT) & ~bit(FILE) & ~bit(EXCLUSIVE))\n",
        "    return np.flatnonzero(bit(PRESENT) & ~bit(FILE) & ~bit(EXCLUSIVE))[::-1]\n",
    ),
    (
        "right, but page by page",
        "    def bit(number):\n",
        "    says = [decode(word) for word in words.tolist()]\n"
        "    return [\n"
        "        at for at, each in enumerate(says)\n"
        "        if each['state'] == 'page' and not each['file'] and not each['exclusive']\n"
        "    ]\n\n"
        "    def bit(number):\n",
    ),
    (
        "Did you work in place",
        "    def bit(number):\n",
        "    words &= ~np.uint64(1 << 57)\n\n    def bit(number):\n",
    ),
)

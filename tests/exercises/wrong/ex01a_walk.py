"""Known wrong answers of exercise 01a: (what the message says, replaced text, its replacement)."""

WRONG = (
    ("begin with the last table", "(levels - 1 - at)) & mask", "at) & mask"),
    ("forget the offset", "(PAGE_SHIFT + bits * (levels - 1 - at))", "(bits * (levels - 1 - at))"),
    ("keep the bits above each index", "(levels - 1 - at)) & mask", "(levels - 1 - at))"),
    ("use `bits` itself as a mask", "mask = (1 << bits) - 1", "mask = bits"),
    ("return the frame's number", "    return word\n", "    return word >> PAGE_SHIFT\n"),
    ("return only present entries", "    return word\n", "    return word if word & 1 else 0\n"),
)

"""Known wrong answers of exercise 02b: (what the message says, replaced text, its replacement)."""

WRONG = (
    ("merge across a hole", "upper[0] == end and ", ""),
    ("forget pgoff", " and upper[5] == pgoff + end - start", ""),
    ("forget prot", "upper[2:5] != (prot, shared, file)", "upper[3:5] != (shared, file)"),
    (
        "forget shared",
        "upper[2:5] != (prot, shared, file)",
        "(upper[2], upper[4]) != (prot, file)",
    ),
    ("forget the file", "upper[2:5] != (prot, shared, file)", "upper[2:4] != (prot, shared)"),
    (
        "the upper one's pgoff",
        "return start, upper[1], prot, shared, file, pgoff",
        "return start, *upper[1:]",
    ),
    ("want equal pgoffs", "upper[5] == pgoff + end - start", "upper[5] == pgoff"),
)

"""Known wrong answers of exercise 11a: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "one address space of the group",
        "for mm in groups[mapping]]",
        "for mm in groups[mapping][:1]]",
    ),
    (
        "look for a page of a file in a group",
        "    if anonymous:\n        return [(mm, index) for mm in groups[mapping]]\n",
        "    return [(mm, index) for mm in groups.get(mapping, ())]\n",
    ),
    ("take the page of the file for the page number", "(mm, start + index - pgoff)", "(mm, index)"),
    ("a VMA may not reach the page", "        if pgoff <= index < pgoff + end - start\n", ""),
    ("leave out the last page", "< pgoff + end - start\n", "< pgoff + end - start - 1\n"),
    (
        "Did you work in place",
        "        return [(mm, index) for mm in groups[mapping]]\n",
        "        group = groups[mapping]\n        group[:] = [(mm, index) for mm in group]\n        return group\n",
    ),
    (
        "copy a page of a shared VMA",
        "not shared and (not anonymous or mappers > 1)",
        "not anonymous or mappers > 1",
    ),
    ("let somebody write to the file's own page", "(not anonymous or mappers > 1)", "mappers > 1"),
    (
        "write in place although others have the page",
        "(not anonymous or mappers > 1)",
        "not anonymous",
    ),
    (
        "copy the page of a writer who is alone",
        "not shared and (not anonymous or mappers > 1)",
        "not shared",
    ),
)

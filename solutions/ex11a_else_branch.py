"""11a · The else branch

The mail's loop has two branches: one for anonymous pages, one for pages of files.

    if (PageAnonymous(page)) { … for_each_entry(mm, mmlist->anon_mms, anon_mm) … }
    else { … look up page using the inode vma list … }

1. `places(anonymous, mapping, index, groups, files)` returns the `(mm, vpn)` where a page may be
   mapped, as a list. `groups` has the address spaces of each group, by its number. `files` has the
   VMAs of each file as `(mm, start, end, pgoff)`, by the number of the file; all are in pages.
   * An anonymous page: `mapping` is its group, and `index` is its page number in every address
     space of the group[^group].
   * Any other page: `mapping` is its file[^file], and `index` its page in the file. A VMA shows the
     pages of the file from `pgoff` on[^pgoff]. A VMA that does not reach the page is no place[^reach];
     the last page that it shows is one[^last].

   Keep the order of the lists. Do not change the lists that you get[^arguments].

2. `needs_copy(shared, anonymous, mappers)`: a process writes to a page that it has mapped, and that
   is not the zero page. Nobody has pinned it, and nothing is on swap. Must the kernel copy the
   page first? `shared` says whether the VMA is shared (MAP_SHARED), `mappers` how many page-table
   entries name the page.
   * In a shared VMA, never: all are to see what is written[^shared].
   * In a private VMA a page of a file is always copied, whoever else has it[^private-file]. An
     anonymous page is copied if others have it[^others], and not if the writer is alone[^alone].
"""

EXERCISE = {
    "objectives": [
        "find the users of a page through its group or through its file",
        "say what fork and a write do to shared and private pages of files",
    ],
    "minutes": 20,
    "public": {"test_places": 2, "test_needs_copy": 2},
    "hidden": {"test_other_histories": 6},
    "families": ["files", "forked", "family", "mixed"],
    "hints": [
        "Both branches end with a list of pairs. What is the second number of a pair in the first "
        "branch, and what must be worked out for it in the second?",
        "A VMA shows page `pgoff` of the file at page `start`. Where does it show page "
        "`pgoff + 1`? How many pages does it show? For the copy, ask first about the VMA, then "
        "about the page.",
        "Another shelf: it stands from place 40 to 43 and holds volumes 5, 6 and 7. Volume 6 "
        "stands at place 40 + 6 - 5. Volume 8 is not there: 8 - 5 is not below 43 - 40.",
    ],
    "promises": {
        "group": ("one address space of the group", "test_places"),
        "file": ("look for a page of a file in a group", "test_places"),
        "pgoff": ("take the page of the file for the page number", "test_places"),
        "reach": ("a VMA may not reach the page", "test_places", "test_other_histories"),
        "last": ("leave out the last page", "test_places"),
        "arguments": ("Did you work in place", "test_places"),
        "shared": ("copy a page of a shared VMA", "test_needs_copy"),
        "private-file": ("let somebody write to the file's own page", "test_needs_copy"),
        "others": ("write in place although others have the page", "test_needs_copy"),
        "alone": (
            "copy the page of a writer who is alone",
            "test_needs_copy",
            "test_other_histories",
        ),
    },
    "commentary": """
        A page of a file has a better address than an anonymous one: file and offset are the same
        for everybody, wherever it is mapped. So the list of VMAs is enough, mremap changes
        nothing, and fork has nothing to do but to link the child's VMAs.

        Anonymous memory has no file, so each design invents a thing in its place: a group, a
        home, an anon_vma. And a private copy of a file's page belongs to both worlds. It is
        anonymous, but lies in a VMA of the file.
    """,
}


def places(anonymous, mapping, index, groups, files):
    """Return [(mm, vpn), …] in the order of the lists."""
    # <answer>
    if anonymous:
        return [(mm, index) for mm in groups[mapping]]
    return [
        (mm, start + index - pgoff)
        for mm, start, end, pgoff in files[mapping]
        if pgoff <= index < pgoff + end - start
    ]
    # </answer>


def needs_copy(shared, anonymous, mappers):
    """Return whether the kernel copies the page before the write."""
    # <answer>
    return not shared and (not anonymous or mappers > 1)
    # </answer>

"""11a · The else branch

The mail's loop has two branches: one for anonymous pages, one for pages of files.

    if (PageAnonymous(page)) { … for_each_entry(mm, mmlist->anon_mms, anon_mm) … }
    else { … look up page using the inode vma list … }

1. `places(anonymous, mapping, index, groups, files)` returns the `(mm, vpn)` where a page may be
   mapped, as a list. `groups` has the address spaces of each group, by its number. `files` has the
   VMAs of each file as `(mm, start, end, pgoff)`, by the number of the file; all are in pages.
   * An anonymous page: `mapping` is its group, and `index` is its page number in every address
     space of the group.
   * Any other page: `mapping` is its file, and `index` its page in the file. A VMA shows the
     pages of the file from `pgoff` on. A VMA that does not reach the page is no place;
     the last page that it shows is one.

   Keep the order of the lists. Do not change the lists that you get.

2. `needs_copy(shared, anonymous, mappers)`: a process writes to a page that it has mapped, and that
   is not the zero page. Nobody has pinned it, and nothing is on swap. Must the kernel copy the
   page first? `shared` says whether the VMA is shared (MAP_SHARED), `mappers` how many page-table
   entries name the page.
   * In a shared VMA, never: all are to see what is written.
   * In a private VMA a page of a file is always copied, whoever else has it. An
     anonymous page is copied if others have it, and not if the writer is alone.
"""

def places(anonymous, mapping, index, groups, files):
    """Return [(mm, vpn), …] in the order of the lists."""
    raise NotImplementedError("11a: your code goes here")


def needs_copy(shared, anonymous, mappers):
    """Return whether the kernel copies the page before the write."""
    raise NotImplementedError("11a: your code goes here")

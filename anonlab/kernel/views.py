"""Read-only views for people: what one page is."""

from __future__ import annotations

from dataclasses import dataclass

from anonlab.kernel.state import KernelState
from anonlab.machine.words import flag_names


@dataclass(frozen=True)
class Page:
    """A page frame as it is now. `index` is the vpn of an anonymous page and the offset of a file
    page; `mapping` names its group or file, '' for none."""

    pfn: int
    index: int
    mapping: str
    count: int
    mapcount: int
    data: int
    flags: tuple[str, ...]

    def __repr__(self) -> str:
        index = f"{self.index:#x}" if "anon" in self.flags else str(self.index)
        home = self.mapping or "none"
        return (
            f"Page(pfn={self.pfn}, index={index}, mapping={home}, "
            f"count={self.count}, mapcount={self.mapcount})"
        )


def page_view(kernel: KernelState, pfn: int) -> Page:
    """Return the view of frame `pfn`."""
    mem = kernel.mem_map
    mapping = int(mem.mapping[pfn])
    name = mapping_name(kernel, mapping)
    return Page(
        pfn,
        int(mem.index[pfn]),
        name,
        int(mem.count[pfn]),
        int(mem.mapcount[pfn]),
        int(mem.data[pfn]),
        flag_names(int(mem.flags[pfn])),
    )


def mapping_name(kernel: KernelState, mapping: int) -> str:
    """Return the name of a number in mem_map.mapping, '' for 0."""
    if mapping < 0:
        file = kernel.file_of(mapping)
        return f"file {file.name}" if file else ""
    return dict(kernel.design.mapping_names()).get(mapping, "") if mapping else ""

"""What a student's code prints: the first of it is kept, the rest is counted."""

from __future__ import annotations

import io

from anonlab.box.wire import clean

KEPT = 64 << 10
"""Bytes that are kept: of all, and of one call."""
SHOWN = 20
"""Lines of one call that are shown."""


class Printed:
    """Printed text, as it comes. `much` is bytes in all."""

    def __init__(self) -> None:
        self.much = 0
        self._all, self._call = bytearray(), bytearray()
        self._lines, self._ends = 0, True  # of this call: line ends in all; is the last one whole

    def add(self, data: bytes) -> None:
        """Take what has come."""
        self.much += len(data)
        self._all += data[: KEPT - len(self._all)]
        self._call += data[: KEPT - len(self._call)]
        self._lines += data.count(b"\n")
        self._ends = data.endswith(b"\n") if data else self._ends

    def begin_call(self) -> None:
        """What comes from here on is of another call."""
        self._call.clear()
        self._lines, self._ends = 0, True

    @property
    def text(self) -> str:
        """All that was printed, cleaned and cut."""
        cut = "\n… (cut)" if self.much > len(self._all) else ""
        return clean(self._all.decode("utf-8", "replace")) + cut

    @property
    def of_call(self) -> str:
        """What this call has printed: its first lines, and how many more there are."""
        lines = clean(self._call.decode("utf-8", "replace")).split("\n")
        lines = lines[:-1] if lines[-1] == "" else lines
        more = self._lines + (not self._ends) - SHOWN
        rest = [f"… and {more:,} more line{'s' if more > 1 else ''}"] if more > 0 else []
        return "\n".join([line[:LONGEST] for line in lines[:SHOWN]] + rest)


LONGEST = 200
"""Characters of a line that are shown."""


class Writer(io.TextIOBase):
    """A text file that keeps what is printed to it, for code that runs in this process."""

    def __init__(self, printed: Printed) -> None:
        self._printed = printed

    def writable(self) -> bool:
        """It is there to be written to."""
        return True

    def write(self, text: str, /) -> int:
        """Keep a text."""
        self._printed.add(text.encode("utf-8", "replace"))
        return len(text)

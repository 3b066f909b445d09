"""A file of lines is the same however it is read: no part of it that is read at a time shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonlab.errors import FormatError
from anonlab.histories.strace import opening
from anonlab.histories.strace.opening import log_lines

ODD = ("\x0b", "\x0c", "\x1c", "\x85", "\xa0", "\r", " ")
"""What some ways to cut a text take for the end of a line. A log ends its lines with line feeds."""


@pytest.mark.parametrize("part", [1, 2, 7, 100, 1 << 16])
def test_lines_end_at_line_feeds_alone(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a line that is cut at another character, or where a part of the file ends."""
    text = "\n".join(f"71 write(1, {ODD[n % 7] * (n % 9)}, 1) = 1" for n in range(4000)) + "\nend"
    path = tmp_path / "log"
    path.write_bytes(text.encode("latin-1"))
    monkeypatch.setattr(opening, "_PART", part)
    found = "".join(log_lines(path)[0]()), list(log_lines(path)[0]())
    assert found == (text, [f"{line}\n" for line in text.split("\n")[:-1]] + ["end"])


def test_the_line_that_is_too_long_has_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a number that counts parts, and a line that is believed because parts are short."""
    monkeypatch.setattr(opening, "_PART", 64)
    monkeypatch.setattr(opening, "MOST_LINE", 100)
    path = tmp_path / "log"
    path.write_text("1 brk(NULL) = 0x55798efaa000\n" * 20 + "x" * 99 + "\n")
    assert len(list(log_lines(path)[0]())) == 21
    path.write_text("1 brk(NULL) = 0x55798efaa000\n" * 20 + "x" * 101 + "\n")
    with pytest.raises(FormatError, match="line 21: log has a line of more than 100 characters"):
        list(log_lines(path)[0]())

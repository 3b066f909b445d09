"""CSV files cell by cell as they stand in the file, so that one column can be filled and every
other cell keeps its bytes: quotes, line ends, byte order mark and all."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

BOM = b"\xef\xbb\xbf"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is a formula for a spreadsheet."""


@dataclass
class Sheet:
    """A CSV file. `rows` has the bytes of each cell, quotes included; `ends` the end of each line,
    which is empty for a last line without one."""

    bom: bytes
    delimiter: bytes
    rows: list[list[bytes]]
    ends: list[bytes]

    @classmethod
    def read(cls, data: bytes) -> Sheet:
        """Return the cells of a file; ValueError if it is no UTF-8, or its quotes make no cells."""
        bom = BOM if data.startswith(BOM) else b""
        body = data[len(bom) :]
        try:
            body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"not UTF-8 at byte {error.start}: export it as UTF-8") from None
        delimiter = _delimiter(body)
        sheet = cls(bom, delimiter, [], [])
        at = 0
        while at < len(body):
            cells, at, end = _line(body, at, delimiter, len(sheet.rows) + 1)
            sheet.rows.append(cells)
            sheet.ends.append(end)
        return sheet

    def to_bytes(self) -> bytes:
        """Return the file."""
        lines = zip(self.rows, self.ends, strict=True)
        return self.bom + b"".join(self.delimiter.join(row) + end for row, end in lines)

    def value(self, row: int, column: int) -> str:
        """Return what a cell says; '' for a row that has no such column."""
        cells = self.rows[row]
        return "" if column >= len(cells) else unquoted(cells[column])

    def values(self, column: int) -> list[str]:
        """Return what the cells of a column say, the header's included."""
        return [self.value(row, column) for row in range(len(self.rows))]


def unquoted(cell: bytes) -> str:
    """Return what the bytes of one cell say."""
    text = cell.decode("utf-8")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"')
    return text


def _delimiter(body: bytes) -> bytes:
    """Return what separates the cells of the first line: a comma, semicolon or tab."""
    outside = b"".join(body.split(b'"')[::2]) or body
    first = outside.splitlines()[0] if outside.splitlines() else b""
    return max((b",", b";", b"\t"), key=first.count)


def _line(body: bytes, at: int, delimiter: bytes, number: int) -> tuple[list[bytes], int, bytes]:
    """Return the cells of the line at `at`, where the next one begins, and this one's end."""
    cells = []
    while True:
        start = at
        if body[at : at + 1] == b'"':
            at = _after_quotes(body, at, number)
            if body[at : at + 1] not in (b"", delimiter, b"\r", b"\n"):
                raise ValueError(f"row {number}: text stands after a quote that ends")
        while at < len(body) and body[at : at + 1] not in (delimiter, b"\r", b"\n"):
            at += 1
        cells.append(body[start:at])
        if body[at : at + 1] != delimiter:
            end = b"\r\n" if body[at : at + 2] == b"\r\n" else body[at : at + 1]
            return cells, at + len(end), end
        at += 1


def _after_quotes(body: bytes, at: int, number: int) -> int:
    """Return the place after the quoted text that begins at `at`."""
    while True:
        at = body.find(b'"', at + 1)
        if at < 0:
            raise ValueError(f"row {number}: a quote is never closed")
        if body[at + 1 : at + 2] != b'"':
            return at + 1
        at += 1


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; `plain` undoes it."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def plain(cell: str) -> str:
    """Return the text that `guarded` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def csv_text(rows: list[list[str]]) -> str:
    """Return rows as CSV (RFC 4180), one line end everywhere."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()

"""The one reader of tables: CSV as spreadsheets and learning management systems really write it.

Taken: a byte order mark, UTF-16 with one ("Unicode text"), commas, semicolons or tabs, Excel's
first line `sep=;`, blanks before quotes, blank rows, headers in any case, and with blanks for
underscores.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from anonlab.errors import FormatError

DELIMITERS = ",;\t"
"""Between cells: a spreadsheet of another country writes semicolons."""
IDS = (
    "student_id", "student", "id", "ID number", "Identifier", "SIS User ID", "SIS Login ID",
    "Integration ID", "canvas_user_id", "user_id", "login_id", "Username", "User name", "Login",
    "Login ID", "OrgDefinedId", "Org Defined ID", "SID", "github_username", "github_id",
    "Email address", "Email", "E-mail", "Mail", "E-Mail-Adresse", "ID-Nummer", "Matrikelnummer",
    "Anmeldename", "roster_identifier",
)  # fmt: skip
"""Headers of columns that say who somebody is: ours and those of every system that we know."""
_SEPARATOR = re.compile(r"\"?sep=(.)\"?[,;\t]*\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """A table as it is written. `lines` are numbers in the file, one for each of `rows`."""

    path: Path
    delimiter: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def column(self, names: Iterable[str]) -> int | None:
        """Return the first column that is called like one of `names`, in their order."""
        known = [folded_header(cell) for cell in self.header]
        return next(
            (known.index(each) for each in map(folded_header, names) if each in known), None
        )

    def columns(self, names: Iterable[str]) -> list[int]:
        """Return every column that is called like one of `names`."""
        wanted = {folded_header(each) for each in names}
        return [at for at, cell in enumerate(self.header) if folded_header(cell) in wanted]

    def filled(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield (line, cells) of each row that is not blank, with as many cells as the header."""
        for line, row in zip(self.lines, self.rows, strict=True):
            if any(cell.strip() for cell in row):
                yield line, (*row, *[""] * (len(self.header) - len(row)))


def folded_header(name: str) -> str:
    """Return a header as it is compared: `Student ID`, `student_id` and `"Student-Id"` are one."""
    return re.sub(r"[\s_\-\"]+", "", name).casefold()


def read_table(path: Path) -> Table:
    """Return the table in `path`; FormatError, with the line, for what is none."""
    text = _text(path)
    first = 1
    delimiters = DELIMITERS
    if match := _SEPARATOR.match(text):
        delimiters, text, first = match[1], text[match.end() :], 2
    begin = text.splitlines()[0] if text.strip() else ""
    delimiter = max(delimiters, key=lambda each: len(_outside_quotes(begin).split(each)))
    rows, lines = [], []
    blanks = bool(re.match(rf'("[^"]*"|[^"{delimiter}]*){delimiter} +"', begin))
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=blanks
    )
    try:
        for row in reader:
            rows.append(tuple(row))
            lines.append(reader.line_num + first - 1)
    except csv.Error as error:
        raise FormatError(f"{path} is no CSV: {error}", reader.line_num + first - 1) from None
    if not rows:
        return Table(path, delimiter, (), (), ())
    return Table(path, delimiter, rows[0], tuple(rows[1:]), tuple(lines[1:]))


def _text(path: Path) -> str:
    data = path.read_bytes()
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FormatError(f"{path} is not UTF-8: export it as CSV UTF-8", line) from None


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


def number_in(text: str) -> float:
    """Return the number in a cell, with a point or a comma; NaN if there is none."""
    plain = text.strip().replace("\u2212", "-")
    if "," in plain and "." not in plain and plain.count(",") == 1:
        plain = plain.replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        return math.nan


@dataclass(frozen=True)
class StudentRow:
    """One row about one student: its line, whom it names, and the cells that were asked for."""

    line: int
    student: str
    cells: dict[str, str]


def student_rows(
    path: Path,
    what: str,
    columns: tuple[str, ...],
    find: Callable[[str], str],
    why_not: Callable[[str], str],
) -> list[StudentRow]:
    """Return the rows of a table about students.

    what     the table's name in messages
    columns  that there must be, besides one of IDS
    find     the id of whom a cell names, "" if nobody; `why_not` says so in a sentence
    raises   FormatError with the line if a column is missing, or if a row names nobody
    """
    table = read_table(path)
    id_ = table.column(IDS)
    at = {name: table.column((name,)) for name in columns}
    if id_ is None or None in at.values():
        told = ", ".join(filter(None, (cell.strip() for cell in table.header))) or "nothing"
        wanted = ",".join(("student_id", *columns))
        raise FormatError(f"{what} ({path}): the columns are {wanted}; got {told}", 1)
    found = []
    for line, row in table.filled():
        if any(cell.strip() for cell in row[len(table.header) :]):
            raise FormatError(
                f"{what} ({path}): more cells than there are columns: put text with a "
                f"{table.delimiter!r} in quotes", line,
            )  # fmt: skip
        name = row[id_].strip()
        student = find(name) if name else ""
        if not student:
            why = why_not(name) if name else f"{table.header[id_].strip()} is empty; it is needed"
            raise FormatError(f"{what} ({path}): {why}", line)
        cells = {each: row[column].strip() for each, column in at.items() if column is not None}
        found.append(StudentRow(line, student, cells))
    return found

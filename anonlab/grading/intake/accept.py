"""Which of a submission's files count: one of the expected name for each exercise, or the answer
cell of a notebook. Only these are copied; all else is listed as ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from anonlab.course.authoring.masters import Master
from anonlab.grading.intake.answers import Cell, choose, notebook_answers
from anonlab.grading.intake.archives import (
    MOST_BYTES,
    Entry,
    Rejected,
    copy,
    is_archive,
    list_folder,
    list_zip,
    shown,
)

MOST_ANSWER = 1_000_000
"""Bytes of one answer."""
_LISTED = 40
"""So many ignored names are listed."""
_MEANT_FOR_MACHINES = ("__MACOSX", "__pycache__")

Accepted = tuple[dict[str, Path], tuple[str, ...], tuple[str, ...]]
"""Copies by exercise number, names that are ignored, sentences for the student."""


def accept_files(
    folder_or_files: Path | list[Entry], masters: Mapping[str, Master], target: Path, boxed: bool
) -> Accepted:
    """Copy the answers among `given`, a folder or loose files, to the new folder `target`.

    boxed   notebooks are read in a box
    raises  Rejected if the submission as a whole is not taken
    """
    entries = list_folder(folder_or_files) if isinstance(folder_or_files, Path) else folder_or_files
    entries = _unpacked(entries, masters)
    plain = [each for each in entries if not _hidden(each.name)]
    answers = _answers(plain, masters)
    notebooks = [each for each in plain if each.name.lower().endswith(".ipynb")]
    target.mkdir(parents=True)
    files = {}
    for number, entry in answers.items():
        files[number] = target / f"{masters[number].name}.py"
        copy(entry, files[number], MOST_ANSWER)
    notes = _from_notebooks(notebooks, masters, target, files, lambda e: _read(e, target, boxed))
    used = {id(each) for each in answers.values()} | {id(each) for each in notebooks}
    ignored = [shown(each.name) for each in entries if id(each) not in used]
    for number, path in list(files.items()):
        if not path.read_bytes().removeprefix(b"\xef\xbb\xbf").strip():
            del files[number]
            path.unlink()
            notes.append(f"{number}: {path.name} is empty")
    notes += _missing(masters, files, [shown(each.base) for each in plain], notes)
    return files, _short(ignored), tuple(notes)


def _unpacked(entries: list[Entry], masters: Mapping[str, Master]) -> list[Entry]:
    """Return the files of the only archive, if there are no answers beside it."""
    archives = [each for each in entries if is_archive(each.name) and not _hidden(each.name)]
    expected = {f"{master.name}.py" for master in masters.values()}
    beside = [e for e in entries if e.base in expected or e.name.lower().endswith(".ipynb")]
    if not archives or beside:
        return entries
    if len(archives) > 1:
        names = ", ".join(shown(each.base) for each in archives)
        raise Rejected(f"{len(archives)} archives ({names}): send one")
    if not archives[0].name.lower().endswith(".zip"):
        raise Rejected(f"{shown(archives[0].base)} is not read: send a zip or plain files")
    return list_zip(archives[0])


def _hidden(name: str) -> bool:
    """True for what editors and systems leave: .ipynb_checkpoints/, __MACOSX/, .DS_Store."""
    return any(part.startswith(".") or part in _MEANT_FOR_MACHINES for part in name.split("/"))


def _answers(entries: list[Entry], masters: Mapping[str, Master]) -> dict[str, Entry]:
    """Return the entry of the expected name for each exercise that has one."""
    found: dict[str, Entry] = {}
    numbers = {f"{master.name}.py": number for number, master in masters.items()}
    for entry in entries:
        number = numbers.get(entry.base)
        if number in found:
            one, other = shown(found[number].name), shown(entry.name)
            raise Rejected(f"two files for {number}: {one} and {other}")
        if number:
            found[number] = entry
    return found


def _from_notebooks(
    notebooks: list[Entry],
    masters: Mapping[str, Master],
    target: Path,
    files: dict[str, Path],
    read: Callable[[Entry], list[Cell]],
) -> list[str]:
    """Add to `files` the answers that stand in notebooks alone; return notes for the student.

    read  returns the answer cells of a notebook
    A file counts before a cell, because a cell writes the file; unless the file is the template.
    """
    open_ = [number for number in masters
             if number not in files or _is_template(files[number], masters[number])]  # fmt: skip
    if not open_ or not notebooks:
        return []
    cells: list[Cell] = []
    notes = []
    for entry in notebooks:
        try:
            cells += read(entry)
        except Rejected as error:
            if not files:
                raise
            notes.append(str(error))
    found, told = choose(cells, {number: masters[number] for number in open_})
    notes += told
    for number, text in found.items():
        path = target / f"{masters[number].name}.py"
        if number in files:
            if text.strip() == path.read_text("utf-8", "replace").strip():
                continue
            notes.append(f"{number}: {path.name} is the template; the cell in the notebook counts")
            path.unlink()
        path.write_text(text, "utf-8", newline="\n")
        path.chmod(0o444)
        files[number] = path
    return notes


def _read(entry: Entry, folder: Path, boxed: bool) -> list[Cell]:
    """Return the answer cells of a notebook, by way of a copy that does not stay."""
    copied = folder / "notebook"
    try:
        copy(entry, copied, MOST_BYTES)
        return notebook_answers(copied, entry.base, boxed)
    finally:
        copied.unlink(missing_ok=True)


def _is_template(path: Path, master: Master) -> bool:
    text = path.read_text("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    return text.strip() in (f"{master.header}\n{master.stub}".strip(), master.stub.strip())


def _missing(
    masters: Mapping[str, Master], files: dict[str, Path], names: list[str], notes: list[str]
) -> list[str]:
    """Return a sentence for each exercise without a file that no other sentence is about."""
    told = {note.partition(":")[0] for note in notes}
    found = f"found: {', '.join(_short(sorted(names)))}" if names else "nothing was found"
    return [
        f"{number}: no file named {master.name}.py, and no cell %%exercise {number}; {found}"
        for number, master in masters.items()
        if number not in files and number not in told
    ]


def _short(names: list[str]) -> tuple[str, ...]:
    more = len(names) - _LISTED
    return (*names[:_LISTED], *([f"and {more} more"] if more > 0 else []))

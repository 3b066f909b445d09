"""What a submission holds, listed without opening any of it: folders by lstat, zips by their
central directory. What is not plain is refused by name; only then a file may be copied.
"""

from __future__ import annotations

import os
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

MOST_BYTES = 10_000_000
"""Of one archive unpacked, as it says and as it turns out; and of one notebook."""
MOST_ENTRIES = 1000
MOST_NAME_BYTES = 255
CHUNK = 1 << 16
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".7z", ".rar")
_CENTRAL = b"PK\x01\x02"
_ENCRYPTED = 1 << 0
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Rejected(Exception):
    """A submission that is not taken; the message is a sentence for student and instructor."""


@dataclass(frozen=True)
class Entry:
    """A plain file of a submission, not yet opened. `name` is its path inside, with slashes;
    `size` is in bytes, as it is declared; `again` counts how often a system says that
    a file of this name was handed in before."""

    name: str
    size: int
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    again: int = 0

    @property
    def base(self) -> str:
        """The last part of its name."""
        return self.name.rpartition("/")[2]


def shown(name: str) -> str:
    """Return a name from outside as it may be shown: printable, and not too long."""
    text = name.encode("utf-8", "backslashreplace").decode()
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return clean if len(clean) <= 100 else f"{clean[:97]}…"


def is_archive(name: str) -> bool:
    """Return whether a file is an archive by its name."""
    return name.lower().endswith(ARCHIVES)


def list_folder(folder: Path) -> list[Entry]:
    """Return the files below `folder`, sorted; Rejected if anything there is no plain file."""
    found = list(islice(_walk(folder), MOST_ENTRIES + 1))
    check_names([name for name, _ in found])
    return [plain_file(folder / name, name) for name, is_file in sorted(found) if is_file]


def _walk(folder: Path) -> Iterator[tuple[str, bool]]:
    """Yield the name of each thing below `folder`, and whether it is a file."""
    below = [""]
    while below:
        prefix = below.pop()
        with _why_unreadable(prefix or folder.name), os.scandir(folder / prefix) as inside:
            for each in inside:
                info, name = each.stat(follow_symlinks=False), prefix + each.name
                if stat.S_ISDIR(info.st_mode):
                    below.append(f"{name}/")
                else:
                    check_plain(info, name)
                yield name, not stat.S_ISDIR(info.st_mode)


@contextmanager
def _why_unreadable(name: str) -> Iterator[None]:
    """Let what this user may not read be one submission's trouble alone."""
    try:
        yield
    except OSError as error:
        raise Rejected(f"{shown(name)} cannot be read ({error.strerror})") from None


def check_plain(info: os.stat_result, name: str) -> None:
    """Refuse what is no plain file, or has a second name elsewhere."""
    kind = stat.S_IFMT(info.st_mode)
    if kind != stat.S_IFREG:
        what = _KINDS.get(kind, "neither file nor folder")
        raise Rejected(f"{shown(name)} is {what}: send plain files")
    if info.st_nlink != 1:
        raise Rejected(f"{shown(name)} is a hard link to a file with other names: send a copy")


def plain_file(path: Path, name: str) -> Entry:
    """Return the entry of a plain file; Rejected if it is none."""
    info = path.lstat()
    check_plain(info, name)

    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with _why_unreadable(name):
            descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            now = os.fstat(file.fileno())
            if (now.st_dev, now.st_ino) != (info.st_dev, info.st_ino):
                raise Rejected(f"{shown(name)} changed while it was taken in")
            yield file

    return Entry(name, info.st_size, opened)


def list_zip(archive: Entry) -> list[Entry]:
    """Return the files of a zip, sorted; Rejected, with the reason, if it is not taken.

    Nothing is unpacked: names, modes and declared sizes are in the central directory.
    """
    if archive.size > MOST_BYTES:
        raise Rejected(f"{shown(archive.base)} has {_megabytes(archive.size)}, {LIMIT}")
    with _why_damaged(archive.base), archive.open() as file:
        # Each entry has a record that begins so: they are counted before any is read.
        if file.read(MOST_BYTES + 1).count(_CENTRAL) > MOST_ENTRIES:
            raise Rejected(f"more than {MOST_ENTRIES:,} entries")
        with zipfile.ZipFile(file) as opened:
            infos = opened.infolist()
    if not infos:
        raise Rejected(f"{shown(archive.base)} is empty")
    for info in infos:
        _check_record(info)
    check_names([info.orig_filename.rstrip("/") for info in infos])
    declared = sum(info.file_size for info in infos)
    if declared > MOST_BYTES:
        raise Rejected(f"unpacked it has {_megabytes(declared)}, {LIMIT}")
    files = [info for info in infos if not info.is_dir()]
    nested = [info.filename for info in files if is_archive(info.filename)]
    if nested:
        raise Rejected(f"{shown(nested[0])} is an archive in an archive: send the files themselves")
    return sorted((_zipped(archive, info) for info in files), key=lambda each: each.name)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


LIMIT = f"the limit is {_megabytes(MOST_BYTES)}"


def _check_record(info: zipfile.ZipInfo) -> None:
    """Refuse an entry that is no plain, readable file or folder by its record."""
    name = info.orig_filename
    kind = stat.S_IFMT(info.external_attr >> 16)
    fits = (0, stat.S_IFDIR) if name.endswith("/") else (0, stat.S_IFREG)
    if kind not in fits:
        what = _KINDS.get(kind, "not what its name says")
        raise Rejected(f"{shown(name)} is {what}: send plain files")
    if info.flag_bits & _ENCRYPTED:
        raise Rejected(f"{shown(name)} is encrypted: send it without a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Rejected(f"{shown(name)} is packed in a way that is not read: make an ordinary zip")


def _zipped(archive: Entry, info: zipfile.ZipInfo) -> Entry:
    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with (
            _why_damaged(info.orig_filename),
            archive.open() as file,
            zipfile.ZipFile(file) as unzipped,
            unzipped.open(info) as member,
        ):
            yield member

    return Entry(info.filename, info.file_size, opened)


@contextmanager
def _why_damaged(name: str) -> Iterator[None]:
    """Turn all that a damaged archive can raise into a refusal."""
    try:
        yield
    except (
        zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError,
        RuntimeError, OverflowError,
    ) as error:  # fmt: skip
        raise Rejected(f"{shown(name)} is damaged, or no zip ({shown(str(error))})") from None


def check_names(names: list[str]) -> None:
    """Refuse names that lead elsewhere, that are too long or too many, or that some file systems
    take for one."""
    if len(names) > MOST_ENTRIES:
        raise Rejected(f"more than {MOST_ENTRIES:,} entries")
    seen: dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        if {"", ".", ".."} & set(parts) or "\\" in name or "\0" in name or parts[0][1:2] == ":":
            raise Rejected(f"unsafe path: {shown(name)}")
        if any(len(os.fsencode(part)) > MOST_NAME_BYTES for part in parts):
            raise Rejected(f"a name of more than {MOST_NAME_BYTES} bytes: {shown(name)}")
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        if folded in seen:
            raise Rejected(f"one name for two files: {shown(seen[folded])} and {shown(name)}")
        seen[folded] = name


def copy(entry: Entry, target: Path, most_bytes: int) -> None:
    """Copy an entry byte by byte to the new file `target`, which nobody may write to.

    raises  Rejected if it has more bytes than it declares, or than `most_bytes`
    """
    if entry.size > most_bytes:
        raise Rejected(
            f"{shown(entry.name)} has {_megabytes(entry.size)}, "
            f"the limit is {_megabytes(most_bytes)}"
        )
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(target, flags, 0o444), "wb") as out, entry.open() as file:
        total = 0
        while chunk := file.read(CHUNK):
            total += len(chunk)
            if total > entry.size:
                raise Rejected(f"{shown(entry.name)} is longer than it says")
            out.write(chunk)
    target.chmod(0o444)

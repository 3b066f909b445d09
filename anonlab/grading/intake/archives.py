"""What a submission holds, listed without opening any of it: folders by lstat, zips by their
central directory. What is not plain is refused by name; only then a file may be copied.
"""

from __future__ import annotations

import io
import os
import stat
import unicodedata
import zipfile
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, cast

from anonlab.course.judging.work_archive import ZIP_ERRORS

MOST_BYTES = 10_000_000
"""Of all answers of a submission, as they are declared; of one notebook; of an inner archive."""
MOST_DIRECTORY = 8_000_000
"""Bytes of the list of files in a zip. The list is all that is read of what is not wanted."""
MOST_ENTRIES = 1000
MOST_SCANNED = 100_000
"""Things in one folder, hidden ones included."""
MOST_NAME_BYTES = 255
MOST_PATH = 4096
"""Characters of a path: no file system takes more."""
CHUNK = 1 << 16
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".7z", ".rar")
MACHINE_MADE = ("__MACOSX", "__pycache__", "node_modules", "site-packages", "venv")
"""Folders that programs fill; hidden ones, and whatever has a pyvenv.cfg, are such too."""
_VENV = "pyvenv.cfg"
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
    clean = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:101]
    )
    return clean if len(clean) <= 100 else f"{clean[:97]}…"


def is_archive(name: str) -> bool:
    """Return whether a file is an archive by its name."""
    return name.lower().endswith(ARCHIVES)


@dataclass(frozen=True)
class Listing:
    """The plain files of a submission, sorted; `dropped` are hidden and machine-made files and
    folders, which are neither counted nor weighed nor looked into."""

    entries: tuple[Entry, ...]
    dropped: tuple[str, ...] = ()


def is_junk(part: str) -> bool:
    """Return whether a part of a path is hidden, or what programs make for themselves."""
    return part.startswith(".") or part in MACHINE_MADE or part.endswith(".egg-info")


def made_plain(name: str) -> str:
    """Return a path with slashes and without `./`: some systems write backslashes."""
    return "/".join(part for part in name.replace("\\", "/").split("/") if part != ".")


def list_folder(folder: Path) -> Listing:
    """Return the files below `folder`; Rejected if anything there is no plain file."""
    dropped: list[str] = []
    found = list(islice(_walk(folder, dropped), MOST_ENTRIES + 1))
    check_names([made_plain(name) for name, _ in found])
    files = [plain_file(folder / name, made_plain(name)) for name, is_file in found if is_file]
    return Listing(tuple(sorted(files, key=lambda each: each.name)), tuple(sorted(dropped)))


def _walk(folder: Path, dropped: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield the name of each thing below `folder`, and whether it is a file."""
    below = [""]
    while below:
        prefix = below.pop()
        with _why_unreadable(prefix or folder.name):
            inside = _scanned(folder / prefix)
        if prefix and any(each.name == _VENV for each, _ in inside):
            dropped.append(prefix)
            continue
        for each, info in inside:
            name, is_file = prefix + each.name, not stat.S_ISDIR(info.st_mode)
            if is_junk(each.name):
                dropped.append(name if is_file else f"{name}/")
                continue
            if is_file:
                check_plain(info, name)
            else:
                below.append(f"{name}/")
            yield name, is_file


def _scanned(folder: Path) -> list[tuple[os.DirEntry[str], os.stat_result]]:
    """Return what is in a folder; Rejected if there is no end to it."""
    with os.scandir(folder) as inside:
        found = list(islice(inside, MOST_SCANNED + 1))
        if len(found) > MOST_SCANNED:
            raise Rejected(f"more than {MOST_SCANNED:,} entries in one folder")
        return [(each, each.stat(follow_symlinks=False)) for each in found]


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


def list_zip(archive: Entry) -> Listing:
    """Return the files of a zip; Rejected, with the reason, if it is not taken.

    Nothing is unpacked: names, modes and declared sizes are in the central directory.
    """
    packed = _Zip(archive)
    with _why_damaged(archive.base), packed.opened() as unzipped:
        infos = unzipped.infolist()
    if not infos:
        raise Rejected(f"{shown(archive.base)} is empty")
    pairs = [(made_plain(info.orig_filename), info) for info in infos]
    pairs = [(name, info) for name, info in pairs if name]  # "./" is the folder itself
    for name, info in pairs:
        check_path(name, info.orig_filename)
    venvs = _outermost(name.removesuffix(_VENV) for name, _ in pairs if name.endswith(f"/{_VENV}"))
    kept: list[tuple[str, zipfile.ZipInfo]] = []
    dropped: dict[str, None] = {}
    for name, info in pairs:
        if junk := _junk(name, venvs):
            dropped[junk] = None
        else:
            kept.append((name, info))
    check_names([name.rstrip("/") for name, _ in kept])
    for name, info in kept:
        _check_record(name, info)
    files = [_zipped(packed, name, info) for name, info in kept if not name.endswith("/")]
    return Listing(tuple(sorted(files, key=lambda each: each.name)), tuple(dropped))


def _outermost(folders: Iterable[str]) -> list[str]:
    """Return the folders, sorted, that are in no other one."""
    found: list[str] = []
    for folder in sorted(folders):
        if not found or not folder.startswith(found[-1]):
            found.append(folder)
    return found


def _junk(name: str, venvs: list[str]) -> str:
    """Return up to where a path is hidden or machine-made, "" if it is neither; `venvs` are
    outermost, so only the last one that sorts before the name can hold it."""
    before = bisect_right(venvs, name)
    last = venvs[before - 1] if before else ""
    inside = last if name.startswith(last) else ""
    parts = name.split("/")
    at = next((at for at, part in enumerate(parts) if is_junk(part)), None)
    if at is None:
        return inside
    return "/".join(parts[: at + 1]) + "/" * (at + 1 < len(parts))


class _Bounded:
    """A file of which nobody reads much at once: an archive may lie about its list of files."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        data = self.file.read(MOST_DIRECTORY + 1 if size < 0 else min(size, MOST_DIRECTORY + 1))
        if len(data) > MOST_DIRECTORY:
            raise Rejected("the list of files in the archive is too long")
        return data


class _Zip:
    """A zip whose list of files is read once, however many of them are opened one by one: the list
    may be long, and say of each that it is an answer."""

    def __init__(self, archive: Entry) -> None:
        self._archive = archive
        self._unzipped: zipfile.ZipFile | None = None

    @contextmanager
    def opened(self) -> Iterator[zipfile.ZipFile]:
        """Yield the archive with its file open."""
        with self._archive.open() as file:
            bounded = cast(IO[bytes], _Bounded(file))
            if self._unzipped is None:
                self._unzipped = zipfile.ZipFile(bounded)
            self._unzipped.fp = bounded
            yield self._unzipped


def in_memory(archive: Entry) -> Entry:
    """Return an inner archive as a file of its own; Rejected if it is too large."""
    data = read(archive, MOST_BYTES)

    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        yield io.BytesIO(data)

    return Entry(archive.name, len(data), opened)


def megabytes(size: int) -> str:
    """Return a size as text."""
    return f"{size / 1e6:,.1f} MB"


LIMIT = f"the limit is {megabytes(MOST_BYTES)}"


def _check_record(name: str, info: zipfile.ZipInfo) -> None:
    """Refuse an entry that is no plain, readable file or folder by its record."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    fits = (0, stat.S_IFDIR) if name.endswith("/") else (0, stat.S_IFREG)
    if kind not in fits:
        what = _KINDS.get(kind, "not what its name says")
        raise Rejected(f"{shown(name)} is {what}: send plain files")
    if info.flag_bits & _ENCRYPTED:
        raise Rejected(f"{shown(name)} is encrypted: send it without a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Rejected(f"{shown(name)} is packed in a way that is not read: make an ordinary zip")


def _zipped(packed: _Zip, name: str, info: zipfile.ZipInfo) -> Entry:
    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with _why_damaged(name), packed.opened() as unzipped, unzipped.open(info) as member:
            yield member

    return Entry(name, info.file_size, opened)


@contextmanager
def _why_damaged(name: str) -> Iterator[None]:
    """Turn all that a damaged archive can raise into a refusal."""
    try:
        yield
    except ZIP_ERRORS as error:
        raise Rejected(f"{shown(name)} is damaged, or no zip ({shown(str(error))})") from None


def check_path(name: str, written: str) -> None:
    """Refuse a path that leads elsewhere; `written` is how its author wrote it."""
    if len(name) > MOST_PATH:
        raise Rejected(f"a path of more than {MOST_PATH:,} characters: {shown(written)}")
    parts = name.removesuffix("/").split("/")
    if {"", ".", ".."} & set(parts) or "\0" in name or parts[0][1:2] == ":":
        raise Rejected(f"unsafe path: {shown(written)}")


def check_names(names: list[str]) -> None:
    """Refuse names that lead elsewhere, that are too long or too many, or that some file systems
    take for one."""
    if len(names) > MOST_ENTRIES:
        raise Rejected(f"more than {MOST_ENTRIES:,} entries")
    seen: dict[str, str] = {}
    for name in names:
        check_path(name, name)
        if any(len(os.fsencode(part)) > MOST_NAME_BYTES for part in name.split("/")):
            raise Rejected(f"a name of more than {MOST_NAME_BYTES} bytes: {shown(name)}")
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        if folded in seen:
            raise Rejected(f"one name for two files: {shown(seen[folded])} and {shown(name)}")
        seen[folded] = name


def _chunks(entry: Entry, most_bytes: int) -> Iterator[bytes]:
    """Yield the bytes of an entry; Rejected if it has more than it declares, or `most_bytes`."""
    if entry.size > most_bytes:
        raise Rejected(
            f"{shown(entry.name)} has {megabytes(entry.size)}, the limit is {megabytes(most_bytes)}"
        )
    total = 0
    with entry.open() as file:
        while chunk := file.read(CHUNK):
            total += len(chunk)
            if total > entry.size:
                raise Rejected(f"{shown(entry.name)} is longer than it says")
            yield chunk


def read(entry: Entry, most_bytes: int) -> bytes:
    """Return the bytes of an entry; Rejected if it has more than it declares, or `most_bytes`."""
    return b"".join(_chunks(entry, most_bytes))


def copy(entry: Entry, target: Path, most_bytes: int) -> None:
    """Copy an entry byte by byte to the new file `target`, which nobody may write to.

    raises  Rejected if it has more bytes than it declares, or than `most_bytes`
    """
    write(target, _chunks(entry, most_bytes))


def write(target: Path, chunks: Iterable[bytes]) -> None:
    """Write the new file `target`, which nobody may write to afterwards."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(target, flags, 0o444), "wb") as out:
        for chunk in chunks:
            out.write(chunk)
    target.chmod(0o444)

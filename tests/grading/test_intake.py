"""Bad input has its stated result: archives, folders, names, people and times, row by row."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from classroom import MASTERS, ONE, OTHER, RIGHT, entry, notebook, put, roster, take, zipped

from anonlab.errors import FormatError
from anonlab.grading.intake.archives import copy, plain_file, shown
from anonlab.grading.intake.receipts import read_receipts
from anonlab.grading.intake.submission import Submission

TEMPLATE = f"{MASTERS['04a'].header}\n{MASTERS['04a'].stub}"


def only(tmp_path: Path) -> Submission:
    (found,) = take(tmp_path)[1].values()
    return found


def rejected(tmp_path: Path) -> str:
    """The reason why the only submission is not taken; nothing of it was copied."""
    found = only(tmp_path)
    assert found.files == {}
    assert found.rejected
    return found.rejected


# -- what is taken --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [
        {f"007/{ONE}": RIGHT[ONE], f"007/{OTHER}": RIGHT[OTHER]},
        {f"007/hw/exercises/{ONE}": RIGHT[ONE], f"007/hw/exercises/{OTHER}": RIGHT[OTHER]},
        {f"007_{ONE}": RIGHT[ONE], f"007_{OTHER}": RIGHT[OTHER]},
        {"007.zip": zipped({f"x/{ONE}": RIGHT[ONE], f"x/{OTHER}": RIGHT[OTHER]})},
        {"007/hw.zip": zipped({ONE: RIGHT[ONE], OTHER: RIGHT[OTHER]})},
    ],
    ids=["folder", "folders in a folder", "loose files", "zip", "zip in a folder"],
)
def test_every_way_to_hand_in_is_taken(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    put(tmp_path / "in", files)
    found = only(tmp_path)
    assert (found.student, found.rejected, found.notes) == ("007", "", ())
    assert {number: path.name for number, path in found.files.items()} == {"04a": ONE, "05a": OTHER}
    for path in found.files.values():
        assert path.read_text("utf-8") == RIGHT[path.name]
        assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_one_file_is_enough_where_one_exercise_is_asked(tmp_path: Path) -> None:
    put(tmp_path / "in", {"bob.py": RIGHT[ONE]})
    _, taken = take(tmp_path, {"04a": MASTERS["04a"]})
    assert list(taken["bob.py"].files) == ["04a"]
    assert only(put(tmp_path / "second", {"in/bob.py": RIGHT[ONE]})).files == {}


def test_bom_and_carriage_returns_stay_as_they_are(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + RIGHT[ONE].replace("\n", "\r\n").encode()
    put(tmp_path / "in", {f"bob/{ONE}": data})
    assert only(tmp_path).files["04a"].read_bytes() == data


FOREIGN = (
    "conftest.py", "pytest.ini", "sitecustomize.py", "x.pth", "pytest.py", "json.py", "numpy.py",
    "setup.cfg", "tox.ini", "pyproject.toml", "student.py", "tests/test_x.py", "ex04a_fork.pyc",
    "ex05a.py", "ex04a_fork.py.bak", "notes.txt", "data.zip", "deep/er/anonlab/__init__.py",
    "-rf", "a b.py", "\u202egpj.py",
)  # fmt: skip


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_listed_and_not_copied(tmp_path: Path, name: str, packed: bool) -> None:
    files: dict[str, str | bytes] = {ONE: RIGHT[ONE], name: "import os\n"}
    if packed and name.endswith(".zip"):
        return  # an archive in an archive is refused: below
    if packed:
        put(tmp_path / "in", {"bob.zip": zipped(files)})
    else:
        put(tmp_path / "in" / "bob", files)
    found = only(tmp_path)
    assert found.rejected == ""
    assert found.ignored == (shown(name),)
    copied = [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert copied == [ONE]


def test_what_editors_and_systems_leave_is_no_answer(tmp_path: Path) -> None:
    cells = notebook(f"%%exercise 05a\n{RIGHT[OTHER]}")
    put(tmp_path / "in" / "bob", {
        ONE: RIGHT[ONE], "05.ipynb": cells, ".ipynb_checkpoints/05-checkpoint.ipynb": cells,
        f"__MACOSX/{ONE}": "?", f"__pycache__/{ONE}": "?", f".git/{ONE}": "?", ".DS_Store": "?",
    })  # fmt: skip
    put(tmp_path / "in", {".DS_Store": "?", "Thumbs.db": "?"})
    survey, taken = take(tmp_path)
    assert list(taken["bob"].files) == ["04a", "05a"]
    assert (len(taken["bob"].ignored), survey.ignored) == (5, (".DS_Store", "Thumbs.db"))


# -- zips -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../../evil.py",
        "/abs.py",
        "a/../../x.py",
        "a\\..\\x.py",
        "C:/x.py",
        "\\x.py",
        "a//x.py",
        "..",
    ],
)
def test_a_path_trick_is_an_unsafe_path(tmp_path: Path, name: str) -> None:
    put(tmp_path / "in", {"bob.zip": zipped([(entry(ONE), b"x = 1\n"), (entry(name), b"x = 1\n")])})
    assert "unsafe path" in rejected(tmp_path)
    assert not (tmp_path / "evil.py").exists()


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        (stat.S_IFLNK | 0o777, "symbolic link"),
        (stat.S_IFIFO, "pipe"),
        (stat.S_IFCHR, "device"),
        (stat.S_IFBLK, "device"),
        (stat.S_IFSOCK, "socket"),
        (stat.S_IFDIR, "not what its name says"),
    ],
)
def test_an_entry_that_is_no_plain_file_by_its_mode(tmp_path: Path, mode: int, says: str) -> None:
    put(tmp_path / "in", {"bob.zip": zipped([(entry(ONE, mode), b"/etc/passwd")])})
    assert says in rejected(tmp_path)


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    put(tmp_path / "in", {"bob.zip": zipped({ONE: bytes(1 << 28)})})
    assert (tmp_path / "in" / "bob.zip").stat().st_size < 1_000_000
    assert "unpacked it has 268.4 MB, the limit is 10.0 MB" in rejected(tmp_path)


def test_a_bomb_that_lies_about_its_size_is_damaged(tmp_path: Path) -> None:
    data = bytearray(zipped({ONE: bytes(1 << 24)}))
    at = data.index(b"PK\x01\x02") + 24  # the size, in the central directory
    data[at : at + 4] = (1000).to_bytes(4, "little")
    put(tmp_path / "in", {"bob.zip": bytes(data)})
    assert "damaged" in rejected(tmp_path)


@pytest.mark.parametrize(
    "names",
    [(ONE, ONE), (ONE, ONE.upper()), ("a/é.py", "a/e\u0301.py"), ("straße", "STRASSE")],
    ids=["same", "case", "composed", "folded"],
)
def test_one_name_for_two_entries_is_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    pairs = [(entry(name), b"x = 1\n") for name in names]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)
        put(tmp_path / "in", {"bob.zip": zipped(pairs)})
    assert "one name for two files" in rejected(tmp_path)


def encrypted(data: bytes) -> bytes:
    """The zip with the flag of encryption in both of its records."""
    out = bytearray(data)
    out[out.index(b"PK\x03\x04") + 6] |= 1
    out[out.index(b"PK\x01\x02") + 8] |= 1
    return bytes(out)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (encrypted(zipped({ONE: "x = 1\n"})), "encrypted"),
        (zipped({ONE: RIGHT[ONE]})[:-30], "damaged"),
        (b"no zip at all", "damaged"),
        (b"", "damaged"),
        (zipped({}), "is empty"),
        (zipped({"more.zip": zipped({ONE: bytes(10_000_001)})}), "the limit is 10.0 MB"),
        (zipped({"more.zip": "x"}), "more.zip is damaged"),
        (zipped({"more.tar.gz": "x"}), "more.tar.gz is not read: send a zip"),
        (zipped({f"{at}.txt": "" for at in range(1001)}), "more than 1,000 entries"),
        (zipped({"n" * 256: "x"}), "a name of more than 255 bytes"),
        (zipped({ONE: "x" * 1_000_001}), "the limit is 1.0 MB"),
    ],
)
def test_a_zip_that_is_not_taken_says_why(tmp_path: Path, data: bytes, says: str) -> None:
    put(tmp_path / "in", {"bob.zip": data})
    assert says in rejected(tmp_path)


def test_other_compression_is_not_read(tmp_path: Path) -> None:
    info = entry(ONE)
    info.compress_type = zipfile.ZIP_LZMA
    put(tmp_path / "in", {"bob.zip": zipped([(info, b"x = 1\n")])})
    assert "make an ordinary zip" in rejected(tmp_path)


@pytest.mark.parametrize("at", range(0, 400, 7))
def test_a_flipped_byte_never_raises(tmp_path: Path, at: int) -> None:
    data = bytearray(zipped({ONE: "x = 1\n" * 9, "a/b.txt": "y" * 40}))
    data[at % len(data)] ^= 0xFF
    put(tmp_path / "in", {"bob.zip": bytes(data)})
    found = only(tmp_path)
    assert found.rejected or found.notes
    if "04a" in found.files:
        assert found.files["04a"].read_text("utf-8") == "x = 1\n" * 9


@pytest.mark.parametrize("name", ["bob.tar", "bob.tar.gz", "bob.tgz", "bob.7z", "bob.rar"])
def test_other_archives_are_refused(tmp_path: Path, name: str) -> None:
    put(tmp_path / "in", {name: b"?"})
    assert "send a zip or plain files" in rejected(tmp_path)


def test_two_archives_are_one_too_many(tmp_path: Path) -> None:
    put(tmp_path / "in" / "bob", {"a.zip": zipped({ONE: "x"}), "b.zip": zipped({ONE: "x"})})
    assert "2 archives (a.zip, b.zip): send one" in rejected(tmp_path)


# -- folders --------------------------------------------------------------------------------------


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            made.bind(f"/proc/self/fd/{folder}/{path.name}")  # a path may be too long for a socket
        finally:
            os.close(folder)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.symlink_to("/etc/passwd"), "symbolic link"),
        (lambda path: path.symlink_to("/etc", target_is_directory=True), "symbolic link"),
        (os.mkfifo, "pipe"),
        (bind, "socket"),
        (lambda path: os.link(path.parent.parent.parent / "roster.csv", path), "hard link"),
    ],
    ids=["link", "link to a folder", "pipe", "socket", "hard link"],
)
@pytest.mark.parametrize("inner", [ONE, "notes.txt", "deep/x"])
def test_a_folder_that_holds_more_than_plain_files(
    tmp_path: Path, make: Callable[[Path], None], says: str, inner: str
) -> None:
    put(tmp_path, {"roster.csv": "x", "in/bob/ex05a_cow.py": "x = 1\n"})
    path = tmp_path / "in" / "bob" / inner
    if path.parent.name == "deep":
        path.parent.mkdir()
        (tmp_path / "in" / "roster.csv").write_text("x")
    make(path) if inner != "deep/x" or says != "hard link" else os.link(
        tmp_path / "roster.csv", path
    )
    reason = {each.student: each for each in take(tmp_path)[1].values()}["bob"].rejected
    assert says in reason
    assert inner in reason


@pytest.mark.parametrize("name", ["bob", "bob.zip", f"bob_{ONE}"])
def test_a_submission_that_is_a_link_is_not_followed(tmp_path: Path, name: str) -> None:
    put(tmp_path / "secret", {ONE: RIGHT[ONE]})
    (tmp_path / "in").mkdir()
    target = tmp_path / "secret" / ("" if name == "bob" else ONE)
    (tmp_path / "in" / name).symlink_to(target)
    assert "symbolic link" in rejected(tmp_path)


def test_more_entries_than_anybody_needs_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "in" / "bob", {f"{at}.txt": "" for at in range(1001)})
    assert "more than 1,000 entries" in rejected(tmp_path)


def test_folders_in_folders_without_end_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in" / "bob").mkdir(parents=True)
    inner = os.open(tmp_path / "in" / "bob", os.O_RDONLY)
    for _ in range(1100):  # deeper than a path may be long
        os.mkdir("deeper", dir_fd=inner)
        outer, inner = inner, os.open("deeper", os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.close(inner)
    assert rejected(tmp_path)
    subprocess.run(["rm", "-rf", str(tmp_path / "in")], check=True)  # Python cannot


def test_what_cannot_be_read_is_the_trouble_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    put(tmp_path / "in" / "bob", {ONE: "x = 1\n"})
    with monkeypatch.context() as patch:
        patch.setattr("anonlab.grading.intake.archives.os.scandir", refuse)
        reason = rejected(tmp_path)
    assert reason == "bob cannot be read (Permission denied)"


def test_names_that_are_no_text_are_shown_and_harmless(tmp_path: Path) -> None:
    put(tmp_path / "in" / "bob", {ONE: RIGHT[ONE]})
    (Path(os.fsdecode(os.fsencode(tmp_path / "in" / "bob") + b"/\xff\n.py"))).write_text("x")
    assert only(tmp_path).ignored == ("\\udcff\\n.py",)


@pytest.mark.parametrize("inner", ["more.zip", "more.tar.gz"])
def test_an_archive_beside_an_answer_is_named_and_not_opened(tmp_path: Path, inner: str) -> None:
    put(tmp_path / "in", {"bob.zip": zipped({ONE: RIGHT[ONE], inner: zipped({OTHER: "x"})})})
    found = only(tmp_path)
    assert (list(found.files), found.ignored) == (["04a"], (inner,))
    assert f"{inner} is an archive in an archive: not opened" in found.notes[0]


def test_an_archive_that_is_all_of_an_archive_is_opened_once(tmp_path: Path) -> None:
    inner = zipped({f"x/{ONE}": RIGHT[ONE], "even/more.zip": zipped({OTHER: "x"})})
    put(tmp_path / "in", {"bob.zip": zipped({"readme.txt": "?", "hw.zip": inner})})
    found = only(tmp_path)
    assert (list(found.files), found.ignored) == (["04a"], ("even/more.zip", "readme.txt"))
    assert found.notes[0] == "hw.zip is an archive in an archive; it was opened"


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("slashes", {f"exercises\\{ONE}": RIGHT[ONE], f"exercises\\deep\\{OTHER}": RIGHT[OTHER]}),
        ("dots", {"./": "", f"./{ONE}": RIGHT[ONE], f"./x/./{OTHER}": RIGHT[OTHER]}),
    ],
)
def test_a_path_that_is_only_written_oddly_is_made_plain(
    tmp_path: Path, name: str, files: dict[str, str]
) -> None:
    put(tmp_path / "in", {"bob.zip": zipped(files)})
    if name == "slashes":  # what an old program for unpacking leaves in a folder
        put(tmp_path / "in" / "cleo", files)
    taken = take(tmp_path)[1]
    assert {tuple(each.files) for each in taken.values()} == {("04a", "05a")}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("folder", [".venv", "env", "node_modules", ".git", "__MACOSX"])
def test_what_machines_made_is_neither_counted_nor_weighed(
    tmp_path: Path, folder: str, packed: bool
) -> None:
    files = {f"hw/{folder}/lib/{at}/{'n' * 50}.py": "" for at in range(1500)}
    files |= {
        f"hw/{ONE}": RIGHT[ONE],
        f"hw/{folder}/pyvenv.cfg": "",
        "hw/data.bin": "x" * 20_000_000,
    }
    if packed:
        put(tmp_path / "in", {"bob.zip": zipped(files)})
    else:
        put(tmp_path / "in" / "bob", files)
        (tmp_path / "in" / "bob" / "hw" / folder / "python").symlink_to("/usr/bin/python3")
    found = only(tmp_path)
    assert (list(found.files), found.rejected) == (["04a"], "")
    assert found.ignored == ("hw/data.bin", f"hw/{folder}/")


def test_a_list_of_files_without_end_is_refused_before_it_is_read(tmp_path: Path) -> None:
    files = [(entry(f".x/{at}{'n' * 200}"), b"") for at in range(40_000)]
    put(tmp_path / "in", {"bob.zip": zipped(files)})
    assert rejected(tmp_path) == "the list of files in the archive is too long"


# -- several answers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "counts", "differs"),
    [
        ({ONE: "x = 1\n", f"old/{ONE}": "x = 2\n"}, ONE, f"old/{ONE}"),
        ({ONE: "x = 1\n", f"old/{ONE}": "x = 1\r\n\n"}, ONE, ""),
        ({ONE: TEMPLATE, f"new/{ONE}": "x = 2\n"}, f"new/{ONE}", ""),
        ({ONE: TEMPLATE, "ex04a_fork (1).py": "x = 2\n"}, "ex04a_fork (1).py", ""),
        ({ONE: "", "ex04a_fork.py.txt": "x = 2\n"}, "ex04a_fork.py.txt", ""),
        ({"ex04a_fork (2).py": "x = 3\n", "ex04a_fork (10).py": "x = 4\n"}, "ex04a_fork (10).py",
         "ex04a_fork (2).py"),
        ({"Ex04a_Fork.py": "x = 1\n"}, "Ex04a_Fork.py", ""),
        ({"ex04a_fork - Copy (2).py": "x = 1\n"}, "ex04a_fork - Copy (2).py", ""),
        ({ONE: "x = 1\n", "ex04a_fork (1).py": "x = 2\n"}, ONE, "ex04a_fork (1).py"),
    ],
)  # fmt: skip
def test_of_several_answers_the_last_counts_and_both_are_told(
    tmp_path: Path, files: dict[str, str], counts: str, differs: str
) -> None:
    put(tmp_path / "in" / "bob", {**files, OTHER: RIGHT[OTHER]})
    found = only(tmp_path)
    assert found.files["04a"].read_text("utf-8") == files[counts]
    told = f"04a: {counts} counts; {differs} differs from it"
    assert found.doubts == ((told,) if differs else ())
    assert set(found.doubts) <= set(found.notes)
    right = {fate.name for fate in found.fates if fate.exercise == "04a"}
    assert right == {counts}
    near = f"04a: {counts} is taken as {ONE}"
    assert (near in found.notes) is (counts.rpartition("/")[2] != ONE)


def test_a_file_that_grows_while_it_is_copied_is_refused(tmp_path: Path) -> None:
    put(tmp_path, {"a": "x"})
    entry = plain_file(tmp_path / "a", "a")
    (tmp_path / "a").write_text("xyz")
    with pytest.raises(Exception, match="longer than it says"):
        copy(entry, tmp_path / "b", 100)


def test_a_file_that_is_exchanged_before_it_is_copied_is_refused(tmp_path: Path) -> None:
    put(tmp_path, {"a": "x"})
    entry = plain_file(tmp_path / "a", "a")
    put(tmp_path, {"c": "y"})
    (tmp_path / "c").replace(tmp_path / "a")
    with pytest.raises(Exception, match="changed while it was taken in"):
        copy(entry, tmp_path / "b", 100)


# -- contents -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [{}, {"fork.py": "x"}, {ONE: ""}, {ONE: " \n"}, {ONE: b"\xef\xbb\xbf"}],
    ids=["none", "wrong name", "empty", "blank", "BOM alone"],
)
def test_no_answer_is_missing_with_the_expected_name(
    tmp_path: Path, files: dict[str, str | bytes]
) -> None:
    (tmp_path / "in" / "bob").mkdir(parents=True)
    put(tmp_path / "in" / "bob", files)
    found = only(tmp_path)
    assert (found.files, found.rejected) == ({}, "")
    (note,) = [note for note in found.notes if note.startswith("04a")]
    assert ONE in note
    if files and ONE not in files:
        assert f"found: {next(iter(files))}" in note


def test_the_template_is_taken_as_it_is(tmp_path: Path) -> None:
    put(tmp_path / "in" / "bob", {ONE: TEMPLATE})
    assert only(tmp_path).files["04a"].read_text("utf-8") == TEMPLATE


# -- people and time ------------------------------------------------------------------------------

NOON = "2026-10-01T12:00:00+00:00"
DUE = {"bob": datetime(2026, 10, 1, 12, tzinfo=UTC)}


def attempts(tmp_path: Path, *times: str) -> dict[str, str]:
    """Hand in bob_1, bob_2, … at these times; return which count, by id: reason or ''."""
    receipts = ""
    for at, time in enumerate(times, 1):
        put(tmp_path / "in" / f"bob_{at}", {ONE: f"x = {at}\n"})
        receipts += f"bob_{at},,{time}\n"
    survey, taken = take(tmp_path, receipts=receipts, due=DUE)
    assert len(taken) + len(survey.superseded) == len(times)
    assert all(each.by in {*taken, ""} for each in survey.superseded)
    return {id_: each.rejected for id_, each in taken.items()}


def test_the_newest_before_the_deadline_counts(tmp_path: Path) -> None:
    found = attempts(tmp_path, "2026-10-01T10:00Z", "2026-10-01T11:00Z", "2026-10-01T13:00Z")
    assert found == {"bob_2": ""}


def test_exactly_at_the_deadline_is_in_time_in_every_zone(tmp_path: Path) -> None:
    found = attempts(tmp_path, "2026-10-01T13:59:59+02:00", "2026-10-01T14:00:00+02:00",
                     "2026-10-01T12:00:01Z")  # fmt: skip
    assert found == {"bob_2": ""}


def test_if_all_are_late_the_newest_counts(tmp_path: Path) -> None:
    assert attempts(tmp_path, "2026-10-03T00:00Z", "2026-10-02T00:00Z") == {"bob_1": ""}


def test_with_one_time_for_two_none_is_chosen(tmp_path: Path) -> None:
    found = attempts(tmp_path, NOON, "2026-10-01T14:00:00+02:00")
    assert list(found) == ["bob_1"]
    assert "several of one student (bob_1, bob_2)" in found["bob_1"]


def test_without_times_none_of_two_is_chosen(tmp_path: Path) -> None:
    put(tmp_path / "in", {f"bob/{ONE}": "x = 1\n", "bob.zip": zipped({ONE: "x = 2\n"})})
    survey, taken = take(tmp_path)
    assert "no receipt times" in taken["bob"].rejected
    assert taken["bob"].files == {}
    assert [(each.entrant.id, each.by) for each in survey.superseded] == [("bob.zip", "")]


def test_strangers_are_listed_and_who_handed_in_nothing_too(tmp_path: Path) -> None:
    put(tmp_path / "in", {f"dan/{ONE}": "x = 1\n", f"bob/{ONE}": "x = 1\n"})
    survey, taken = take(tmp_path, receipts=f"bob,,{NOON}\neve,,{NOON}\n")
    assert "nobody in the roster" in taken["dan"].rejected
    assert survey.absent == ("007", "cleo")
    assert [note.split()[0] for note in survey.notes] == ["eve"]
    assert taken["bob"].received == datetime(2026, 10, 1, 12, tzinfo=UTC)


def test_a_table_may_say_whose_a_submission_is(tmp_path: Path) -> None:
    put(tmp_path / "in", {f"s1/{ONE}": "x = 1\n", "s2.zip": zipped({ONE: "x = 1\n"})})
    _, taken = take(tmp_path, receipts=f"s1,cleo,{NOON}\ns2.zip,nobody,{NOON}\n")
    assert (taken["s1"].student, taken["s1"].rejected) == ("cleo", "")
    assert "nobody in the roster" in taken["s2.zip"].rejected


def test_an_id_is_a_name_for_files_and_no_two_are_alike(tmp_path: Path) -> None:
    for name in ("bob_ü", "bob_u", "bob_\n", "bob_ ", "bob_" + "n" * 200):
        put(tmp_path / "in" / name, {ONE: "x = 1\n"})
    survey, taken = take(tmp_path)
    ids = {*taken, *(each.entrant.id for each in survey.superseded)}
    assert len(ids) == 5
    assert all(id_.isascii() and "/" not in id_ and len(id_) < 90 for id_ in ids)


@pytest.mark.parametrize("time", ["2026-10-01T12:00:00", "2026-10-01", "noon", "", "9999-99-99Z"])
def test_a_time_without_its_zone_is_refused_with_its_line(tmp_path: Path, time: str) -> None:
    path = tmp_path / "receipts.csv"
    path.write_text(f"submission,student,received\nbob,,{NOON}\nada,,{time}\n", "utf-8")
    with pytest.raises(
        FormatError, match=r"line 3: .*receipts\.csv: .* is (no time|a day without)"
    ):
        read_receipts(path, roster(tmp_path))


def test_a_table_names_each_submission_once(tmp_path: Path) -> None:
    path = tmp_path / "receipts.csv"
    path.write_text(f"submission,student,received\nbob,,{NOON}\nbob,,{NOON}\n", "utf-8")
    with pytest.raises(FormatError, match="line 3"):
        read_receipts(path, roster(tmp_path))
    path.write_text("who,when\n", "utf-8")
    with pytest.raises(FormatError, match="the columns are submission,student,received"):
        read_receipts(path, roster(tmp_path))


@pytest.mark.parametrize(
    ("time", "utc"),
    [
        ("2026-03-29T03:00:00+02:00", "2026-03-29T01:00:00+00:00"),
        ("2026-03-29T01:59:59+01:00", "2026-03-29T00:59:59+00:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00+00:00"),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_when_clocks_change_utc_does_not(tmp_path: Path, time: str, utc: str) -> None:
    path = tmp_path / "receipts.csv"
    path.write_text(f"submission,student,received\nbob,,{time}\n", "utf-8")
    assert read_receipts(path, roster(tmp_path))["bob"].received.isoformat() == utc

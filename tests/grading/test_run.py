"""A class from its folder to its grades: the verb, its figures, its files and its exit status."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import stand_in
from classroom import ONE, OTHER, put, zipped
from click.testing import CliRunner, Result
from project import ROOT

from anonlab.box.probe import BoxFacts, Refused
from anonlab.cli.verbs import cli
from anonlab.course.authoring.variants import variant_seed
from anonlab.grading.config import GradingOptions, GradingRun
from anonlab.grading.intake.submission import Submission
from anonlab.grading.judging.engines import EngineTrouble
from anonlab.grading.judging.grade_submission import seed_of
from anonlab.grading.run import grade_class
from anonlab.grading.store.store import Store, StoreTrouble, VerdictChange

ROSTER = "student_id,name\n" + "".join(f"s{at:02},Student {at}\n" for at in range(12))
ASSIGNMENT = 'name = "hw 1"\nexercises = ["04a", "05a"]\n'


@pytest.fixture
def given(tmp_path: Path) -> GradingOptions:
    """Ten students of twelve hand in: nine answers and a path trick."""
    put(tmp_path, {"roster.csv": ROSTER, "hw.toml": ASSIGNMENT})
    for at in range(9):
        put(tmp_path / "in" / f"s{at:02}", {ONE: f"{at}\n", "notes.txt": "?"})
    put(tmp_path / "in", {"s09.zip": zipped({"../evil.py": "x"})})
    return GradingOptions(
        tmp_path / "in", tmp_path / "out", tmp_path / "roster.csv", ROOT, tmp_path / "hw.toml",
        jobs=2,
    )  # fmt: skip


def fine() -> None:
    """A box that works."""


def scores(out: Path) -> dict[str, str]:
    """Grades and statuses by submission, as the instructor's table has them."""
    text = (out / "instructor" / "grades.csv").read_text("utf-8").splitlines()
    rows = [each for each in csv.DictReader(text) if each["submission_id"]]
    assert len({each["submission_id"] for each in rows}) == len(rows)
    return {each["submission_id"]: f"{each['status']} {each['raw']}" for each in rows}


def test_a_class_is_graded_and_told(given: GradingOptions) -> None:
    ticks: list[tuple[str, int, int]] = []
    graded = grade_class(given, stand_in.judge, fine, lambda *each: ticks.append(each))
    plain = graded.to_json()
    assert plain["submissions"] == 10
    assert plain["statuses"] == {"graded": 9, "rejected": 1}
    assert (plain["graded"], plain["resumed"], plain["infra"]) == (9, 0, 0)
    assert plain["per_second"] > 0
    assert not graded.ok
    last = {stage: (done, total) for stage, done, total in ticks}
    assert last == {"taking in": (10, 10), "grading": (9, 9), "reports": (10, 10)}
    found = scores(given.out)
    assert found["s09.zip"] == "rejected "
    assert len(found) == 10
    summary = json.loads((given.out / "instructor" / "summary.json").read_text("utf-8"))
    assert summary["absent"] == ["s10", "s11"]
    intake = (given.out / "instructor" / "intake.csv").read_text("utf-8").splitlines()
    rows = {each["submission"]: each for each in csv.DictReader(intake)}
    assert rows["s09.zip"]["state"] == "rejected"
    assert rows["s00"]["ignored"] == "notes.txt"
    assert not list(given.out.glob("taken*"))
    assert given.out.stat().st_mode & 0o777 == 0o700
    assert (given.out / "secret").stat().st_mode & 0o777 == 0o600


def test_a_second_run_judges_nothing_and_says_the_same(given: GradingOptions) -> None:
    grade_class(given, stand_in.judge, fine)
    before = scores(given.out)
    graded = grade_class(given, never, fine)
    assert (graded.resumed, graded.statuses["graded"], graded.per_second) == (9, 9, 0.0)
    assert scores(given.out) == before


def never(*_: object) -> None:  # type: ignore[misc]
    raise AssertionError("nothing is to be judged")


def test_a_changed_answer_is_judged_alone_and_its_change_is_told(given: GradingOptions) -> None:
    grade_class(given, stand_in.judge, fine)
    put(given.folder / "s03", {ONE: "another\n"})
    told: list[VerdictChange] = []
    graded = grade_class(given, stand_in.judge, fine, tell=told.extend)
    assert graded.resumed == 8
    assert [each.submission for each in told] == ["s03"]
    assert (told[0].old, told[0].new) == ("fail, 6 of 10", "fail, 7 of 10")
    assert scores(given.out)["s03"] == "graded 7"


def test_trouble_in_a_regrade_is_told_and_the_old_result_stays(given: GradingOptions) -> None:
    grade_class(given, stand_in.judge, fine)
    put(given.folder / "s03", {ONE: "raise\n"})
    graded = grade_class(given, stand_in.judge, fine)
    assert graded.statuses == {"graded": 8, "rejected": 1, "infra": 1}
    assert graded.changes == []
    assert scores(given.out)["s03"] == "infra "
    old = Store(given.out / "store", "hw 1").get("s03")
    assert old is not None
    assert old.status == "graded"
    put(given.folder / "s03", {ONE: "3\n"})
    assert grade_class(given, never, fine).statuses["graded"] == 9


def test_force_judges_all_again(given: GradingOptions) -> None:
    grade_class(given, stand_in.judge, fine)
    graded = grade_class(replace(given, force=True), stand_in.judge, fine)
    assert (graded.resumed, graded.changes) == (0, [])


def test_shards_give_what_a_pool_gives(given: GradingOptions, tmp_path: Path) -> None:
    grade_class(given, stand_in.judge, fine)
    parts = replace(given, out=tmp_path / "parts")
    sizes = []
    for shard in ((1, 2), (2, 2)):
        graded = grade_class(replace(parts, shard=shard), stand_in.judge, fine)
        sizes.append(graded.statuses.total())
        assert not (parts.out / "students").exists()
        assert "without --shard" in graded.notes[0]
    assert sum(sizes) == 10
    assert all(sizes)
    assert grade_class(replace(parts, shard=(0, 2)), never, fine).statuses.total() == sizes[1]
    whole = grade_class(parts, never, fine)
    assert whole.resumed == 9
    assert scores(parts.out) == scores(given.out)


def test_the_late_policy_runs_nobody(given: GradingOptions, tmp_path: Path) -> None:
    grade_class(given, stand_in.judge, fine)
    put(tmp_path, {
        "hw.toml": f"{ASSIGNMENT}due = 2026-10-01T12:00:00Z\n[late]\npercent_per_day = 10\n",
        "received.csv": "submission,student,received\ns00,,2026-10-02T14:00:00+02:00\n"
                        "s01,,2026-10-03T12:00:00Z\n",
        "extensions.csv": "student_id,due,reason\ns01,2026-10-09T12:00:00Z,ill\n",
        "adjustments.csv": "student_id,points,reason,author\ns02,1,asked well,prof\n",
    })  # fmt: skip
    more = replace(given, received=tmp_path / "received.csv",
                   extensions=tmp_path / "extensions.csv",
                   adjustments=tmp_path / "adjustments.csv")  # fmt: skip
    graded = grade_class(more, never, fine)
    assert graded.resumed == 9
    text = (given.out / "instructor" / "grades.csv").read_text("utf-8").splitlines()
    rows = {each["submission_id"]: each for each in csv.DictReader(text)}
    assert [rows[name]["days_late"] for name in ("s00", "s01", "s02")] == ["1", "0", "0"]
    assert float(rows["s00"]["final"]) == pytest.approx(float(rows["s00"]["raw"]) * 0.9)
    assert float(rows["s02"]["final"]) == float(rows["s02"]["raw"]) + 1


def test_a_test_that_gives_nobody_a_verdict_publishes_nothing(given: GradingOptions) -> None:
    for at in range(9):
        put(given.folder / f"s{at:02}", {ONE: "infra\n"})
    graded = grade_class(given, stand_in.ill, fine)
    assert graded.broken == [
        "04a test_it gave no verdict for any of 9 submissions: no grades were published"
    ]
    assert not graded.ok
    assert not (given.out / "instructor").exists()


def test_submissions_without_a_verdict_do_not_keep_the_class_from_its_grades(
    given: GradingOptions,
) -> None:
    """The test gives the course's own solution a verdict, so it is not the test that is wrong."""
    for at in range(9):
        put(given.folder / f"s{at:02}", {ONE: "infra\n"})
    graded = grade_class(given, stand_in.judge, fine)
    assert graded.broken == []
    assert graded.statuses["infra"] == 9
    assert (given.out / "instructor" / "grades.csv").exists()


def test_the_time_for_all_is_that_of_intake_and_reports_too(
    given: GradingOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineTrouble, match="still being read"):
        grade_class(replace(given, minutes=1e-6), stand_in.judge, fine)
    assert not (given.out / "instructor").exists()
    now = [0.0]

    def slow(*_: object) -> list[str]:
        now[0] = 3600.0
        return []

    monkeypatch.setattr("anonlab.grading.run._broken", slow)
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("anonlab.grading.run.time", clock)
    monkeypatch.setattr("anonlab.grading.tasks.time", clock)
    with pytest.raises(EngineTrouble, match="reports are to come"):
        grade_class(replace(given, minutes=10), stand_in.judge, fine)


def test_two_submissions_of_one_student_are_both_told(
    given: GradingOptions, tmp_path: Path
) -> None:
    put(given.folder, {"s08_again.zip": zipped({ONE: "again\n"})})
    put(tmp_path, {"received.csv": "submission,student,received\ns08,,2026-10-01T12:00:00Z\n"
                                   "s08_again.zip,,2026-10-02T12:00:00Z\n"})  # fmt: skip
    graded = grade_class(replace(given, received=tmp_path / "received.csv"), stand_in.judge, fine)
    assert graded.statuses == {"graded": 9, "rejected": 1, "superseded": 1}
    assert "s08 does not count: s08_again.zip does" in graded.notes


def no_box() -> None:
    raise Refused("there is no box", "get one")


def test_without_a_box_no_file_is_written(given: GradingOptions) -> None:
    with pytest.raises(Refused):
        grade_class(given, never, no_box)
    assert not given.out.exists()


def test_in_process_nobody_asks_for_a_box_and_all_is_stamped(given: GradingOptions) -> None:
    grade_class(replace(given, in_process=True), stand_in.judge, no_box)
    names = {path.name for path in (given.out / "instructor").iterdir()}
    assert "UNOFFICIAL-grades.csv" in names
    assert not names & {"grades.csv", "gradescope", "lms"}


def test_official_and_unofficial_results_have_different_keys(given: GradingOptions) -> None:
    grade_class(replace(given, in_process=True), stand_in.judge, no_box)
    assert grade_class(given, stand_in.judge, fine).resumed == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"out": "in/out"}, "lie in each other"),
        ({"folder": "nowhere"}, "is no folder of submissions"),
        ({"folder": "roster.csv"}, "is no folder of submissions"),
        ({"out": "full"}, "holds other files"),
    ],
)
def test_folders_that_make_no_sense_are_refused(
    given: GradingOptions, tmp_path: Path, change: dict[str, str], says: str
) -> None:
    put(tmp_path, {"full/taken/precious.txt": "x"})
    paths = {name: tmp_path / each for name, each in change.items()}
    with pytest.raises(ValueError, match=says):
        grade_class(replace(given, **paths), never, fine)
    assert (tmp_path / "full" / "taken" / "precious.txt").exists()


def test_the_secret_is_made_once_and_the_courses_own_comes_first(
    given: GradingOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANONLAB_SECRET", raising=False)
    given.out.mkdir()
    (given.out / "store").mkdir()
    one, other = (GradingRun.read(given).settings.secret for _ in range(2))
    assert one == other == (given.out / "secret").read_text("ascii")
    assert len(one) == 64
    monkeypatch.setenv("ANONLAB_SECRET", "the course's own secret")
    assert GradingRun.read(given).settings.secret == "the course's own secret"


def test_a_short_secret_grades_nobody(
    given: GradingOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANONLAB_SECRET", "2026")
    with pytest.raises(ValueError, match="ANONLAB_SECRET can be guessed.*Make one"):
        grade_class(given, never, fine)


def test_hidden_inputs_have_a_key_of_their_own(given: GradingOptions) -> None:
    """A student whose id is what hidden inputs are made from has no variant that shows them."""
    given.out.mkdir()
    settings = GradingRun.read(given).settings
    code = given.folder / "s00" / ONE
    digest = hashlib.sha256(code.read_bytes()).hexdigest()
    hidden = seed_of(Submission("s00", "s00", {"04a": code}), settings, "04a", keyed=True)
    for student in (digest, f"{settings.assignment}|04a|{digest}", f"{settings.assignment}|04a"):
        for number in ("04a", digest):
            assert variant_seed(settings.secret, student, number) != hidden


def test_variants_need_the_secret_that_made_them(
    given: GradingOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANONLAB_SECRET", raising=False)
    put(tmp_path, {"hw.toml": f"{ASSIGNMENT}[grading]\nvariants = true\n"})
    with pytest.raises(ValueError, match="wanted in ANONLAB_SECRET"):
        grade_class(given, never, fine)


# -- when there is no room ------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs CAP_SYS_ADMIN to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(path: Path) -> None:
    """Leave no room on the file system of `path`."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 512)


def test_a_full_disk_keeps_what_was_graded_and_the_rest_comes_later(
    given: GradingOptions, small_disk: Path
) -> None:
    out = small_disk / "out"
    grade_class(replace(given, out=out), stand_in.judge, fine)
    for at in (10, 11):
        put(given.folder / f"s{at}", {ONE: f"{at}\n"})
    filler = small_disk / "filler"
    fill(filler)
    with pytest.raises(OSError, match="No space left"):
        grade_class(replace(given, out=out), stand_in.judge, fine)
    assert len(list(Store(out / "store", "hw 1").folder.glob("*.json"))) == 10
    filler.unlink()
    graded = grade_class(replace(given, out=out), stand_in.judge, fine)
    assert (graded.resumed, graded.statuses["graded"]) == (9, 11)


def test_a_folder_that_cannot_be_written_is_one_sentence(
    given: GradingOptions, tmp_path: Path
) -> None:
    grade_class(given, stand_in.judge, fine)
    shutil.rmtree(given.out / "store")
    (given.out / "store").write_text("not a folder")
    with pytest.raises(StoreTrouble, match=r"store/hw-1-\w+ cannot be written \(Not a directory\)"):
        grade_class(given, never, fine)


# -- the verb -------------------------------------------------------------------------------------


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch, given: GradingOptions) -> list[str]:
    """`anonlab grade` with the stand-in as its judge, and a box that works."""
    monkeypatch.setattr("anonlab.grading.judging.grade_submission.grade_one", stand_in.judge)
    facts = BoxFacts(True, ["a process"], ["NumPy"])
    monkeypatch.setattr("anonlab.box.probe.check_box", lambda *_: facts)
    return ["grade", str(given.folder), "--roster", str(given.roster), "--out", str(given.out),
            "--assignment", str(given.assignment), "--course", str(ROOT)]  # fmt: skip


def run(words: list[str], *more: str) -> Result:
    return CliRunner().invoke(cli, [*words, *more])


def test_json_is_one_object_and_the_status_says_that_some_were_rejected(verb: list[str]) -> None:
    done = run(verb, "--json")
    plain = json.loads(done.stdout)
    assert list(plain)[:6] == [
        "submissions", "graded", "statuses", "per_second", "resumed", "infra",
    ]  # fmt: skip
    assert (done.exit_code, plain["statuses"]) == (1, {"graded": 9, "rejected": 1})


def test_all_graded_is_status_zero(verb: list[str], given: GradingOptions) -> None:
    (given.folder / "s09.zip").unlink()
    done = run(verb)
    assert (done.exit_code, "graded" in done.stdout) == (0, True), done.output


def test_a_regrade_prints_old_and_new(verb: list[str], given: GradingOptions) -> None:
    run(verb, "--json")
    put(given.folder / "s03", {ONE: "another\n"})
    done = run(verb, "--json")
    assert json.loads(done.stdout)["resumed"] == 8
    line = next(line for line in done.stderr.splitlines() if "s03" in line)
    assert "fail, 6 of 10" in line
    assert "fail, 7 of 10" in line


def test_no_box_is_status_three_with_reason_and_remedy(
    verb: list[str], given: GradingOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anonlab.box.probe.check_box", lambda *_: no_box())
    for words in (verb, ["grade", "--check"]):
        done = run(words)
        assert done.exit_code == 3
        assert done.stderr == "anonlab: there is no box\nanonlab: get one\n"
    told = json.loads(run(["grade", "--check", "--json"]).stdout)
    assert told == {"official": False, "reason": "there is no box", "remedy": "get one"}
    assert not given.out.exists()


def test_check_says_that_the_box_works(verb: list[str]) -> None:
    assert run(["grade", "--check"]).exit_code == 0
    assert json.loads(run(["grade", "--check", "--json"]).stdout) == {
        "official": True, "landlock": True, "refused": ["a process"], "allowed": ["NumPy"],
    }  # fmt: skip


def test_what_is_not_official_never_passes_for_it(verb: list[str], given: GradingOptions) -> None:
    done = run(verb, "--unsafe-in-process", "--official")
    assert (done.exit_code, "never official" in done.stderr) == (3, True)
    assert not given.out.exists()
    done = run(verb, "--unsafe-in-process")
    assert "unofficial" in done.stderr


def test_when_the_time_is_over_it_says_how_to_go_on(verb: list[str], given: GradingOptions) -> None:
    put(given.folder / "s03", {ONE: "sleep 600\n"})
    done = run(verb, "--minutes", "0.05")
    assert (done.exit_code, "the time for all is over" in done.stderr) == (2, True), done.stderr
    assert not (given.out / "instructor" / "grades.csv").exists()
    put(given.folder / "s03", {ONE: "another\n"})
    plain = json.loads(run(verb, "--json", "--minutes", "2").stdout)
    assert plain["statuses"] == {"graded": 9, "rejected": 1}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["grade", "x", "--minutes", "0"], "0.0 is not in the range x>0"),
        (["grade"], "FOLDER is missing"),
        (["grade", "x"], "--roster is missing"),
        (["grade", "x", "--shard", "3/2"], "'3/2' is no shard such as 1/4"),
        (["grade", "x", "--shard", "half"], "'half' is no shard"),
        (["grade", "x", "--roster", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_wrong_use_is_status_two(words: list[str], says: str) -> None:
    done = run(words)
    assert (done.exit_code, says in done.stderr) == (2, True), done.stderr


def test_a_scheduler_that_is_not_there_is_status_two(
    verb: list[str], given: GradingOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    done = run(verb, "--scheduler", "tcp://127.0.0.1:9")
    assert (done.exit_code, "anonlab[dask]" in done.stderr) == (2, True)


def test_without_pytest_the_remedy_is_named(
    verb: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pytest", None)
    monkeypatch.delitem(sys.modules, "anonlab.grading.judging.grade_submission")
    done = run(verb)
    assert (done.exit_code, "pip install 'anonlab[grade]'" in done.stderr) == (2, True)


def test_without_an_assignment_all_exercises_are_graded(
    verb: list[str], given: GradingOptions
) -> None:
    put(given.folder / "s00", {OTHER: "0\n"})
    at = verb.index("--assignment")
    done = run([*verb[:at], *verb[at + 2 :]], "--json")
    assert json.loads(done.stdout)["submissions"] == 10
    assert Store(given.out / "store", "all exercises").path("s00").is_file()

"""The doctor tries what it reports, never raises, and says what to do."""

from __future__ import annotations

import json
import os
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner
from project import ROOT

from anonlab.box import boxes
from anonlab.box.calls import NoFilter
from anonlab.cli import doctor
from anonlab.cli.doctor import PURPOSES, Finding, examine
from anonlab.cli.verbs import cli


def finding(name: str) -> Finding:
    """The finding whose name begins with `name`."""
    return next(row for row in examine().findings if row.name.startswith(name))


def program(folder: Path, name: str, script: str) -> None:
    """Put a shell script called `name` into `folder`."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without programs as the whole PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_every_lack_comes_with_advice(empty_path: Path) -> None:
    lacking = [row for row in examine().findings if not row.ok]
    assert {"dot", "browser", "strace", "C compiler"} <= {row.name for row in lacking}
    assert all(row.advice and row.needed_for and row.found for row in lacking)
    assert all(not row.advice for row in examine().findings if row.ok)


def test_missing_programs_do_not_make_the_machine_unfit(
    empty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Installed(monkeypatch, "numpy>=1")
    assert examine().ok


def test_a_program_that_fails_is_not_ok(empty_path: Path) -> None:
    program(empty_path, "dot", "echo broken library >&2; exit 3")
    row = finding("dot")
    assert not row.ok
    assert "exit status 3: broken library" in row.found


def test_a_program_that_hangs_is_not_ok(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SECONDS", 0.1)
    program(empty_path, "strace", "exec /bin/sleep 10")
    assert finding("strace").found == "no answer within 0.1 seconds"


def test_a_box_that_does_not_stand_is_not_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> bytes:
        raise NoFilter("libseccomp.so.2 is not installed")

    monkeypatch.setattr(boxes, "_living", {})
    monkeypatch.setattr(boxes, "filter_program", missing)
    row = finding("box")
    assert not row.ok
    assert "libseccomp.so.2 is not installed" in row.found
    assert "apt install libseccomp2" in row.advice


def test_a_probe_that_breaks_in_any_way_is_a_finding() -> None:
    def probe() -> str:
        raise ZeroDivisionError

    row = doctor._try("teacher", "thing", probe, "work", "mend it")
    assert row == Finding("thing", False, False, "ZeroDivisionError", "work", "mend it", "teacher")


class Installed:
    """Stands in for the metadata of installed packages."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
        about = metadata.metadata("click")  # any package will do: its requirements are replaced
        for name in ("Requires-Dist", "Requires-Python"):
            del about[name]  # type: ignore[attr-defined]
        about["Requires-Python"] = ">=3.11"  # type: ignore[index]
        for line in lines:
            about["Requires-Dist"] = line  # type: ignore[index]
        monkeypatch.setattr(metadata, "metadata", lambda name: about)


def test_a_version_outside_its_range_is_unfit(monkeypatch: pytest.MonkeyPatch) -> None:
    Installed(monkeypatch, "numpy<1")
    row = finding("numpy")
    assert (row.required, row.ok) == (True, False)
    assert row.found == f"{metadata.version('numpy')} is outside this range"
    assert row.advice == "pip install 'numpy<1'"
    assert not examine().ok


def test_a_missing_test_package_is_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    Installed(monkeypatch, 'no-such-package>=1; extra == "test"')
    row = finding("no-such-package")
    assert (row.required, row.ok, row.found) == (False, False, "not installed")
    assert examine().ok


def test_anonlab_that_is_not_installed_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", nothing)
    row = finding("anonlab")
    assert not row.ok
    assert "make lab" in row.advice
    assert not examine().ok


def test_the_pagemap_row_tells_what_this_process_can_read() -> None:
    own = Path("/proc/self/pagemap")
    assert finding("pagemap").ok == os.access(own, os.R_OK)


def test_frame_numbers_are_hidden_without_cap_sys_admin() -> None:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    cap_sys_admin = int(status["CapEff"], 16) >> 21 & 1
    if not cap_sys_admin:
        for name in ("pagemap with PFNs", "kpagecount", "kpageflags"):
            assert not finding(name).ok


def test_each_package_of_pyproject_has_a_purpose() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = {line.split(">")[0] for line in lines if not line.startswith("anonlab")}
    assert names == set(PURPOSES)


def test_who_needs_what() -> None:
    report = examine()
    names = {group: " ".join(row.name for row in report.of(group)) for group in doctor.GROUPS}
    assert all(word in names["learner"] for word in ("Python", "numpy", "jupyterlab", "dot"))
    assert all(word in names["teacher"] for word in ("box", "distributed", "jupytext"))
    assert all(word in names["developer"] for word in ("mypy", "browser", "strace", "pagemap"))
    assert not any(row.required for row in report.findings if row.group != "learner")
    assert sum(len(report.of(group)) for group in doctor.GROUPS) == len(report.findings)


def test_only_what_a_learner_needs_is_shown_unless_all_is_asked_for() -> None:
    short = CliRunner().invoke(cli, ["doctor"]).output
    assert "numpy" in short
    assert not any(word in short for word in ("mypy", "Landlock", "pagemap"))
    long = CliRunner().invoke(cli, ["doctor", "--all"]).output
    assert all(word in long for word in ("numpy", "mypy", "Landlock", "pagemap"))


def test_the_report_is_plain_json() -> None:
    plain = json.loads(json.dumps(examine().to_json()))
    assert set(plain) == {"anonlab", "ok", "findings"}
    assert {tuple(row) for row in plain["findings"]} == {
        ("name", "required", "ok", "found", "needed_for", "advice", "group")
    }

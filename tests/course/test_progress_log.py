"""Progress: appended at once, whatever crashes and whoever else writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from anonlab.course.asking.progress_log import ProgressLog


def test_events_come_back_in_order(tmp_path: Path) -> None:
    log = ProgressLog(tmp_path)
    assert log.events() == []
    log.add("hint", exercise="04a", hint=1)
    log.add("check", exercise="04a", ok=False, points=2)
    log.add("check", exercise="04a", ok=True, points=4)
    log.add("check", exercise="05a", ok=False, points=1)
    assert [event["what"] for event in log.events()] == ["hint", "check", "check", "check"]
    assert (log.best("04a"), log.has_passed("04a"), log.hints("04a")) == (4, True, 1)
    assert (log.best("05a"), log.has_passed("05a"), log.hints("05a")) == (1, False, 0)
    assert len(log.events("check", exercise="04a", ok=False)) == 1


def test_a_line_that_a_crash_cut_short_loses_itself_only(tmp_path: Path) -> None:
    log = ProgressLog(tmp_path)
    log.add("check", exercise="04a", ok=True, points=4)
    log.add("hint", exercise="04a", hint=1)
    whole = log.path.read_bytes()
    log.path.write_bytes(whole[:-9])
    assert [event["what"] for event in log.events()] == ["check"]
    log.add("hint", exercise="04a", hint=2)
    assert [event.get("hint") for event in log.events()] == [None, 2]


def test_lines_that_are_no_events_are_left_out(tmp_path: Path) -> None:
    log = ProgressLog(tmp_path)
    log.add("hint", exercise="é", hint=1)
    with log.path.open("ab") as file:
        file.write(b'\xff\xfe\n[]\n{"what": 3}\n\nnull\n{"what": "x", "n": 1}\n')
    assert [event["what"] for event in log.events()] == ["hint", "x"]


WRITE = """
import sys
from pathlib import Path
from anonlab.course.asking.progress_log import ProgressLog
for number in range(200):
    ProgressLog(Path(sys.argv[1])).add("check", who=sys.argv[2], n=number, text="x" * 3000)
"""


def test_two_notebooks_can_write_at_a_time(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), who]) for who in ("a", "b")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    log = ProgressLog(tmp_path)
    for who in ("a", "b"):
        assert [event["n"] for event in log.events(who=who)] == list(range(200))

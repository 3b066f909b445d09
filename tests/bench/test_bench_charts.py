"""Charts of `anonlab bench`, peers where they are installed, and the run that is shipped."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from anonlab.bench import peer_pyos
from anonlab.bench.charts import MEASURED, bench_chart, measured
from anonlab.bench.peers import measure_peers, told
from anonlab.bench.report import RATIO_BUDGETS, budgets
from anonlab.linux.yardstick import STEPS
from anonlab.view.charts.bars import bars_svg, bars_text


def test_the_shipped_run_says_where_and_when_and_holds_its_budgets() -> None:
    report = measured()
    assert re.fullmatch(r"\d+\.\d+\.\d+", report["kernel"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", report["date"])
    assert {row["name"] for row in report["rows"]} == set(STEPS)
    assert "8-byte content tag" in report["note"]
    assert report["budgets"] == budgets(report)
    assert all(held["within"] for held in report["budgets"])
    assert {
        name for name in RATIO_BUDGETS if any(name in h["what"] for h in report["budgets"])
    } == {*RATIO_BUDGETS}
    assert "/" not in MEASURED.read_text("utf-8")


def test_the_shipped_run_has_a_peer_or_the_reason() -> None:
    (peer,) = measured()["peers"]
    assert peer["name"] == "PyOS"
    assert "a reverse map" in peer["lacks"]
    assert peer.get("rows") or peer["reason"]


def drawn(svg: str) -> list[str]:
    """The numbers beside the bars, with their signs, top down."""
    texts = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]* font-weight="700"[^>]*>([^<]+)<', svg)
    bars = [(float(y), text) for _, y, text in texts if text[0] in "■▲●" and float(y) > 60]
    return [unescape(text) for _, text in sorted(bars)]


def test_chart_and_text_hold_the_same_numbers() -> None:
    report = measured()
    for size in sorted({row["pages"] for row in report["rows"]}):
        chart = bench_chart(report, size)
        numbers = [text.split()[1] for text in drawn(chart.svg)]
        lines = chart.text.splitlines()[1:]
        assert len(lines) == len(STEPS)
        said = re.findall(r"(?:simulated|Linux|PyOS) ([\d.,]*\d)", "\n".join(lines))
        assert numbers == said
        assert report["kernel"] in chart.text
        assert report["date"] in chart.text


def test_longer_bars_are_larger_numbers() -> None:
    rows = [("a", {"one": 1.0, "two": 1000.0}), ("b", {"one": 30.0})]
    svg = bars_svg(rows, "title", "ns")
    widths = [float(w) for w in re.findall(r'x="200.0" y="[\d.]+" width="([\d.]+)"', svg)]
    assert widths[1] > widths[2] > widths[0]
    assert bars_text(rows, "title", "ns") == "title, ns:\na: one 1, two 1,000.\nb: one 30.\n"


@pytest.mark.parametrize("rows", [[], [("a", {"one": 0.0})], [("a", dict.fromkeys("1234", 1.0))]])
def test_what_cannot_be_drawn_is_refused(rows) -> None:
    with pytest.raises(ValueError, match="bars need 1 to 3 series of values > 0"):
        bars_svg(rows, "title", "ns")


def test_a_size_that_was_not_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="the report has 200, 16384, 262144 pages, got 5"):
        bench_chart(measured(), 5)


# Peers.

FAKE = """\
class _Memory:
    def __init__(self): self.pages = {}
    def write(self, virtual_address, data): self.pages[virtual_address] = data
    def read(self, virtual_address, size): return self.pages[virtual_address]
class _Process:
    pid = 1
    def __init__(self): self.virtual_memory = _Memory()
class Kernel:
    def __init__(self, total_frames): pass
    def boot(self): pass
    def create_process(self, name, num_pages):
        self.process = _Process()
        return self.process
    def fork_process(self, parent_pid):
        child = _Process()
        child.virtual_memory.pages = COPY(self.process.virtual_memory.pages)
        return child
COPY = dict
"""


def install(folder: Path, monkeypatch, code: str, needs: str = ">=3.8") -> None:
    """Put a package `py_os` and its metadata where Python finds them."""
    (folder / "py_os").mkdir()
    (folder / "py_os" / "__init__.py").write_text("")
    (folder / "py_os" / "kernel.py").write_text(code)
    info = folder / "pyos_learn-9.1.dist-info"
    info.mkdir()
    head = "Metadata-Version: 2.1\nName: pyos-learn\nVersion: 9.1\n"
    (info / "METADATA").write_text(f"{head}Requires-Python: {needs}\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_a_peer_that_is_installed_is_measured(tmp_path, monkeypatch) -> None:
    install(tmp_path, monkeypatch, FAKE)
    (peer,) = measure_peers([50], 1)
    assert peer["version"] == "pyos-learn 9.1"
    assert [row["name"] for row in peer["rows"]] == ["first_touch", "fork", "cow_copy"]
    assert all(row["ns_per_page"] > 0 for row in peer["rows"])
    assert told(peer)[0].endswith("with nothing comparable to " + ", ".join(peer["lacks"]))


def test_a_peer_is_never_needed_and_its_absence_is_told(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (peer,) = measure_peers([50], 1)
    assert peer["reason"] == "not installed (neither pyos-learn nor fromscratch-pyos)"
    (line,) = told(peer)
    assert line.startswith("PyOS: not measured: not installed")


@pytest.mark.parametrize(
    ("code", "needs", "reason"),
    [
        (FAKE, ">=9.4", r"pyos-learn 9\.1 needs Python 9\.4 or newer, this is 3\."),
        ("import nothing_like_this", ">=3.8", "does not run here: ModuleNotFoundError"),
        (FAKE.replace("COPY = dict", "COPY = lambda pages: pages"), ">=3.8", "no copy on write"),
    ],
)
def test_a_peer_that_does_not_run_is_told_by_name(
    tmp_path, monkeypatch, code, needs, reason
) -> None:
    install(tmp_path, monkeypatch, code, needs)
    (peer,) = measure_peers([50], 1)
    assert re.search(reason, peer["reason"])
    assert "rows" not in peer


def test_an_interpreter_that_is_none_is_told() -> None:
    (peer,) = measure_peers([50], 1, python="no-such-python")
    assert "it was given up" in peer["reason"]


def test_the_measuring_program_prints_one_object() -> None:
    done = subprocess.run(
        [sys.executable, "-P", peer_pyos.__file__, "1", "5"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout).keys() & {"rows", "reason"}

"""Grade a generated class on every engine and through many kills: `python benchmarks/grading.py`.

The class has right and wrong answers, templates, endless loops, crashes and forgeries, to the tiny
exercise of tests/grading/toy. A pool, two shards and a Dask cluster must give the same scores, and
each the score that its honest part earns. Then graders and workers are killed at random moments;
what is resumed must end with the scores of an undisturbed run. Before that: how long a box takes,
and how many right answers to three exercises of the course are graded in a second. As root it runs
itself as an ordinary user.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # measure the anonlab beside this file
sys.path.insert(1, str(Path(__file__).parents[1] / "tests" / "support"))
sys.path.insert(2, str(Path(__file__).parents[1] / "tests" / "grading"))

from attacks import ATTACKS, WRONG
from ordinary import as_ordinary_user, give
from project import ROOT
from toy_course import FILE, NUMBER, RIGHT, TOY, code_of

from anonlab.box.box import Box
from anonlab.box.endings import Clock
from anonlab.course.authoring.masters import read_master, read_masters
from anonlab.grading.store.store import read_result

CALL_SECONDS = 1.0
"""For one call: a class of the real course has 3; loops wait for it."""
FORGERIES = ("03", "04", "05", "06", "10", "11", "21", "22", "25", "29", "30", "33", "34")
"""Attacks by their number, of those that take no time."""
SHARES = {"right": 60, "wrong": 20, "template": 8, "loop": 2, "crash": 5, "forgery": 5}
"""Percent of a class."""
TEMPLATE = read_master(TOY / "solutions" / FILE).stub
SECRET = "the secret of the class"
REAL = ("01a", "04a", "05a")
DICE = random.SystemRandom()


def make_class(folder: Path, size: int, kinds: list[str]) -> dict[str, str]:
    """Write a class of `size`: roster, assignment, submissions; return each one's kind."""
    attacks = [name for name in ATTACKS if name[:2] in FORGERIES]
    drawn = random.Random(1)
    weights = [SHARES[kind] for kind in kinds]
    students = {f"s{at:05}": drawn.choices(kinds, weights)[0] for at in range(size)}
    (folder / "roster.csv").write_text("student_id\n" + "\n".join(students) + "\n", "utf-8")
    (folder / "hw.toml").write_text(
        f'name = "toy"\nexercises = ["{NUMBER}"]\n[grading]\ncall_seconds = {CALL_SECONDS}\n',
        "utf-8",
    )
    for student, kind in students.items():
        code = {
            "right": RIGHT,
            "wrong": WRONG,
            "template": TEMPLATE,
            "loop": f"{RIGHT}\nwhile True: pass\n",
            "crash": f"{RIGHT}\nimport os\nos._exit(0)\n",
            "forgery": code_of(drawn.choice(attacks), folder / "in"),
        }[kind]
        target = folder / "in" / student / FILE
        target.parent.mkdir(parents=True)
        mark = "" if kind == "template" else f"# of {student}\n"
        target.write_text(code + mark, "utf-8")
    return students


def grouped(folder: Path) -> Path:
    """Return a copy of the toy course whose tests share a box, file by file."""
    course = folder / "course"
    shutil.copytree(TOY, course)
    for path in (course / "tests").rglob("test_*.py"):
        text = path.read_text("utf-8").replace("\ndef test_", "\n@one_box\ndef test_")
        text = text.replace(
            "import Any\n", "import Any\n\nfrom anonlab.course.judging.marks import one_box\n"
        )
        path.write_text(text, "utf-8")
    return course


def command(folder: Path, out: Path, *more: str) -> list[str]:
    """Return the words of `anonlab grade` for the class in `folder`."""
    return [
        *(sys.executable, "-m", "anonlab", "grade", str(folder / "in"), "--json"),
        *("--roster", str(folder / "roster.csv"), "--assignment", str(folder / "hw.toml")),
        *("--course", str(TOY), "--out", str(out), *more),
    ]


def start(folder: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    """Start a grader."""
    return subprocess.Popen(
        command(folder, out, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "ANONLAB_SECRET": SECRET},
    )  # fmt: skip


def finished(grader: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what a grader prints at its end; RuntimeError if it has failed."""
    out, err = grader.communicate()
    if grader.returncode not in (0, 1):
        raise RuntimeError(f"a grader ended with status {grader.returncode}: {err}")
    found: dict[str, Any] = json.loads(out)
    return found


def timed(graders: Callable[[], list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the sum of what graders print, and seconds of wall time."""
    begun = time.monotonic()
    reports = graders()
    seconds = time.monotonic() - begun
    statuses: Counter[str] = Counter()
    for report in reports:
        statuses += Counter(report["statuses"])
    return {
        "seconds": round(seconds, 1),
        "per_second": round(sum(each["per_second"] for each in reports), 1),
        "statuses": dict(sorted(statuses.items())),
    }


Score = tuple[str, list[tuple[str, float | None]]]


def kept(out: Path) -> dict[str, Score]:
    """Return every result's status, and the points of its tests; FormatError if one is damaged.

    Not the words: how a forgery ends that races with its own judge is the scheduler's choice.
    """
    results = (read_result(path) for path in sorted((out / "store" / "toy").glob("*.json")))
    return {
        result.submission: (result.status, [(each.test, each.points) for each in result.tests])
        for result in results
    }


def dishonest(out: Path, kinds: dict[str, str]) -> list[str]:
    """Return a sentence for each submission that has another score than it has earned."""
    found = []
    for student, kind in kinds.items():
        result = read_result(out / "store" / "toy" / f"{student}.json")
        status = "unchanged" if kind == "template" else "graded"
        score = result.most if kind == "right" else 0.0
        hidden = sum(each.points or 0.0 for each in result.tests if each.hidden)
        reached = hidden if kind == "forgery" else result.score
        if (result.status, reached) != (status, score):
            found.append(f"{student}, {kind}: {result.status}, {result.score}")
    return found


SCHEDULER = """\
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                      host="127.0.0.1", local_directory=sys.argv[1]) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the address of a Dask cluster on this machine, and the process that has it."""
    script = folder / "cluster.py"
    script.write_text(SCHEDULER, "utf-8")
    with (
        (folder / "dask.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, str(script), str(folder / "scratch")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as process,
    ):  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process.pid
        process.stdin.close()


def engines(folder: Path, size: int) -> dict[str, Any]:
    """Grade one class on all engines; return figures, and whether all agree."""
    folder.mkdir()
    kinds = make_class(folder, size, list(SHARES))
    outs = {name: folder / name for name in ("pool", "shards", "dask")}
    figures = {"pool": timed(lambda: [finished(start(folder, outs["pool"]))])}

    def shards() -> list[dict[str, Any]]:
        parts = [start(folder, outs["shards"], "--shard", f"{at}/2", "--jobs", "1")
                 for at in (1, 2)]  # fmt: skip
        return [finished(part) for part in parts]

    figures["shards"] = timed(shards)
    finished(start(folder, outs["shards"]))
    with cluster(folder) as (address, _):
        options = ("--scheduler", address)
        figures["dask"] = timed(lambda: [finished(start(folder, outs["dask"], *options))])
    results = {name: kept(out) for name, out in outs.items()}
    return {
        "submissions": size,
        **figures,
        "same_scores": all(each == results["pool"] for each in results.values()),
        "all_there": all(list(each) == sorted(kinds) for each in results.values()),
        "dishonest": dishonest(outs["pool"], kinds),
    }


def plain(folder: Path, size: int) -> dict[str, Any]:
    """Grade right answers only, with a fresh box for each test and with one for each file of
    tests; return figures."""
    folder.mkdir()
    make_class(folder, size, ["right"])
    course = ("--course", str(grouped(folder)))
    return {
        "box_for_each_test": timed(lambda: [finished(start(folder, folder / "out"))]),
        "box_for_each_file": timed(lambda: [finished(start(folder, folder / "few", *course))]),
    }


def box(times: int) -> dict[str, Any]:
    """Start so many boxes, each for one answer; return milliseconds, of the quickest and the
    middle one."""
    code, taken = b"def f(x):\n    return 2 * x\n", []
    for _ in range(times):
        begun = time.perf_counter()
        with Box(code, Clock(3.0, 30.0)) as made:
            made.load(code, "code.py")
            assert made.ask("call", fn="f", args=[4]) == 8
        taken.append(1000 * (time.perf_counter() - begun))
    taken.sort()
    return {"boxes": times, "best_ms": round(taken[0], 2), "median_ms": round(taken[times // 2], 2)}


def real(folder: Path, size: int) -> dict[str, Any]:
    """Grade right answers to three exercises of the course."""
    masters = [each for each in read_masters(ROOT / "solutions") if each.number in REAL]
    students = [f"s{at:03}" for at in range(size)]
    for student in students:
        for master in masters:
            path = folder / "in" / student / f"{master.name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{master.solution}\n# of {student}\n", "utf-8")
    (folder / "roster.csv").write_text("student_id\n" + "\n".join(students) + "\n", "utf-8")
    (folder / "hw.toml").write_text(f'name = "real"\nexercises = {json.dumps(REAL)}\n', "utf-8")
    course = ("--course", str(ROOT))
    return {
        "submissions": size,
        **timed(lambda: [finished(start(folder, folder / "out", *course))]),
        "again": timed(lambda: [finished(start(folder, folder / "out", *course, "--force"))]),
    }


# -- kills ----------------------------------------------------------------------------------------


def below(pid: int) -> list[int]:
    """Return the children of a process."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(each) for each in path.read_text("ascii").split()]
    return found


def called(pid: int, name: str) -> bool:
    """Return whether `name` is in a process's command line."""
    with suppress(OSError):
        return name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def pool_workers(grader: int) -> list[int]:
    """Return the workers of a grader's pool."""
    return [worker for worker in below(grader) if called(worker, "spawn_main")]


def dask_workers(host: int) -> list[int]:
    """Return the workers of a Dask cluster."""
    return [worker for worker in below(host) if called(worker, "spawn_main")]


def after_some_work(out: Path, grader: subprocess.Popen[str]) -> None:
    """Wait until there is a result more, or the grader has ended; then for a random moment."""
    folder = out / "store" / "toy"
    before = len(list(folder.glob("*.json")))
    while grader.poll() is None and len(list(folder.glob("*.json"))) == before:
        time.sleep(0.01)
    time.sleep(DICE.uniform(0, 0.5))


def kill_graders(folder: Path, times: int) -> Path:
    """Kill a grader so many times, each time a new one; return where the results are."""
    out, turn, killed = folder / "graders", 0, 0
    while killed < times:
        grader = start(folder, out)
        after_some_work(out, grader)
        if grader.poll() is None:
            grader.kill()
            killed += 1
        else:
            turn += 1  # all is graded: on with a new store
            out = folder / f"graders{turn}"
        grader.communicate()
    return out


def kill_workers(folder: Path, times: int, on_dask: bool) -> Path:
    """Kill so many workers of a pool, or of a Dask cluster; return where the results are."""
    out, turn, killed = folder / "workers", 0, 0
    name = "dask" if on_dask else "workers"
    with cluster(folder) as (address, host):
        while killed < times:
            out = folder / f"{name}{turn}"
            more = ("--scheduler", address) if on_dask else ()
            grader = start(folder, out, *more)
            drain = threading.Thread(target=grader.communicate)
            drain.start()
            while killed < times and grader.poll() is None:
                after_some_work(out, grader)
                workers = dask_workers(host) if on_dask else pool_workers(grader.pid)
                if workers and grader.poll() is None:
                    with suppress(ProcessLookupError):
                        os.kill(DICE.choice(workers), signal.SIGKILL)
                        killed += 1
            drain.join()
            turn += 1
    return out


def kills(folder: Path, size: int, times: int) -> dict[str, Any]:
    """Grade a class undisturbed, and three times with kills; return what is lost or different."""
    folder.mkdir()
    kinds = make_class(folder, size, ["right", "wrong", "template", "crash", "forgery"])
    finished(start(folder, folder / "calm"))
    calm = kept(folder / "calm")
    shares = {"graders": times - 2 * (times // 3), "pool workers": times // 3,
              "dask workers": times // 3}  # fmt: skip
    outs = {
        "graders": kill_graders(folder, shares["graders"]),
        "pool workers": kill_workers(folder, shares["pool workers"], on_dask=False),
        "dask workers": kill_workers(folder, shares["dask workers"], on_dask=True),
    }
    found: dict[str, Any] = {"submissions": size, "killed": shares}
    for name, out in outs.items():
        report = finished(start(folder, out))
        results = kept(out)
        found[name] = {
            "resumed": report["resumed"],
            "lost": sorted(set(kinds) - set(results)),
            "different": sorted(each for each in results if results[each] != calm.get(each)),
            "left_behind": sorted(path.name for path in (out / "store" / "toy").glob(".*.json.*")),
        }
    return found


def well(report: dict[str, Any]) -> bool:
    """Return whether nothing in a report is wrong."""
    engines, kills = report.get("engines"), report.get("kills", {})
    phases = [each for each in kills.values() if isinstance(each, dict) and "lost" in each]
    bad = [each[name] for each in phases for name in ("lost", "different")]
    agree = engines is None or (
        engines["same_scores"] and engines["all_there"] and not engines["dishonest"]
    )
    return bool(agree) and not any(bad)


def main() -> None:
    """Measure and print; exit with 1 if a score differs or is lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--plain", type=int, default=300, help="right answers, for the throughput")
    parser.add_argument("--boxes", type=int, default=300)
    parser.add_argument("--real", type=int, default=200, help="right answers to three exercises")
    parser.add_argument("--class-of-kills", type=int, default=500)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not os.geteuid():
        words = as_ordinary_user(sys.executable, __file__, *sys.argv[1:])
        environment = {**os.environ, "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
        sys.exit(subprocess.run(words, env=environment, check=False).returncode)
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="anonlab-grading-") as name:
        folder = Path(name)
        give(folder)
        if options.boxes:
            report["box"] = box(options.boxes)
        if options.real:
            report["real"] = real(folder / "real", options.real)
        if options.plain:
            report["plain"] = plain(folder / "plain", options.plain)
        if options.submissions:
            report["engines"] = engines(folder / "engines", options.submissions)
        if options.kills:
            report["kills"] = kills(folder / "kills", options.class_of_kills, options.kills)
    print(json.dumps(report, indent=None if options.json else 1))
    sys.exit(0 if well(report) else 1)


if __name__ == "__main__":
    main()

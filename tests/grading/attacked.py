"""A program: grade a class of six honest students and some attackers, with the real command, and
tell what came of it as JSON. Run by test_attacks.py as an ordinary user, under filters or not;
`python attacked.py FOLDER ATTACK…`, where FOLDER is for everything that is written."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ordinary import environment
from toy_course import ALL, FILE, NUMBER, RIGHT, SECRET, TOY, code_of

OTHERS = ("anonlab-", "sem.mp-")
"""Names of what other graders and pools on this machine have for a while."""
PR_SET_CHILD_SUBREAPER = 36
HONEST = 6
CALL_SECONDS, BOX_SECONDS = 1.5, 10


def hand_in(folder: Path, attacks: list[str], port: int) -> dict[str, str]:
    """Write the class; return the attack of each attacker by student."""
    kinds = {f"h{at}": "" for at in range(HONEST)} | {
        f"a{name.split()[0]}{at}": name for at, name in enumerate(attacks)
    }
    for student, name in kinds.items():
        path = folder / student / FILE
        path.parent.mkdir(parents=True)
        path.write_text(code_of(name, folder, port) if name else f"{RIGHT}\n# {student}\n")
        for other, text in (ALL[name].files if name else {}).items():
            (path.parent / other).write_text(text)
    return kinds


def grade_all(folder: Path, name: str, students: list[str]) -> tuple[int, float, str]:
    """Run the command; return its exit status, seconds, and what it said."""
    roster, task = folder / f"{name}.csv", folder / "hw.toml"
    roster.write_text("student_id,name\n" + "".join(f"{each},{each}\n" for each in students))
    task.write_text(
        f'name = "toy"\nexercises = ["{NUMBER}"]\n[points]\n{NUMBER} = 10\n'
        f'[grading]\nsecret_env = "GRADERS_SECRET"\n'
        f"call_seconds = {CALL_SECONDS}\nbox_seconds = {BOX_SECONDS}\n"
    )
    begun = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "anonlab", "grade", str(folder / "in"), "--json"),
            *("--roster", str(roster), "--assignment", str(task), "--course", str(TOY)),
            *("--out", str(folder / name)),
        ],
        capture_output=True, text=True, check=False,
        env=environment({
            "GRADERS_SECRET": SECRET, "GRADERS_PASSWORD": "CANARY-OF-THE-ENVIRONMENT",
        }),
    )  # fmt: skip
    return done.returncode, time.monotonic() - begun, done.stdout + done.stderr


def left_over() -> list[str]:
    """What is on the machine and could be of a box: orphans, which come to this process, SysV
    objects, keys, files of this user in folders for everybody."""
    found = []
    for pid in Path("/proc/thread-self/children").read_text().split():
        with suppress(OSError):
            line = Path("/proc", pid, "stat").read_text()
            if line.rpartition(")")[2].split()[0] not in "ZX":
                found.append(f"process {line}")
    for kind in ("shm", "msg", "sem"):
        path = Path("/proc/sysvipc", kind)
        lines = path.read_text().splitlines()[1:] if path.exists() else []
        found += [f"{kind} {line.split()[1]}" for line in lines]
    keys = Path("/proc/keys")
    found += [line for line in keys.read_text().splitlines() if ": note" in line] \
        if keys.exists() else []  # fmt: skip
    for folder in {"/tmp", "/dev/shm", "/var/tmp", tempfile.gettempdir()}:
        for name in os.listdir(folder):  # noqa: PTH208
            with suppress(OSError):
                mine = os.lstat(f"{folder}/{name}").st_uid == os.getuid()
                if mine and not name.startswith(OTHERS):
                    found.append(f"{folder}/{name}")
    return sorted(found)


def told_of(out: Path, student: str) -> dict[str, Any]:
    """What the store and the student's page say of one student."""
    result = json.loads((out / "store" / "toy" / f"{student}.json").read_text())
    tests = result["tests"]
    pages = [path.read_text() for path in sorted((out / "students").glob(f"{student}.html"))]
    return {
        "status": result["status"],
        "tests": [[t["test"], t["hidden"], t["status"], t["points"]] for t in tests],
        "visible": "\n".join(
            [result["reason"], *result["notes"], *result["ignored"]]
            + [text for t in tests for text in (t["title"], t["hint"], *t["shown"].values())]
        ),
        "pages": "\n".join(pages),
        "printed": "".join(t["private"].get("printed", "") for t in tests)
        + "".join(t["shown"].get("printed", "") for t in tests),
        "private": json.dumps([t["private"] for t in tests]),
        "hidden_shown": [t["shown"] for t in tests if t["hidden"]],
        "seconds": result["timing"]["seconds"],
    }


def main(folder: Path, attacks: list[str]) -> None:
    """Grade the honest alone, then all; print."""
    assert not ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = left_over()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    port = listener.getsockname()[1]
    hand_in(folder / "in", [], port)
    honest = [f"h{at}" for at in range(HONEST)]
    quiet = grade_all(folder, "quiet", honest)
    for student in honest:
        (folder / "in" / student / FILE).unlink()
        (folder / "in" / student).rmdir()
    kinds = hand_in(folder / "in", attacks, port)
    handed_in = sorted(str(path) for path in (folder / "in").rglob("*"))
    status, seconds, said = grade_all(folder, "out", list(kinds))
    for _ in range(100):  # a moment for those whose judge has just ended
        if not (left := sorted(set(left_over()) - set(before))):
            break
        time.sleep(0.1)
    try:
        listener.accept()
        called = True
    except BlockingIOError:
        called = False
    sys.stdout.write(json.dumps({
        "quiet": quiet[:2], "status": status, "seconds": seconds, "said": said, "called": called,
        "students": {each: [kind, told_of(folder / "out", each)] for each, kind in kinds.items()},
        "left": left,
        "files": handed_in == sorted(str(path) for path in (folder / "in").rglob("*")),
        "published": sorted(path.name for path in (folder / "out" / "instructor").iterdir()),
    }))  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

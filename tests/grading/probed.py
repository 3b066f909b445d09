"""A program: ask for a box under many a bwrap, and tell what was said as JSON. Run by test_probe.py
as an ordinary user; `python probed.py FOLDER`."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from toy_course import TOY

from anonlab.box import probe

REAL = str(shutil.which("bwrap"))
START = f"""#!{sys.executable} -I
import os, sys, time
words = sys.argv[1:]
if words == ["--version"]:
    print("bubblewrap 0.8.0")
    sys.exit()
def drop(*names, after=0):
    for name in names:
        while name in words:
            at = words.index(name)
            del words[at : at + 1 + after]
def real():
    os.execv({REAL!r}, ["bwrap", *words])
"""
FAKES = {
    "works": "real()",
    "fails": "print('bwrap: no', file=sys.stderr)\nsys.exit(1)",
    "says nothing": "sys.exit(0)",
    "says something else": "print('ok')",
    "hangs": "time.sleep(20)",
    "apparmor": "print('bwrap: setting up uid map: Permission denied', "
    "file=sys.stderr)\nsys.exit(1)",
    "no namespaces": "print('bwrap: Creating new namespace failed: No space left on device', "
    "file=sys.stderr)\nsys.exit(1)",
    "runs it on the machine": """
places = {words[at + 2]: words[at + 1] for at, word in enumerate(words) if word == "--ro-bind"}
command = words[words.index("--") + 1 :]
os.execv(command[0], [places.get(word, word) for word in command])
""",
    "lets the network in": "words.insert(1, '--share-net')\nreal()",
    "keeps the processes in sight": """
words[words.index("--unshare-all")] = "--unshare-net"
words.insert(0, "--unshare-uts")
at = words.index("--proc")
words[at : at + 2] = ["--ro-bind", "/proc", "/proc"]
real()
""",
    "leaves the root open": """
at = [at for at, word in enumerate(words) if words[at : at + 2] == ["--remount-ro", "/"]][0]
del words[at : at + 2]
real()
""",
    "has no sizes": "drop('--size', after=1)\nreal()",
    "has no limits": """
at = words.index("prlimit")
del words[at : words.index("--") + 1]
real()
""",
    "lets the environment in": "os.environ['SECRET'] = 'x'\ndrop('--clearenv')\nreal()",
    "lets user namespaces in": "drop('--disable-userns')\nreal()",
    "shows the course": f"""
at = [at for at, word in enumerate(words) if words[at : at + 2] == ["--remount-ro", "/"]][0]
words[at:at] = ["--ro-bind", {str(TOY)!r}, {str(TOY)!r}]
real()
""",
    "has no NumPy": """
last = words[-1].split(":")
words[-1] = last[-1]
real()
""",
}


def asked(path: str) -> list[str]:
    """What is said when bwrap is looked for in `path`."""
    os.environ["PATH"] = path
    try:
        probe.check_box(TOY)
    except probe.Refused as refused:
        return [refused.reason, refused.remedy]
    return []


def main(folder: Path) -> None:
    """Ask under each fake."""
    path, told = os.environ["PATH"], {}
    probe.SECONDS = 10
    for name, body in FAKES.items():
        place = folder / name.replace(" ", "-")
        place.mkdir()
        fake = place / "bwrap"
        fake.write_text(START + body + "\n")
        fake.chmod(0o755)
        probe.SECONDS = 2 if name == "hangs" else 20
        told[name] = asked(f"{place}:{path}")
    told["is not there"] = asked(str(folder))
    (folder / "bwrap").write_text("#!/bin/sh\necho bubblewrap 0.7.0\n")
    (folder / "bwrap").chmod(0o755)
    told["is old"] = asked(f"{folder}:{path}")
    told["the real one"] = asked(path)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

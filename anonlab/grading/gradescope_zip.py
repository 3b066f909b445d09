"""The zip that a Gradescope autograder is made of: anonlab, the course with its hidden tests, one
assignment. It is for the instructor only. The same course gives the same bytes.

setup.sh          run once by Gradescope, as root: programs, a user who is not root, anonlab
run_autograder    run for each submission: hands over to that user
anonlab/ …        the package, installed from here
course/           masters and tests, public and hidden, of the assignment's exercises
assignment.toml   what counts for how much
secret            from which hidden inputs are made; 0600
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import anonlab.version
from anonlab.course.authoring.exercises import generated
from anonlab.course.authoring.masters import Master, read_masters
from anonlab.course.authoring.release import read_assignment
from anonlab.course.authoring.selfcheck import tests_of
from anonlab.course.authoring.variants import check_secret

SETUP = """#!/usr/bin/env bash
# Makes the machine that grades: Python, a user of its own, anonlab. It fails if no box stands:
# better the build than every submission.
set -euo pipefail
apt-get update
export DEBIAN_FRONTEND=noninteractive
apt-get install --yes --no-install-recommends libseccomp2 util-linux python3 python3-venv tzdata
new_enough='import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'
python=
for each in python3.14 python3.13 python3.12 python3.11 python3; do
    if "$each" -c "$new_enough" > /dev/null 2>&1; then python=$each; break; fi
done
if [ -z "$python" ]; then
    echo "anonlab needs Python 3.11 or newer; this image has $(python3 --version 2>&1)." >&2
    echo "Choose Ubuntu 24.04 as the base image of this autograder, and build it again." >&2
    exit 1
fi
"$python" -m venv /opt/anonlab
/opt/anonlab/bin/pip install --no-cache-dir '/autograder/source[grade]'
id grader > /dev/null 2>&1 || useradd --create-home grader
chown -R grader /autograder/source/course /autograder/source/secret
chmod -R go-rwx /autograder/source/course /autograder/source/secret
runuser -u grader -- /opt/anonlab/bin/anonlab grade --check --course /autograder/source/course
"""
RUN = """#!/usr/bin/env bash
# Grades one submission. Student code runs in a box only; where none works there is no score.
mkdir -p /autograder/results
chown -R grader /autograder/results /autograder/submission
exec runuser -u grader -- /opt/anonlab/bin/anonlab grade --gradescope /autograder
"""
_WHEN = (2004, 3, 13, 0, 0, 0)
"""The time of every file in the zip: a time of today would change its bytes."""
_CODE, _PROGRAM, _SECRET = 0o644, 0o755, 0o600


def gradescope_zip(course: Path, assignment: Path, secret: str) -> bytes:
    """Return the zip for one assignment of the course in the folder `course`.

    raises  ValueError without a secret or for a wrong assignment, OSError if a file is missing
    """
    if not secret:
        raise ValueError("hidden inputs are made from a secret: set ANONLAB_SECRET")
    check_secret(secret, "ANONLAB_SECRET")
    masters = read_masters(course / "solutions")
    chosen = read_assignment(assignment, masters)
    wanted = tuple(master for master in masters if master.number in chosen.numbers)
    files = {
        "setup.sh": (SETUP.encode(), _PROGRAM),
        "run_autograder": (RUN.encode(), _PROGRAM),
        "assignment.toml": (assignment.read_bytes(), _CODE),
        "secret": (f"{secret}\n".encode(), _SECRET),
        **_course(course, wanted),
        **_package(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (data, mode) in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # modes are those of Unix, wherever it is made
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, data)
    return out.getvalue()


def write_gradescope_zip(course: Path, assignment: Path, secret: str, target: Path) -> Path:
    """Write the zip to the new file `target`, for its owner only, and return it.

    raises  ValueError if there is such a file, and what gradescope_zip raises
    """
    if target.exists():
        raise ValueError(f"{target} exists: name a new file, such as autograder.zip")
    data = gradescope_zip(course, assignment, secret)
    target.touch(mode=0o600)
    target.write_bytes(data)
    return target


def _course(course: Path, masters: tuple[Master, ...]) -> dict[str, tuple[bytes, int]]:
    """Return masters, tests and generated files of these exercises, by name in the zip."""
    paths = [course / "solutions" / f"{master.name}.py" for master in masters]
    paths += [tests_of(course, master, kind) for master in masters for kind in ("public", "hidden")]
    found = {f"course/{path.relative_to(course).as_posix()}": (path.read_bytes(), _CODE)
             for path in paths}  # fmt: skip
    made = generated(masters)
    return found | {f"course/exercises/{name}": (text.encode(), _CODE)
                    for name, text in made.items()}  # fmt: skip


def _package() -> dict[str, tuple[bytes, int]]:
    """Return the package and what is needed to install it."""
    package = Path(anonlab.version.__file__).parent
    root = package.parent
    files = [path for path in sorted(package.rglob("*"))
             if path.is_file() and "__pycache__" not in path.parts]  # fmt: skip
    files += [root / name for name in ("pyproject.toml", "README.md", "LICENSE")]
    if missing := [path for path in files if not path.is_file()]:
        raise FileNotFoundError(
            f"{missing[0]} is missing: make the zip in a checkout of anonlab, where its "
            "pyproject.toml is"
        )
    return {path.relative_to(root).as_posix(): (path.read_bytes(), _CODE) for path in files}

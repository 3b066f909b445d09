"""What a student's folder has beside the course itself: pytest's configuration, and what an
instructor's release adds to it: README, requirements, a workflow that gives points on GitHub."""

from __future__ import annotations

from anonlab.course.authoring.exercises import Exercise
from anonlab.version import __version__

PYTEST_INI = """# `pytest` runs the public checks of all exercises, `pytest -k 04a` those of one.
[pytest]
testpaths = exercises
norecursedirs = tests .* build dist node_modules venv
addopts = -rfEs
cache_dir = .anonlab/pytest_cache
"""
TESTS_CONFTEST = '''"""For who names a file in public/; `pytest` alone runs exercises/."""

from anonlab.course.judging.pytest_hooks import seed, student  # noqa: F401
'''
CONFIGURATION = {"pytest.ini": PYTEST_INI, "tests/exercises/conftest.py": TESTS_CONFTEST}
"""What plain pytest needs, by the file's name."""
GITIGNORE = "__pycache__/\n.ipynb_checkpoints/\n.anonlab/\n.venv/\n*.zip\nchecks.xml\n"
WHEELS = "wheels"
"""The folder of a release that holds anonlab, if the instructor gives it."""
WORKFLOW = ".github/workflows/classroom.yml"

_README = """# {name}

{due}Each exercise is a file in `exercises/`: it says what is asked, and where your code goes. Work
in it with any editor, or in the notebooks in `notebooks/`, whose cells write the same files.

| exercise | file | minutes | points | of them public |
|---|---|---|---|---|
{rows}

Public checks are what you run. Hidden checks run at grading, with other inputs, on what the
exercise says. {hints}

## Begin

You need Python 3.11 or newer. In this folder:

    python -m venv .venv
    .venv/bin/python -m pip install -r requirements.txt

On Windows it is `.venv\\Scripts\\python` instead of `.venv/bin/python`. {wheel}

## Check

    .venv/bin/python -m pytest                  # everything
    .venv/bin/python -m pytest -k {number}           # one exercise; also: exercises/{file}
    .venv/bin/python -m pytest --lf -x          # what failed last time, up to the first failure
    .venv/bin/python -m pytest -n auto          # on all processors

A line that begins with FAILED names a check, such as `exercises/{file}::{test}`: put it
after `pytest`, and that check alone runs. A call of your function ends after ten seconds, a test
after a minute; `--exercise-seconds 5` makes both shorter. What your code prints is shown for the
call that is wrong. `.venv/bin/anonlab check {number}` runs the same checks and keeps the result for
the notebooks.

| it says | what to do |
|---|---|
| Not written yet, line 26 | your code goes there, in place of the line with `raise` |
| SKIPPED, needs “…” | another check must pass first |
| is missing; was it renamed? | give the file its name back, or `anonlab reset {number}` |
| Did you …? | a known mistake has the same answers as your code |

## Hand in

`.venv/bin/anonlab export --student ID` puts exercises and log into one archive; ID is your id. Hand
in that file, or what your instructor asks for.
"""

_WORKFLOW = """# Points for public checks, in the form of GitHub Classroom.
# Hidden checks are not here: the instructor runs them with `anonlab grade`.
name: Autograding Tests
on: [push, workflow_dispatch, repository_dispatch]
permissions:
  checks: write
  actions: read
  contents: read
jobs:
  run-autograding-tests:
    runs-on: ubuntu-latest
    if: github.actor != 'github-classroom[bot]'
    steps:
    - name: Checkout code
      uses: actions/checkout@v4
    - name: Python
      uses: actions/setup-python@v5
      with:
        python-version: '3.12'
    - name: Install
      run: python -m pip install -r requirements.txt
    - name: All public checks
      run: python -m pytest --junitxml=checks.xml
      continue-on-error: true
{steps}
    - name: Autograding Reporter
      uses: classroom-resources/autograding-grading-reporter@v1
      env:
{results}
      with:
        runners: {runners}
"""
_STEP = """    - name: {title}
      id: {id}
      uses: classroom-resources/autograding-command-grader@v1
      with:
        test-name: {title}
        command: python -m pytest exercises/{file}.py::{test}
        timeout: 3
        max-score: {points}"""


def instructors_files(
    name: str, due: str, points: dict[str, int], given: tuple[Exercise, ...], wheel: str = ""
) -> dict[str, str]:
    """Return what a release has beside the course, by the file's name.

    points   what each exercise counts for, hidden checks included
    wheel    the file in the folder WHEELS that holds anonlab, '' if students get it elsewhere
    """
    return {
        "README.md": _readme(name, due, points, given, wheel),
        "requirements.txt": _requirements(wheel),
        ".gitignore": GITIGNORE,
        WORKFLOW: workflow(points, given),
    }


def public_points(exercise: Exercise, counts: int) -> dict[str, int]:
    """Return the points of each public test if the exercise counts for `counts`: whole numbers,
    whose sum is right."""
    done, shares = 0, {}
    for name, most in exercise.public.items():
        before, done = done, done + most
        shares[name] = _share(counts, done, exercise.points) - _share(
            counts, before, exercise.points
        )
    return shares


def _share(counts: int, part: int, whole: int) -> int:
    return (2 * counts * part + whole) // (2 * whole)


def _readme(
    name: str, due: str, points: dict[str, int], given: tuple[Exercise, ...], wheel: str
) -> str:
    rows = [
        f"| {each.number} · {each.title} | `{each.name}.py` | {each.minutes} | "
        f"{points[each.number]} | {sum(public_points(each, points[each.number]).values())} |"
        for each in given
    ]
    first = given[0]
    return _README.format(
        name=name,
        due=f"Due: {due}.\n\n" if due else "",
        rows="\n".join(rows),
        hints=f'In a notebook, `hint("{first.number}")` opens a hint.'
        if any(each.hints for each in given)
        else "There are no hints in this assignment.",
        wheel="anonlab itself is in `wheels/`."
        if wheel
        else "If pip does not find anonlab, ask your instructor for the file\n`anonlab-….whl` and"
        " install that first.",
        number=first.number,
        file=f"{first.name}.py",
        test=next(iter(first.public)),
    )


def _requirements(wheel: str) -> str:
    place = f"--find-links {WHEELS}\n" if wheel else ""
    return (
        f"{place}anonlab=={__version__}\n# pytest comes with anonlab; this is for pytest -n auto.\n"
        "pytest-xdist>=3.6.1,<4\n"
    )


def workflow(points: dict[str, int], given: tuple[Exercise, ...]) -> str:
    """Return the workflow: a step, and points, for each public test."""
    steps, ids = [], []
    for each in given:
        for test, most in public_points(each, points[each.number]).items():
            ids.append(f"ex{each.number}_{test}")
            title = f"{each.number} {test.removeprefix('test_')}"
            steps.append(
                _STEP.format(id=ids[-1], title=title, file=each.name, test=test, points=most)
            )
    results = [
        f'        {name.upper()}_RESULTS: "${{{{steps.{name}.outputs.result}}}}"' for name in ids
    ]
    return _WORKFLOW.format(
        steps="\n".join(steps), results="\n".join(results), runners=",".join(ids)
    )

"""The verb `anonlab grade`: a class graded safely, or the question whether this machine can.

Exit status: 0 all is graded, 1 something was rejected or had trouble of the grader, 2 the input
cannot be used, 3 there is no box.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from anonlab.cli.terminal import FOUND, JSON_OPTION, facts, print_json, progress, show, stages

NO_BOX = 3
CHANGES_SHOWN = 30
_PATH = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def _shard(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Return (i, n) of i/n: the i-th of n shards; 0/n and n/n are the same one."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", value)
    if not match or not 0 <= int(match[1]) <= int(match[2]) or int(match[2]) < 1:
        raise click.BadParameter(f"{value!r} is no shard such as 1/4")
    return int(match[1]), int(match[2])


def _pattern(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> re.Pattern[str] | None:
    """Turn a regular expression with the group `student` into a pattern; None stays None."""
    if value is None:
        return None
    try:
        made = re.compile(value)
    except re.error as error:
        raise click.BadParameter(f"{value!r} is no regular expression: {error}") from None
    if "student" not in made.groupindex:
        raise click.BadParameter(f"{value!r} has no group (?P<student>…)")
    return made


@click.command()
@click.argument("folder", type=_PATH, required=False)
@click.option("--roster", type=_FILE, help="CSV: who is in the class.")
@click.option("--assignment", type=_FILE, help="TOML: what was handed out; else all exercises.")
@click.option("--out", type=_PATH, help="Folder for results and reports.")
@click.option("--course", type=_PATH, default=".", help="Folder of the course, with hidden tests.")
@click.option("--received", type=_FILE, help="CSV: when they came; a system's will do.")
@click.option("--extensions", type=_FILE, help="CSV: student_id,due,reason.")
@click.option("--adjustments", type=_FILE, help="CSV: student_id,points,reason,author.")
@click.option("--groups", type=_FILE, help="CSV: group,student_id; partners share a grade.")
@click.option(
    "--names",
    callback=_pattern,
    metavar="REGEX",
    help="Whose a name is: a pattern with (?P<student>…) for the id.",
)
@click.option("--lms", type=_FILE, multiple=True, help="CSV from Canvas or Moodle, to be filled.")
@click.option(
    "--give-back",
    type=click.Choice(["moodle", "canvas", "folder"]),
    help="Pack feedback as that system takes it back.",
)
@click.option("--jobs", type=click.IntRange(0), default=0, help="Processes; 0: one per processor.")
@click.option(
    "--shard", metavar="i/n", callback=_shard, help="Grade the i-th of n parts; reports come later."
)
@click.option("--scheduler", default="", help="Address of a Dask scheduler to grade on.")
@click.option(
    "--minutes", type=click.FloatRange(0, min_open=True), help="Time for all; then it stops."
)
@click.option("--force", is_flag=True, help="Grade again what is graded.")
@click.option("--unsafe-in-process", "in_process", is_flag=True, help="No box: practice only.")
@click.option("--official", is_flag=True, help="Refuse to do what is not official.")
@click.option("--check", is_flag=True, help="Only say whether this machine can grade.")
@click.option("--selftest", is_flag=True, help="Only grade what is known: solutions, templates, …")
@click.option(
    "--gradescope", is_flag=True, help="FOLDER is a Gradescope autograder's: /autograder."
)
@JSON_OPTION
@click.pass_context
def grade(
    ctx: click.Context,
    /,
    check: bool,
    selftest: bool,
    gradescope: bool,
    official: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Grade the submissions in FOLDER: one folder, zip, notebook or file for each student."""
    from anonlab.box.probe import Refused

    try:
        if official and given["in_process"]:
            raise Refused(
                "with --unsafe-in-process student code runs beside the tests: never official",
                "leave it out, or leave out --official",
            )
        if check:
            _check(given["course"], as_json)
        elif selftest:
            _selftest(ctx, given, as_json)
        elif gradescope:
            _gradescope(ctx, given["folder"])
        else:
            _grade(ctx, given, as_json)
    except Refused as refused:
        click.echo(f"anonlab: {refused.reason}\nanonlab: {refused.remedy}", err=True)
        if check and as_json:
            why = {"reason": refused.reason, "remedy": refused.remedy}
            print_json({"official": False, **why})
        ctx.exit(NO_BOX)
    except ModuleNotFoundError as error:
        if error.name != "pytest":
            raise
        raise ValueError("grading needs pytest: pip install 'anonlab[grade]'") from error


def _check(course: Path, as_json: bool) -> None:
    from anonlab.box.probe import check_box

    facts = check_box(course)
    if as_json:
        print_json(facts.to_json())
        return
    for kind, names in (("refused", facts.refused), ("allowed", facts.allowed)):
        click.echo(f"{kind}: {', '.join(names)}")
    click.echo(f"Landlock: {'yes' if facts.landlock else 'no; calls that open files are refused'}")
    click.echo("the box works: official grading can begin")


def _selftest(ctx: click.Context, given: dict[str, Any], as_json: bool) -> None:
    from anonlab.box.probe import check_box
    from anonlab.course.authoring.masters import read_masters
    from anonlab.course.authoring.release import read_assignment
    from anonlab.grading.judging.selftest import selftest

    course, points = given["course"].resolve(), None
    if given["assignment"] is not None:
        masters = read_masters(course / "solutions")
        points = read_assignment(given["assignment"], masters).points
    if not given["in_process"]:
        check_box(course)
    with progress("selftest") as ticker:
        plain = selftest(course, points, not given["in_process"], ticker)
    print_json(plain) if as_json else show(facts(plain))
    for sentence in plain["problems"]:
        click.echo(f"anonlab: {sentence}", err=True)
    if plain["problems"]:
        ctx.exit(FOUND)


def _gradescope(ctx: click.Context, root: Path | None) -> None:
    from anonlab.grading.gradescope_run import ROOT, run_gradescope

    trouble = run_gradescope(root or ROOT)
    if trouble:
        click.echo(f"anonlab: no score: {trouble}", err=True)
        ctx.exit(NO_BOX)


def _grade(ctx: click.Context, given: dict[str, Any], as_json: bool) -> None:
    from anonlab.box.probe import check_box
    from anonlab.grading.config import GradingOptions
    from anonlab.grading.judging.grade_submission import grade_one
    from anonlab.grading.run import grade_class

    for name in ("folder", "roster", "out"):
        if given[name] is None:
            told = "FOLDER" if name == "folder" else f"--{name}"
            raise click.UsageError(f"{told} is missing: anonlab grade FOLDER --roster R --out OUT")
    options = GradingOptions(**given)
    private = (options.folder.resolve(), options.out.resolve())
    box = partial(check_box, options.course.resolve(), private)
    with stages() as ticker:
        graded = grade_class(options, grade_one, box, ticker, _tell)
    plain = graded.to_json()
    print_json(plain) if as_json else show(facts(plain))
    if options.in_process:
        click.echo("anonlab: unofficial: student code ran beside the tests", err=True)
    for sentence in [*graded.broken, *graded.notes]:
        click.echo(f"anonlab: {sentence}", err=True)
    if not graded.ok:
        ctx.exit(FOUND)


def _tell(changes: list[Any]) -> None:
    """Show what a regrade changes, before it does."""
    from rich.console import Console

    table = Table("submission", "test", "old", "new", title="regrade: old and new")
    for each in changes[:CHANGES_SHOWN]:
        table.add_row(each.submission, each.test, each.old, each.new)
    if len(changes) > CHANGES_SHOWN:
        table.add_row(f"and {len(changes) - CHANGES_SHOWN} more", "", "", "")
    Console(stderr=True, highlight=False, markup=False).print(table)

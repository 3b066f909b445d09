"""The verbs of the course: `anonlab course …` for who prepares it, `anonlab check` for learners."""

from __future__ import annotations

from pathlib import Path

import click

from anonlab.cli.teaching import course_bank, course_slides
from anonlab.cli.terminal import FOUND, JSON_OPTION, facts, print_json, progress, show


@click.group()
def course() -> None:
    """Prepare the course."""


course.add_command(course_bank)
course.add_command(course_slides)


@course.command("build")
@click.option("--check", is_flag=True, help="Change nothing; report what is not up to date.")
@click.argument("folder", type=click.Path(path_type=Path), default="notebooks")
@click.pass_context
def course_build(ctx: click.Context, check: bool, folder: Path) -> None:
    """Build exercises/ from solutions/, and the notebooks in FOLDER from FOLDER/source."""
    from anonlab.course.authoring.build import build_course, course_drift

    if not check:
        for path in build_course(folder):
            click.echo(path)
        return
    found = course_drift(folder)
    for sentence in found:
        click.echo(sentence, err=True)
    if found:
        click.echo("anonlab: run `anonlab course build`", err=True)
        ctx.exit(FOUND)


@course.command("check")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option(
    "--prose",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Show the longest sentences of one file, and nothing else.",
)
@JSON_OPTION
@click.pass_context
def course_check(ctx: click.Context, folder: Path, prose: Path | None, as_json: bool) -> None:
    """Prove that the course in FOLDER is whole: exercises, hints, wrong answers, notebooks."""
    if prose is not None:
        from anonlab.course.authoring.course_prose import prose_report

        report = prose_report(prose)
        print_json(report) if as_json else click.echo("\n".join(report["lines"]))
        if report["problems"]:
            ctx.exit(FOUND)
        return
    from anonlab.course.authoring.selfcheck import check_course

    with progress("course check") as ticker:
        plain = check_course(folder, ticker).to_json()
    print_json(plain) if as_json else show(facts(plain))
    for sentence in plain["problems"]:
        click.echo(sentence, err=True)
    if plain["problems"]:
        ctx.exit(FOUND)


@course.command("variant")
@click.option("--student", required=True, help="The student's id, as the roster has it.")
@click.option("--secret", envvar="ANONLAB_SECRET", default="", help="The course's secret.")
@click.option("--write", is_flag=True, help="Write exercises/variant.json, for hand-out.")
def course_variant(student: str, secret: str, write: bool) -> None:
    """Print the variant of one student: seeds and first families, always the same."""
    from anonlab.course.authoring.exercises import find_course
    from anonlab.course.authoring.variants import variant, write_variant

    if write:
        click.echo(write_variant(find_course(), secret, student))
    else:
        print_json(variant(find_course(), secret, student))


@course.command("release")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder.")
@click.option("--assignment", type=click.Path(path_type=Path), required=True, help="A TOML file.")
@click.option(
    "--gradescope", is_flag=True, help="Write to the file OUT what Gradescope grades with."
)
@click.option("--secret", envvar="ANONLAB_SECRET", default="", help="The course's secret.")
@click.option(
    "--wheel", type=click.Path(path_type=Path), help="anonlab as a file, to put it in the folder."
)
@click.option("--roster", type=click.Path(path_type=Path), help="CSV: a zip for each student.")
@click.option("--variants", is_flag=True, help="With --roster: to each a variant of their own.")
@click.option("--zip", "as_zip", is_flag=True, help="One zip for all, in OUT.")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
def course_release(
    out: Path,
    assignment: Path,
    gradescope: bool,
    secret: str,
    wheel: Path | None,
    roster: Path | None,
    variants: bool,
    as_zip: bool,
    folder: Path,
) -> None:
    """Write what students get of the course in FOLDER: no hidden tests, no solutions.

    With --roster write one zip for each student, with --zip one for all. With --gradescope, write a
    zip for the instructor instead: it holds the hidden tests.
    """
    if gradescope:
        from anonlab.grading.gradescope_zip import write_gradescope_zip

        click.echo(write_gradescope_zip(folder, assignment, secret, out))
        return
    if roster is not None or variants or as_zip:
        from anonlab.grading.student_zips import write_student_zips

        with progress("release") as ticker:
            made = write_student_zips(
                folder, assignment, out, roster, variants, secret, wheel, ticker
            )
        click.echo("\n".join(map(str, made.files)))
        for sentence in made.notes:
            click.echo(f"anonlab: {sentence}", err=True)
        return
    from anonlab.course.authoring.release import write_release

    for path in write_release(folder, assignment, out, wheel):
        click.echo(path)


@course.command("drill")
@click.argument("drills", nargs=-1, required=True, metavar="DRILL...")
@click.option("--pages", type=click.Path(path_type=Path), help="Write a page to print, HTML.")
@click.option("--number", default=5, show_default=True, help="Questions of each drill.")
@click.option("--level", type=click.IntRange(0, 4), help="0 to 4; else they grow harder.")
@click.option("--seed", default=0, show_default=True, help="Other numbers.")
@click.option("--answers/--no-answers", default=True, help="Answers after the questions.")
def course_drill(
    drills: tuple[str, ...],
    pages: Path | None,
    number: int,
    level: int | None,
    seed: int,
    answers: bool,
) -> None:
    """Make questions of each DRILL, 01 to 10, with their answers: as text, or as pages to print."""
    from anonlab.course.drills.paper import homework, paper, paper_text

    names = [name.rjust(2, "0") for name in drills]
    items = homework(names, number, seed, level)
    if pages is None:
        text = paper_text(items)
        click.echo(text if answers else text.partition("\n\nAnswers\n")[0])
        return
    title = f"anonlab: questions on {', '.join(names)}"
    pages.write_text(paper(title, items, True, answers), "utf-8", newline="\n")
    click.echo(pages)


@course.command("exam")
@click.argument("exam", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder.")
def course_exam(exam: Path, out: Path) -> None:
    """Write every variant of EXAM, a TOML file, as a page to print, with its key."""
    from anonlab.course.drills.paper import write_exam

    for path in write_exam(exam, out):
        click.echo(path)


@course.command("export")
@click.option("--nbgrader", is_flag=True, help="For a course of nbgrader, in the folder OUT.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder.")
@click.option("--assignment", type=click.Path(path_type=Path), required=True, help="A TOML file.")
@click.option("--secret", envvar="ANONLAB_SECRET", default="", help="The course's secret.")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
def course_export(nbgrader: bool, out: Path, assignment: Path, secret: str, folder: Path) -> None:
    """Write an assignment of the course in FOLDER as another system has it: with solutions and
    hidden tests, for the instructor."""
    if not nbgrader:
        raise click.UsageError("say for which system: --nbgrader")
    from anonlab.course.authoring.nbgrader import FORGED, export_nbgrader

    for path in export_nbgrader(folder, assignment, out, secret):
        click.echo(path)
    click.echo(f"anonlab: {FORGED}", err=True)


@click.command()
@click.argument("exercise")
@click.option("--because", default="", help="What you think is wrong; it is kept.")
@click.option("--all", "everything", is_flag=True, help="Also the hidden checks, in a checkout.")
@click.pass_context
def check(ctx: click.Context, exercise: str, because: str, everything: bool) -> None:
    """Run the public checks of EXERCISE (such as 04a) on your file, and say what is next."""
    from anonlab.course.asking.next_steps import what_next
    from anonlab.course.authoring.exercises import find_course
    from anonlab.course.judging.attempt import check_everything, check_exercise

    course = find_course()
    run = check_everything if everything else check_exercise
    report = run(course, exercise, because)
    click.echo(report)
    if report.ok:
        click.echo(f"\n{what_next(course, report.number)}")
    else:
        ctx.exit(FOUND)


@click.command()
@click.argument("exercise")
def reset(exercise: str) -> None:
    """Put the template of EXERCISE (such as 04a) back; your file is kept beside it."""
    from anonlab.course.authoring.exercises import find_course
    from anonlab.course.judging.attempt import reset_exercise

    path, beside = reset_exercise(find_course(), exercise)
    kept = f"; what you had is in {beside.name}" if beside else ""
    click.echo(f"{path} is the template again{kept}.")


@click.command("progress")
@click.option("--page", type=click.Path(path_type=Path), help="Write it as a page to this file.")
def learner_progress(page: Path | None) -> None:
    """Show what you have done in this course, what is open, and which drills are due."""
    from anonlab.course.asking.progress_map import map_text, progress_map
    from anonlab.course.asking.progress_page import write_page
    from anonlab.course.authoring.exercises import find_course

    done = progress_map(find_course())
    click.echo(map_text(done) if page is None else write_page(done, page))


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="The archive; default: your id, .zip")
@click.option("--student", default="", help="Your id, as your instructor knows it.")
@click.option("--force", is_flag=True, help="Write over an archive that is there.")
def export(out: Path | None, student: str, force: bool) -> None:
    """Put your exercises and your log into one archive, to hand in."""
    from anonlab.course.authoring.exercises import find_course
    from anonlab.course.judging.work_archive import archive_name, export_work

    course = find_course()
    done = export_work(course, out or course.root / archive_name(course, student), force)
    for sentence in done.notes:
        click.echo(sentence, err=True)
    click.echo(f"{done.path}: {done.begun} of {len(course.exercises)} exercises begun")

"""The command line: every verb calls one function of the library and shows what it returns.

JSON goes to standard output alone; progress and messages go to standard error. Exit status: 0 all
is well, 1 violations or drift were found, 2 the input cannot be used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from anonlab.errors import SimulatedError
from anonlab.version import __version__

FOUND = 1
UNUSABLE = 2
SHOWN = 3
"""So many faults are shown at a time; one is enough to start with."""

Ticker = Callable[[int, int], None]
"""Told `done` and `total`, in any one unit, as work goes on."""


class Refused(click.ClickException):
    """An error that the user can do something about: one line, exit status 2."""

    exit_code = UNUSABLE

    def show(self, file: Any = None) -> None:
        """Write the message to standard error in one line, with nothing a terminal would obey."""
        line = " ".join(self.message.split())
        clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
        click.echo(f"anonlab: {clean}", err=True)


class Verbs(click.Group):
    """A group of verbs that turns the errors of users and simulated processes into one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; anonlab's own faults (AssertionError and the like) keep their traceback."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # somebody closed our standard output: click knows what to do
        except OSError as error:
            if error.strerror is None:
                raise Refused(str(error)) from error
            where = f"{error.filename}: " if error.filename else ""
            raise Refused(where + error.strerror) from error
        except (SimulatedError, ValueError) as error:
            raise Refused(str(error)) from error


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="anonlab")
def cli() -> None:
    """How Linux finds the page tables that map a page: see it, check it, break it."""


JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@cli.command()
@JSON_OPTION
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Say what works on this machine, and what to do about the rest."""
    from anonlab.doctor import examine

    report = examine()
    if as_json:
        _print_json(report.to_json())
    else:
        table = Table(show_header=False, box=None, pad_edge=False)
        for row in report.findings:
            mark = "ok" if row.ok else "MISSING" if row.required else "no"
            lack = "" if row.ok else f"\nneeded for {row.needed_for}\nto do: {row.advice}"
            table.add_row(mark, row.name, row.found + lack)
        _show(table)
    if not report.ok:
        ctx.exit(FOUND)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--design", default="anongroup", show_default=True, help="Reverse-map design.")
@click.option("--html", type=click.Path(path_type=Path), help="Write the player to this file.")
@JSON_OPTION
@click.pass_context
def replay(ctx: click.Context, file: Path, design: str, html: Path | None, as_json: bool) -> None:
    """Run FILE, a history or an strace log, on the simulated kernel."""
    from anonlab.histories.replay import replay as run

    with _progress("replay") as progress:
        report = run(file, design, progress)
    if html is not None:
        from anonlab.course.pages import history_page

        html.write_text(history_page(report.history, design), "utf-8")
    plain = report.to_json()
    _print_json(plain) if as_json else _show(_facts(plain))
    for sentence in report.violations[:SHOWN]:
        click.echo(sentence, err=True)
    if plain["violations"]:
        ctx.exit(FOUND)


@cli.command()
@click.option("--design", default="all", show_default=True, help="Reverse-map design, or all.")
@click.option(
    "--ops", type=click.IntRange(1), default=10_000, show_default=True, help="Random operations."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="First seed.")
@click.option("--mutants", is_flag=True, help="Also plant known bugs and see them found.")
@click.option("--live", is_flag=True, help="Hold the model against the running Linux kernel.")
@click.option("--allow-settings", is_flag=True, help="With --live: have swap while it runs.")
@JSON_OPTION
@click.pass_context
def verify(
    ctx: click.Context,
    design: str,
    ops: int,
    seed: int,
    mutants: bool,
    live: bool,
    allow_settings: bool,
    as_json: bool,
) -> None:
    """Hold random histories against a scan of all page tables, for each design, and compare what
    programs see under each."""
    if live:
        _verify_live(ctx, ops, seed, allow_settings, as_json)
        return
    from anonlab.verify import verify as run

    with _progress("verify") as progress:
        report = run(design, ops, seed, progress, mutants)
    plain = report.to_json()
    _print_json(plain) if as_json else _show(_facts(plain))
    if not as_json:
        for kill in report.kills or ():
            click.echo(f"\n# mutant: {kill.mutant} (under {kill.design})")
            click.echo(kill.shortest or "# it survived")
    for history in report.failures[:SHOWN]:
        click.echo(history, err=True)
    wrong = [row["violations"] or row["missed"] for row in plain["designs"].values()]
    if any(wrong) or plain["content_mismatches"] or report.survivors:
        ctx.exit(FOUND)


def _verify_live(
    ctx: click.Context, ops: int, seed: int, allow_settings: bool, as_json: bool
) -> None:
    """Hold random histories against the running kernel instead."""
    from anonlab.verify_live import hold_live

    with _progress("verify --live") as progress:
        held = hold_live(ops, seed, progress, allow_settings=allow_settings)
    plain = {"seed": seed, "operations": ops, "live": held.to_json()}
    _print_json(plain) if as_json else _show(_facts(plain))
    for history in held.failures[:SHOWN]:
        click.echo(history, err=True)
    if not held.ok:
        ctx.exit(FOUND)


@cli.command()
@click.option(
    "--history",
    default="prefork",
    show_default=True,
    help="prefork, fork_chain, the name of a history of the library, or a file.",
)
@click.option(
    "--children",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="Processes that prefork and fork_chain fork.",
)
@click.option("--design", default="all", show_default=True, help="Designs joined by commas.")
@click.option(
    "--counter",
    default="nodes",
    show_default=True,
    help="What the table shows: nodes, probes, copies, allocs, links, locks, bytes64, …",
)
@click.option("--svg", type=click.Path(path_type=Path), help="Draw the table to this file.")
@JSON_OPTION
def compare(
    history: str, children: int, design: str, counter: str, svg: Path | None, as_json: bool
) -> None:
    """Run one history under several designs and show what each operation and each walk costs."""
    from anonlab.compare import compare as run
    from anonlab.compare import named

    comparison = run(named(history, children), design)
    if svg is not None:
        from anonlab.view.costs import costs_svg

        svg.write_text(costs_svg(comparison.records(), counter, f"{counter} of {history}"), "utf-8")
    if as_json:
        plain = {"history": history, "children": children, "designs": comparison.to_json()}
        _print_json(plain)
        return
    rows = comparison.table(counter)
    table = Table("operation", *(row["design"] for row in rows), title=f"{counter} of {history}")
    for operation in comparison.operations:
        table.add_row(operation, *(f"{row[operation]:,}" for row in rows))
    _show(table)


@cli.command()
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="File to write.")
@click.option("--history", type=click.Path(path_type=Path), help="Run this on the real kernel.")
@click.option("--renew", type=click.Path(path_type=Path), help="Record all of a folder anew.")
@click.option("--allow-settings", is_flag=True, help="Have swap while it runs.")
def record(
    command: tuple[str, ...],
    output: Path | None,
    history: Path | None,
    renew: Path | None,
    allow_settings: bool,
) -> None:
    """Record a program for replay (anonlab record -o LOG -- COMMAND), or what the running kernel
    does with a history (--history FILE -o RECORDING)."""
    from anonlab.verify_live import record as run

    click.echo(run(command, output, history, renew, allow_settings), err=True)


@cli.group()
def course() -> None:
    """Prepare the course."""


@course.command("build")
@click.option("--check", is_flag=True, help="Change nothing; report what is not up to date.")
@click.argument("folder", type=click.Path(path_type=Path), default="notebooks")
@click.pass_context
def course_build(ctx: click.Context, check: bool, folder: Path) -> None:
    """Build exercises/ from solutions/, and the notebooks in FOLDER from FOLDER/source."""
    from anonlab.course.build import build, drift

    if not check:
        for path in build(folder):
            click.echo(path)
        return
    found = drift(folder)
    for sentence in found:
        click.echo(sentence, err=True)
    if found:
        click.echo("anonlab: run `anonlab course build`", err=True)
        ctx.exit(FOUND)


@course.command("check")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@JSON_OPTION
@click.pass_context
def course_check(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Prove that the course in FOLDER is whole: exercises, hints, wrong answers, notebooks."""
    from anonlab.course.selfcheck import check_course

    with _progress("course check") as progress:
        plain = check_course(folder, progress).to_json()
    _print_json(plain) if as_json else _show(_facts(plain))
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
    from anonlab.course.exercises import find_course
    from anonlab.course.variants import variant, write_variant

    if write:
        click.echo(write_variant(find_course(), secret, student))
    else:
        _print_json(variant(find_course(), secret, student))


@course.command("release")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder.")
@click.option("--assignment", type=click.Path(path_type=Path), required=True, help="A TOML file.")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
def course_release(out: Path, assignment: Path, folder: Path) -> None:
    """Write what students get of the course in FOLDER: no hidden tests, no solutions."""
    from anonlab.course.release import release

    for path in release(folder, assignment, out):
        click.echo(path)


@cli.command()
@click.argument("exercise")
@click.option("--because", default="", help="What you think is wrong; it is kept.")
@click.pass_context
def check(ctx: click.Context, exercise: str, because: str) -> None:
    """Run the public checks of EXERCISE (such as 04a) on your file."""
    from anonlab.course.attempt import check_exercise
    from anonlab.course.exercises import find_course

    report = check_exercise(find_course(), exercise, because)
    click.echo(report)
    if not report.ok:
        ctx.exit(FOUND)


def _print_json(plain: dict[str, Any]) -> None:
    click.echo(json.dumps(plain))


def _show(table: Table) -> None:
    """Print `table` to standard output; piped into a file it is not cut to a terminal's width."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=200)
    console.print(table)


def _facts(plain: dict[str, Any]) -> Table:
    """Return nested plain data as a table with one line per fact."""
    table = Table(show_header=False, box=None, pad_edge=False)

    def add(prefix: str, values: dict[str, Any]) -> None:
        for name, value in values.items():
            path = f"{prefix}{name}".replace("_", " ")
            if isinstance(value, dict):
                add(f"{path}: ", value)
            else:
                table.add_row(path, f"{value:,}" if isinstance(value, int) else str(value))

    add("", plain)
    return table


@contextmanager
def _progress(title: str) -> Iterator[Ticker | None]:
    """Yield a function that draws progress on standard error, or None if that is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)

        def tick(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield tick


@cli.command()
@click.argument("history", required=False)
@click.option(
    "--design",
    "designs",
    multiple=True,
    default=("anongroup",),
    show_default=True,
    help="Reverse-map design; give two to four to see them side by side.",
)
@click.option("--all", "everything", is_flag=True, help="Every history of the library.")
@click.option(
    "--html",
    "target",
    type=click.Path(path_type=Path),
    required=True,
    help="Write the page to this file; with --all, the pages to this folder.",
)
def view(
    history: str | None, designs: tuple[str, ...], everything: bool, target: Path
) -> None:  # fmt: skip
    """Make a page that plays HISTORY: the name of one in the library, or a file."""
    from anonlab.course import gallery

    if everything == (history is not None):
        raise click.UsageError("name one HISTORY, or say --all")
    if everything:
        with _progress("view") as progress:
            for path in gallery.gallery(target, progress)[:1]:
                click.echo(path)
        return
    target.write_text(gallery.view(history or "", designs), "utf-8")
    click.echo(target)


def main() -> None:
    """Run the command line."""
    cli()

"""The command line: every verb calls one function of the library and shows what it returns.

JSON goes to standard output alone; progress and messages go to standard error. Exit status: 0 all
is well, 1 violations or drift were found, 2 the input cannot be used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from anonlab.cli.course import check, course, export, learner_progress, reset
from anonlab.cli.grade import grade
from anonlab.cli.linux import bench, record
from anonlab.cli.start import start, update
from anonlab.cli.terminal import (
    FOUND,
    JSON_OPTION,
    SHOWN,
    OutFile,
    Verbs,
    facts,
    print_json,
    progress,
    show,
)
from anonlab.version import __version__

if TYPE_CHECKING:
    from anonlab.cli.doctor import Finding


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="anonlab")
def cli() -> None:
    """How Linux finds the page tables that map a page: see it, check it, break it."""


@cli.command()
@click.option("--all", "everything", is_flag=True, help="Also what teachers and developers need.")
@JSON_OPTION
@click.pass_context
def doctor(ctx: click.Context, everything: bool, as_json: bool) -> None:
    """Say what works on this machine for a learner, and what to do about the rest."""
    from anonlab.cli.doctor import GROUPS, examine

    report = examine()
    if as_json:
        print_json(report.to_json())
    else:
        for group in GROUPS if everything else GROUPS[:1]:
            click.echo(f"for a {group}")
            show(_rows(report.of(group)))
        if not everything:
            click.echo("for teachers and developers: anonlab doctor --all")
    if not report.ok:
        ctx.exit(FOUND)


def _rows(findings: tuple[Finding, ...]) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    for row in findings:
        mark = "ok" if row.ok else "MISSING" if row.required else "no"
        lack = "" if row.ok else f"\nneeded for {row.needed_for}\nto do: {row.advice}"
        table.add_row(mark, row.name, row.found + lack)
    return table


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--design", default="anongroup", show_default=True, help="Reverse-map design.")
@click.option("--html", type=OutFile(), help="Write the player to this file.")
@click.option("--bill", is_flag=True, help="For each fork: what was copied, by whom, where.")
@click.option("--chart", type=OutFile(".svg"), help="The bill over time (SVG), and its text.")
@JSON_OPTION
@click.pass_context
def replay(
    ctx: click.Context,
    file: Path,
    design: str,
    html: Path | None,
    bill: bool,
    chart: Path | None,
    as_json: bool,
) -> None:
    """Run FILE, a history or an strace log, on the simulated kernel. FILE may be the name of one
    that comes with anonlab: fork_and_write, redis_bgsave."""
    from anonlab.histories import library
    from anonlab.histories.strace.opening import parts_of
    from anonlab.proof.replaying import replay as run

    if not file.exists() and not parts_of(file):
        file = library.file_of(str(file)) or file
    with progress("replay") as ticker:
        report = run(file, design, ticker)
    if html is not None:
        from anonlab.course.authoring.pages import history_page

        html.write_text(history_page(report.history, design), "utf-8")
    plain = report.to_json()
    if not as_json:
        show(facts(plain))
    if bill or chart is not None:
        from anonlab.cli.bill import bill_with_chart, show_bill

        owed = bill_with_chart(report, design, chart)
        plain = {**plain, "bill": owed.to_json()}
        if not as_json:
            show_bill(owed)
    if as_json:
        print_json(plain)
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
    from anonlab.proof.verification import verify as run

    with progress("verify") as ticker:
        report = run(design, ops, seed, ticker, mutants)
    plain = report.to_json()
    print_json(plain) if as_json else show(facts(plain))
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
    from anonlab.live.verify import compare_live

    with progress("verify --live") as ticker:
        held = compare_live(ops, seed, ticker, allow_settings=allow_settings)
    plain = {"seed": seed, "operations": ops, "live": held.to_json()}
    print_json(plain) if as_json else show(facts(plain))
    if not as_json and held.example:
        click.echo(f"\n{held.example}", nl=False)
    for history in held.failures[:SHOWN]:
        click.echo(history, err=True)
    if not held.ok:
        ctx.exit(FOUND)


@cli.command()
@click.option(
    "--history",
    default="prefork",
    show_default=True,
    help="prefork, fork_chain, pipeline, movers, swap_storm, a history of the library, or a file.",
)
@click.option(
    "--children",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="Processes that prefork, fork_chain and the others fork.",
)
@click.option("--design", default="all", show_default=True, help="Designs joined by commas.")
@click.option(
    "--counter",
    default="nodes",
    show_default=True,
    help="What the table shows: nodes, probes, copies, allocs, links, locks, bytes64, …",
)
@click.option("--svg", type=OutFile(".svg"), help="Draw the table to this file.")
@JSON_OPTION
def compare(
    history: str, children: int, design: str, counter: str, svg: Path | None, as_json: bool
) -> None:
    """Run one history under several designs and show what each operation and each walk costs."""
    from anonlab.histories.costs import compare as run
    from anonlab.histories.costs import scenario_named

    comparison = run(scenario_named(history, children), design)
    if svg is not None:
        from anonlab.view.charts.costs import costs_svg

        svg.write_text(costs_svg(comparison.records(), counter, f"{counter} of {history}"), "utf-8")
    if as_json:
        plain = {"history": history, "children": children, "designs": comparison.to_json()}
        print_json(plain)
        return
    rows = comparison.table(counter)
    table = Table("operation", *(row["design"] for row in rows), title=f"{counter} of {history}")
    for operation in comparison.operations:
        table.add_row(operation, *(f"{row[operation]:,}" for row in rows))
    show(table)


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
    from anonlab.course.authoring import gallery

    if everything == (history is not None):
        raise click.UsageError("name one HISTORY, or say --all")
    if everything:
        with progress("view") as ticker:
            for path in gallery.write_gallery(target, ticker)[:1]:
                click.echo(path)
        return
    target.write_text(gallery.view(history or "", designs), "utf-8")
    click.echo(target)


@cli.command("language")
@click.argument("name", required=False)
@JSON_OPTION
@click.pass_context
def check_language(ctx: click.Context, name: str | None, as_json: bool) -> None:
    """Say what the language NAME lacks: its code (de), or a file *.json that is being written.
    Without NAME, say which languages there are, and where their files are."""
    from anonlab.formats import catalogue
    from anonlab.formats.translations import examine

    if name is None:
        files = {code: str(catalogue.FOLDER / f"{code}.json") for code in catalogue.languages()}
        if as_json:
            print_json({"chosen": catalogue.language(), "languages": files})
            return
        for code, path in files.items():
            word = catalogue.read_catalogue(code).words["language.name"]
            click.echo(f"{code}  {word}  {path}")
        click.echo(f"chosen: {catalogue.language()}; another one: {catalogue.VARIABLE}=de")
        return
    found = examine(name)
    if as_json:
        plain = {"language": name, "ok": not found.problems, "problems": found.problems}
        print_json({**plain, "mistakes": len(found.mistakes), "missing": len(found.missing)})
    else:
        click.echo("\n".join([*found.problems, found.summary(name)]))
    if found.problems:
        ctx.exit(FOUND)


cli.add_command(bench)
cli.add_command(check)
cli.add_command(course)
cli.add_command(export)
cli.add_command(grade)
cli.add_command(learner_progress)
cli.add_command(record)
cli.add_command(reset)
cli.add_command(start)
cli.add_command(update)


def main() -> None:
    """Run the command line."""
    cli()

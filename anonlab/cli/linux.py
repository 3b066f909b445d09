"""Verbs that meet the real kernel: record and bench. `anonlab.cli.verbs` has the others."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anonlab.cli.terminal import FOUND, JSON_OPTION, OutFile, print_json, write_chart


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="File to write.")
@click.option("--history", type=click.Path(path_type=Path), help="Run this on the real kernel.")
@click.option("--renew", type=click.Path(path_type=Path), help="Record all of a folder anew.")
@click.option("--allow-settings", is_flag=True, help="Have swap while it runs.")
@click.option("--rmap", is_flag=True, help="With --history: the kernel's own reverse map.")
def record(
    command: tuple[str, ...],
    output: Path | None,
    history: Path | None,
    renew: Path | None,
    allow_settings: bool,
    rmap: bool,
) -> None:
    """Record a program for replay (anonlab record -o LOG COMMAND), or what the running kernel does
    with a history (--history FILE -o RECORDING), or its reverse map under it (--rmap).

    What stands behind COMMAND is the command's. Ctrl-C ends the command, and its log is kept."""
    from anonlab.live.rmaps import record_rmap_of_file
    from anonlab.live.verify import record_on_kernel

    if rmap:
        if command or renew or history is None or output is None:
            raise ValueError("--rmap records a --history FILE -o RECORDING, and nothing else")
        click.echo(record_rmap_of_file(history, output), err=True)
        return
    click.echo(record_on_kernel(command, output, history, renew, allow_settings), err=True)


@click.command()
@click.option("--pages", default="200,16384,262144", show_default=True, help="Sizes.")
@click.option("--mms", default="1000,10000,100000", show_default=True, help="Groups of a walk.")
@click.option("--repetitions", type=click.IntRange(1), help="Instead of 15; for a quick look.")
@click.option("--peer-python", default=sys.executable, help="The Python that has the peers.")
@click.option("--chart", type=OutFile(".svg"), help="Write a chart (SVG), and its text.")
@JSON_OPTION
@click.pass_context
def bench(
    ctx: click.Context,
    pages: str,
    mms: str,
    repetitions: int | None,
    peer_python: str,
    chart: Path | None,
    as_json: bool,
) -> None:
    """Measure the simulator beside the running kernel and hold it against the budgets."""
    from anonlab.bench.charts import bench_chart
    from anonlab.bench.peers import told
    from anonlab.bench.report import counts, full_report, print_tables

    try:
        report = full_report(counts(pages), counts(mms), repetitions, peer_python)
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    if chart is not None:
        drawn = bench_chart(report)
        write_chart(chart, drawn.svg, drawn.text)
    if as_json:
        print_json(dict(report))
    else:
        print_tables(report)
        for line in (line for peer in report["peers"] for line in told(peer)):
            click.echo(line)
    if not all(each["within"] for each in report["budgets"]):
        ctx.exit(FOUND)

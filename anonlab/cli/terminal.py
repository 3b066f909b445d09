"""What every verb of the command line does alike: errors in one line, JSON, tables and progress.

JSON goes to standard output alone; progress and messages go to standard error.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task, TaskID
from rich.table import Table
from rich.text import Text

from anonlab.errors import SimulatedError

FOUND = 1
UNUSABLE = 2
WIDEST = 10_000
"""Columns of a terminal that no table fills."""
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


class OutFile(click.Path):
    """The name of a file to be written: its folder must be there, and it may have to end in
    `suffix`. Both are looked at before the work, which may be long."""

    def __init__(self, suffix: str = "") -> None:
        super().__init__(path_type=Path, dir_okay=False)
        self.suffix = suffix

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """Return the path; click tells the user what is wrong with it."""
        path = Path(str(super().convert(value, param, ctx)))
        if self.suffix and path.suffix.lower() != self.suffix:
            right = path.with_suffix(self.suffix)
            self.fail(f"what is written is {self.suffix[1:]}: name it {right}", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent}", param, ctx)
        return path


def write_chart(path: Path, svg: str, text: str) -> None:
    """Write a chart, and its text beside it: a log of the same name must not be lost."""
    twin = path.with_name(f"{path.name}.txt")
    path.write_text(svg, "utf-8")
    twin.write_text(text, "utf-8")
    click.echo(f"the chart is in {path}, its text in {twin}", err=True)


JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def print_json(plain: dict[str, Any]) -> None:
    """Print one JSON object."""
    click.echo(json.dumps(plain))


def show(table: Table) -> None:
    """Print `table` to standard output; piped into a file it is not cut to a terminal's width. In a
    narrow terminal it loses its lines, and in a very narrow one each row breaks: no word is cut."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=200)
    wide = console.options.update(max_width=WIDEST)
    if console.measure(table, options=wide).maximum > console.width:
        console.width = max(console.width, _narrow(table, console.width))
    console.print(table)


def _narrow(table: Table, columns: int) -> int:
    """Take the lines out of a table and make it as wide as `columns` of a terminal; return how wide
    it is: no column gets narrower than its longest word, and small ones stay whole first."""
    table.box, table.padding, table.pad_edge = None, (0, 1, 0, 0), False
    cells = ["\n".join(map(str, column.cells)) for column in table.columns]
    heads = [str(column.header) for column in table.columns]
    widths = [
        max(map(len, f"{head} {text}".split()), default=1)
        for head, text in zip(heads, cells, strict=True)
    ]
    wanted = [
        max(width, *map(len, text.splitlines() or [""]))
        for width, text in zip(widths, cells, strict=True)
    ]
    spare = columns - sum(widths) - len(widths)
    for at in sorted(range(len(widths)), key=lambda at: wanted[at] - widths[at]):
        more = max(0, min(spare, wanted[at] - widths[at]))
        widths[at] += more
        spare -= more
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    return sum(widths) + len(widths)


def facts(plain: dict[str, Any]) -> Table:
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


class _Rate(ProgressColumn):
    """How many are done in a second."""

    def render(self, task: Task) -> Text:
        """Return the rate of `task`; nothing before there is one."""
        return Text("" if task.speed is None else f"{task.completed:,.0f}, {task.speed:.1f}/s")


@contextmanager
def progress(title: str) -> Iterator[Ticker | None]:
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


@contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that tells on standard error how far each stage of a long work is, by its
    name: a bar in a terminal, elsewhere a line every so often."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    with Progress(*Progress.get_default_columns(), _Rate(), console=console) as bar:
        tasks: dict[str, TaskID] = {}

        def tick(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield tick


class Lines:
    """Progress where there is no terminal: the first line of a stage after FIRST seconds, the
    others EVERY so many later. Each says how many are done, how fast, and how long it takes yet."""

    FIRST, EVERY = 2.0, 30.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.stage, self.begun, self.due, self.base = "", 0.0, 0.0, 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Hear that `done` of `total` are done."""
        now = self.clock()
        if stage != self.stage:
            self.stage, self.begun, self.due, self.base = stage, now, now + self.FIRST, done
        if now < self.due or done >= total:
            return
        self.due = now + self.EVERY
        rate = (done - self.base) / (now - self.begun)
        left = f", {_duration((total - done) / rate)} left" if rate else ""
        speed = f", {rate:,.1f}/s" if rate else ""
        click.echo(f"anonlab: {stage}: {done:,} of {total:,}{speed}{left}", err=True)


def _duration(seconds: float) -> str:
    """Return a time as people say it: 40 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"

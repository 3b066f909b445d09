"""The verbs for teachers: `anonlab course slides`, `anonlab course bank`."""

from __future__ import annotations

from pathlib import Path

import click

OUT = click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder.")
COURSE = click.option(
    "--course", "root", type=click.Path(path_type=Path), default=".", help="The course's folder."
)


@click.command("slides")
@click.argument("notebooks", nargs=-1, metavar="[NOTEBOOK]...")
@OUT
@COURSE
def course_slides(notebooks: tuple[str, ...], out: Path, root: Path) -> None:
    """Make slides of each NOTEBOOK, such as 04, or of all: one HTML file each, without a network.

    Each scene asks, plays on the stage, and explains; N shows the notes for the speaker.
    """
    from anonlab.course.teaching.slides import write_slides

    for path in write_slides(root, notebooks, out):
        click.echo(path)


@click.command("bank")
@OUT
def course_bank(out: Path) -> None:
    """Write all questions of the course with answers, and what each wrong answer tells: a page, and
    a file that Moodle imports (GIFT). For teachers only."""
    from anonlab.course.teaching.bank import write_bank

    for path in write_bank(out):
        click.echo(path)

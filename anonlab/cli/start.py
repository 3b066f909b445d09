"""The two verbs with which a learner begins: `anonlab start`, `anonlab update`."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import click

from anonlab.cli.terminal import Refused
from anonlab.course.authoring.exercises import find_course

FOLDER = Path("anonlab-course")
NO_NEWS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
}
"""Settings of JupyterLab without the pop-up that asks about news: it covers the first notebook."""
NO_LAB = (
    "the course is ready in {folder}, but there is no JupyterLab beside this anonlab. With one of"
    " your own, open {first} in it; or get both: pip install 'anonlab[lab]' (with uv:"
    " uvx --from 'anonlab[lab]' anonlab start {folder})"
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--no-browser", is_flag=True, help="Open no browser; the address is printed.")
@click.option("--no-lab", is_flag=True, help="Make the folder only: a JupyterLab runs already.")
@click.pass_context
def start(ctx: click.Context, folder: Path | None, no_browser: bool, no_lab: bool) -> None:
    """Make the course in FOLDER and open it in JupyterLab.

    Without FOLDER it is the course that you are in, or else anonlab-course. What you changed
    stays as it is: newer files of the course are set beside yours.
    """
    from anonlab.course.authoring.starting import FIRST, start_folder

    renewal = start_folder(folder if folder is not None else _course_here() or FOLDER)
    click.echo(f"the course is in {renewal.root.resolve()}", err=True)
    _tell(renewal.sentences)
    if no_lab:
        return
    if importlib.util.find_spec("jupyterlab") is None:
        raise Refused(NO_LAB.format(folder=renewal.root, first=FIRST))
    ctx.exit(become(lab_command(renewal.root, FIRST, no_browser), renewal.root))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
def update(folder: Path | None) -> None:
    """Bring the course in FOLDER up to this anonlab; your answers stay.

    Newer files are set beside those that you changed. Without FOLDER it is the course that you
    are in.
    """
    from anonlab.course.authoring.starting import update_folder

    renewal = update_folder(folder if folder is not None else find_course().root)
    for name in renewal.written:
        click.echo(f"newer: {name}")
    _tell(renewal.sentences)
    if not (renewal.written or renewal.sentences):
        click.echo("nothing is newer")


def lab_command(root: Path, first: str, no_browser: bool) -> list[str]:
    """Return the command that opens JupyterLab at the notebook `first` of the folder `root`."""
    options = ["--ip=127.0.0.1", f"--ServerApp.root_dir={root.resolve()}"]
    options += [f"--LabApp.default_url=/lab/tree/{first}"]
    if settings := _settings(root):
        options.append(f"--LabApp.app_settings_dir={settings}")
    if no_browser:
        options.append("--no-browser")
    if getattr(os, "geteuid", lambda: 1)() == 0:
        options.append("--allow-root")  # Jupyter refuses root unless it is told
    return [sys.executable, "-m", "jupyterlab", *options]


def become(command: list[str], folder: Path) -> int:
    """Run `command` in `folder`, in place of this process where that can be; return its status."""
    if os.name == "posix":  # who ends this process ends JupyterLab, not only its parent
        os.chdir(folder)
        os.execv(command[0], command)
    try:
        return subprocess.run(command, cwd=folder, check=False).returncode
    except KeyboardInterrupt:  # JupyterLab got it too, and ends
        return 0


def _settings(root: Path) -> Path | None:
    """Return a folder with NO_NEWS, None where this JupyterLab has settings of its own."""
    if (Path(sys.prefix) / "share" / "jupyter" / "lab" / "settings").is_dir():
        return None
    folder = root.resolve() / ".anonlab" / "lab"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "overrides.json").write_text(json.dumps(NO_NEWS), "utf-8")
    return folder


def _course_here() -> Path | None:
    """Return the course that the working folder lies in, None if there is none."""
    try:
        return find_course().root
    except FileNotFoundError:
        return None


def _tell(sentences: list[str]) -> None:
    for sentence in sentences:
        click.echo(sentence, err=True)

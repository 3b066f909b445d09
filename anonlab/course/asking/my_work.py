"""A learner's work as one file: saved from here, brought back here or elsewhere.

In a browser without a server this is the only way that work leaves that browser.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from anonlab.course.asking.note import Note, errors_as_notes
from anonlab.course.authoring.exercises import Course, find_course
from anonlab.course.judging.work_archive import archive_name, export_work
from anonlab.course.judging.work_brought import bring_work

IN_BROWSER = sys.platform == "emscripten"
ONLY_HERE = (
    "Your work is in this browser only. It is gone when the browser's data is cleared, and no "
    "other browser sees it. Download it when you stop"
)
WARNING = (
    f"{ONLY_HERE}: my_work() shows the button. If a cell never ends: menu Kernel, Restart Kernel; "
    "your work stays."
)
ON_DISK = (
    "Your work is in the folder {root}. This saves it as one file, to hand in or to take along"
)


class MyWork(anywidget.AnyWidget):
    """Two buttons: save the work in `course` as one file, and bring such a file."""

    _esm = Path(__file__).with_name("my_work.js")
    text = traitlets.Unicode().tag(sync=True)

    def __init__(self, course: Course) -> None:
        super().__init__(text=f"{ONLY_HERE if IN_BROWSER else ON_DISK.format(root=course.root)}.")
        self.course = course
        self.on_msg(lambda _, content, __: self._heard(content))

    def _heard(self, content: Any) -> None:
        """Answer a button; a mistake is said below them."""
        try:
            if isinstance(content, dict) and "wants" in content:
                self.send(self.saved())
            elif isinstance(content, dict) and "brings" in content:
                self.send({"said": self.brought(base64.b64decode(str(content["brings"])))})
        except (ValueError, OSError) as error:
            self.send({"said": str(error)})

    def saved(self) -> dict[str, str]:
        """Return the archive for the browser: its name, its bytes in Base64, what to say."""
        name = archive_name(self.course)
        with tempfile.TemporaryDirectory() as folder:
            done = export_work(self.course, Path(folder) / name)
            content = done.path.read_bytes()
        said = f"{name} has {done.begun} of {len(self.course.exercises)} exercises and the log."
        return {"said": said, "name": name, "archive": base64.b64encode(content).decode()}

    def brought(self, archive: bytes) -> str:
        """Take an archive in; return what became of it."""
        return "\n".join(bring_work(self.course, archive))

    def __repr__(self) -> str:
        return str(self.text)


@errors_as_notes
def my_work() -> MyWork:
    """Show two buttons: download your work as one file, and bring it back, here or elsewhere.

    At a prompt `anonlab export` makes the same file.
    """
    return MyWork(find_course())


def warn_in_browser() -> None:
    """Say where work is, if that is a browser."""
    if IN_BROWSER:
        from IPython.display import display

        display(Note(WARNING))  # type: ignore[no-untyped-call]

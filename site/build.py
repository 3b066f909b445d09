"""Build the site: `make site`, or `python site/build.py [--only 00,04] [--out FOLDER]`.

It makes a folder of sources (notebooks that were run, guides, API pages), lets Sphinx make pages
of them, and puts the gallery of histories beside them. Pages stand at the root of the site, where
lite/ stands, too.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath

import api_pages
import nbformat

from anonlab.course.asking.card_widget import CardWidget, card_js
from anonlab.course.authoring.gallery import write_gallery
from anonlab.course.authoring.starting import start_folder
from anonlab.histories import library
from anonlab.recording.recorder import record
from anonlab.view.player.export import HOST_MODEL, player_css, player_js
from anonlab.view.stage.picture import picture
from notebooks import page_of

HERE = Path(__file__).parent
ROOT = HERE.parent
DOCUMENTS = {
    "notebooks/glossary.md": "glossary.md",
    "notebooks/COURSE_MAP.md": "course_map.md",
    "notebooks/INSTRUCTOR.md": "teaching/instructor.md",
    "notebooks/GRADING.md": "teaching/grading.md",
    "notebooks/GRADING_ELSEWHERE.md": "teaching/grading_elsewhere.md",
    "docs/ARCHITECTURE.md": "engineers/architecture.md",
    "docs/FORMATS.md": "engineers/formats.md",
    "docs/FRONT_ENDS.md": "engineers/front_ends.md",
    "docs/LOGS.md": "engineers/logs.md",
    "docs/STYLE.md": "engineers/style.md",
    "anonlab/rmap/README.md": "engineers/designs.md",
    "CONTRIBUTING.md": "engineers/contributing.md",
    "CHANGELOG.md": "engineers/changes.md",
}
"""Documents of the repository, and the pages that they become."""
GIVEN = {
    **{f"docs/schemas/{path.name}": path for path in (ROOT / "docs" / "schemas").glob("*.json")},
    "anonlab/grading/schemas/result.json": ROOT / "anonlab" / "grading" / "schemas" / "result.json",
}
"""Files that documents link to, and that the site has as they are, in _static/."""
GALLERY = ("anongroup",)
"""Designs of which every history has a page, beside the one with four side by side. Pages for all
designs are 20 MB."""
LINK = re.compile(r'(?<!!)\[([^][]+)\]\(([^)\s#:"]*)(#[\w-]+)?( "[^"]*")?\)')


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--only", default="", help="numbers of notebooks, with commas; all if none")
    options = parser.parse_args()
    only = [number for number in options.only.split(",") if number]
    with tempfile.TemporaryDirectory(prefix="anonlab-site-") as folder:
        source = Path(folder) / "source"
        build(source, Path(folder) / "course", options.out, only)


def build(source: Path, course: Path, out: Path, only: list[str]) -> None:
    """Write sources to `source`, run notebooks in a new course at `course`, make pages in `out`."""
    site = Documents(only)
    for path in sorted((HERE / "pages").iterdir()):
        _write(source / path.name, site.linked(path.read_text("utf-8"), "site/pages/x.md", "x.md"))
    site.write(source)
    names = write_notebooks(source, course, only, site)
    _write(source / "course.md", _course_page(names))
    _write(source / "teaching" / "plans.md", _plans_page(source / "teaching" / "plans"))
    api_pages.write(source / "api")
    static = source / "_static"
    shutil.copytree(HERE / "static", static)
    _write(static / "anonlab.js", script())
    _write(static / "anonlab.css", stylesheet())
    for name, path in GIVEN.items():
        shutil.copy(path, static / PurePosixPath(name).name)
    shutil.copy(ROOT / "docs" / "fork-and-write.svg", static)
    _write(source / "gallery.md", _gallery_page())
    lite = out / "lite"
    for path in out.glob("*"):  # what `make lite` made stays
        if path != lite:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going"]
    command += ["-j", "2", "-c", str(HERE), "-d", str(source.parent / "doctrees")]
    subprocess.run([*command, str(source), str(out)], check=True)
    for left_over in (".buildinfo", "objects.inv"):
        (out / left_over).unlink(missing_ok=True)
    shutil.rmtree(out / "_sources", ignore_errors=True)
    write_gallery(out / "gallery", designs=GALLERY)
    (out / "gallery" / "index.html").unlink()  # gallery.html is the way to these pages


class Documents:
    """The documents of the repository as sources of pages, with the links between them."""

    def __init__(self, only: list[str]) -> None:
        self.pages = dict(DOCUMENTS)
        for path in sorted((ROOT / "docs" / "teaching").rglob("*.md")):
            name = path.relative_to(ROOT / "docs").as_posix()
            self.pages[f"docs/{name}"] = name.lower().replace("readme", "index")
        for path in _chapters(ROOT / "notebooks", only):
            self.pages[f"notebooks/{path.name}"] = path.name

    def write(self, source: Path) -> None:
        """Write every document to the folder of sources."""
        for name, page in self.pages.items():
            if name.endswith(".md"):
                text = (ROOT / name).read_text("utf-8")
                _write(source / page, self.linked(text, name, page))

    def linked(self, text: str, name: str, page: str) -> str:
        """Return a document with its links as they are from `page`; what the site has not is plain
        text."""

        def link(match: re.Match[str]) -> str:
            words, target, anchor, title = match.groups(default="")
            if not target:
                return match[0]
            place = _joined(PurePosixPath(name).parent, target)
            if place in GIVEN:
                target = f"_static/{PurePosixPath(place).name}"
                return f"[{words}](path:{_relative(target, page)})"
            if place in self.pages:
                return f"[{words}]({_relative(self.pages[place], page)}{anchor}{title})"
            return words

        return LINK.sub(link, re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL))


def write_notebooks(source: Path, course: Path, only: list[str], site: Documents) -> list[str]:
    """Run the notebooks of a new course and write them as sources; return their names."""
    start_folder(course)
    paths = _chapters(course / "notebooks", only)
    for path in paths:
        notebook = page_of(path)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = site.linked(cell.source, f"notebooks/{path.name}", path.name)
        nbformat.write(notebook, source / path.name)
    return [path.stem for path in paths]


def _chapters(folder: Path, only: list[str]) -> list[Path]:
    """Return the notebooks with the numbers `only`, all if there are none."""
    paths = sorted(folder.glob("*.ipynb"))
    known = [path.name.split("_")[0] for path in paths]
    if unknown := [number for number in only if number not in known]:
        raise SystemExit(f"there is no notebook {unknown[0]}; there are {', '.join(known)}")
    return [path for path, number in zip(paths, known, strict=True) if not only or number in only]


def script() -> str:
    """Return the script of all pages: the player, the card, and what puts them into a page. It is
    no module, so that pages that are opened from a folder work, too."""
    card = card_js()
    ends = "export default { render };"
    assert player_js().count(ends) == 1
    assert card.count(ends) == 1
    player = player_js().replace(ends, "return { mount };")
    card = card.replace(ends, "return { render, PARTS, judgePart, say };")
    own = HOST_MODEL.read_text("utf-8") + (HERE / "site.js").read_text("utf-8")
    return (
        f"const anonlabPlayer = (() => {{\n{player}}})();\n"
        f"const anonlabCard = (() => {{\n{card}}})();\n{own}"
    )


def stylesheet() -> str:
    """Return the style sheet of all pages: that of the player, of cards, and of the site."""
    card = str(CardWidget._css).removeprefix(player_css())
    return player_css() + card + (HERE / "site.css").read_text("utf-8")


def _course_page(names: list[str]) -> str:
    listed = "\n".join(names)
    return (
        "# The course\n\nRead from top to bottom. Each page has stories to step through and "
        "questions to answer.\n\n```{toctree}\n:maxdepth: 1\n\n" + listed + "\n```\n"
    )


def _plans_page(folder: Path) -> str:
    listed = "\n".join(f"plans/{path.stem}" for path in sorted(folder.glob("*.md")))
    return f"# Plans of lessons\n\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n"


def _gallery_page() -> str:
    """Return the page of the gallery: each history with its picture, its text, and its pages."""
    parts = [
        "---\nhide-toc: true\n---\n# Gallery of histories\n\n"
        "Each history is a page of its own, which also works alone: save it, send it, open it "
        "without a network. `anonlab view --all --html FOLDER` makes such pages for all designs.\n"
    ]
    for name in library.names():
        trace = record(library.load(name), walks=False)
        most = max(trace.steps, key=lambda step: (len(step.snapshot.mms), len(step.snapshot.pfn)))
        drawn = picture(most.snapshot)._repr_html_()
        pages = [*GALLERY, "side by side"]
        links = " · ".join(
            f'<a href="gallery/{name}-{each.replace(" ", "-")}.html">{each}</a>' for each in pages
        )
        parts.append(
            f'## {trace.title}\n\n<p>{links}</p>\n\n<div class="al-drawn">{drawn}</div>\n\n'
            f"```text\n{library.text(name).strip()}\n```\n"
        )
    logs = "".join(f'<li><a href="gallery/{log}.html">{log}</a></li>' for log in library.logs())
    parts.append(f"## Real programs\n\nRecorded with strace on Linux.\n\n<ul>{logs}</ul>\n")
    return "\n".join(parts)


def _joined(folder: PurePosixPath, target: str) -> str:
    """Return the path of a link from a document in `folder`, from the root of the repository."""
    parts: list[str] = []
    for part in (folder / target).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def _relative(target: str, page: str) -> str:
    return "../" * page.count("/") + target


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""The real kernel as a yardstick: compiles `yardstick.c`, asks it for a repetition at a time."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

SOURCE = Path(__file__).with_name("yardstick.c")
STEPS = ("first_touch", "read_zero", "fork", "cow_copy", "cow_reuse", "mremap", "munmap")


class Yardstick:
    """The C program, running beside the simulator on the same CPU and waiting for its turn.

    cpu  number of the CPU that it pins itself to
    raises  RuntimeError if there is no C compiler, or if compiling or measuring fails
    """

    def __init__(self, cpu: int) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="anonlab-yardstick-")
        try:
            program = compile_yardstick(Path(self.folder.name))
        except RuntimeError:
            self.folder.cleanup()
            raise
        self.process = subprocess.Popen(
            [program, str(cpu)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self.process.stdin
        assert self.process.stdout
        self.requests, self.answers = self.process.stdin, self.process.stdout

    def repetition(self, pages: int, sequences: int) -> dict[str, float]:
        """Run the sequence of steps `sequences` times; return ns per page for every step."""
        try:
            self.requests.write(f"{pages} {sequences}\n")
            line = self.answers.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(
                f"the C yardstick gave up at {pages} pages (its own message is above); "
                f"it needs {2 * pages * 4096 >> 20} MiB of free memory"
            )
        answer = json.loads(line)
        return {step: answer[step] for step in STEPS}

    def __enter__(self) -> Yardstick:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.requests.close()
        self.answers.close()
        self.process.wait()
        self.folder.cleanup()


def compile_yardstick(folder: Path) -> Path:
    """Compile `yardstick.c` into `folder` and return the program; raises RuntimeError."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise RuntimeError(
            "no C compiler: the comparison needs gcc for the program that measures the real "
            "kernel (Debian and Ubuntu: apt install gcc libc6-dev)"
        )
    program = folder / "yardstick"
    command = [compiler, "-O2", "-Wall", "-Wextra", "-o", str(program), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{compiler} cannot compile {SOURCE.name}:\n{done.stderr}")
    return program

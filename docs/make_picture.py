"""Make the picture of the README: `python docs/make_picture.py` in the project's folder."""

from pathlib import Path

from anonlab import Kernel
from anonlab.view import snapshot_svg

kernel = Kernel(frames=8, swap=0)
shell = kernel.spawn("shell")
heap = shell.mmap(4 * 4096, at=0x30000)
shell.write_range(heap, [7, 8])
child = shell.fork("child")
before = kernel.snapshot()
child.write(heap, 9)
picture = snapshot_svg(kernel.snapshot(), before)
Path(__file__).with_name("fork-and-write.svg").write_text(picture, encoding="utf-8")

"""Other simulators that know fork and copy on write, measured with the same steps where they are
installed; nothing of anonlab needs them. Where one is not there or does not run, its name and the
reason are told; so is what it has nothing comparable to.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

PATIENCE_S = 300
MOST_PAGES = 16384
"""More would take minutes: a peer keeps its pages in dictionaries."""
PEERS = {"PyOS": Path(__file__).with_name("peer_pyos.py")}
LACKS = {"PyOS": ["read_zero", "mremap", "munmap of a range", "a reverse map"]}
"""What a peer has nothing comparable to."""


class PeerRow(TypedDict):
    """One step at one size."""

    name: str
    pages: int
    ns_per_page: float


class Peer(TypedDict):
    """What was measured of one peer, or the reason why nothing was."""

    name: str
    lacks: list[str]
    reason: NotRequired[str]
    version: NotRequired[str]
    python: NotRequired[str]
    rows: NotRequired[list[PeerRow]]


def measure_peers(
    pages: Sequence[int], repetitions: int = 5, python: str = sys.executable
) -> list[Peer]:
    """Measure every peer that `python`, the path of an interpreter, has installed.

    raises  nothing for a peer that is missing or broken: its reason says so
    """
    sizes = [each for each in pages if each <= MOST_PAGES] or [MOST_PAGES]
    return [
        Peer(name=name, lacks=LACKS[name], **_run(script, sizes, repetitions, python))  # type: ignore[typeddict-item]
        for name, script in PEERS.items()
    ]


def _run(script: Path, sizes: Sequence[int], repetitions: int, python: str) -> dict[str, object]:
    command = [python, "-P", str(script), str(repetitions), *map(str, sizes)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"reason": f"it was given up: {error}"}
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        return {"reason": f"it was given up: {last[0]}"}
    plain: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return plain


def told(peer: Peer) -> list[str]:
    """Return what is to be said of a peer, a line each."""
    lacks = f"nothing comparable to {', '.join(peer['lacks'])}"
    if reason := peer.get("reason"):
        return [f"{peer['name']}: not measured: {reason}; it has {lacks}"]
    lines = [f"{peer['name']}: {peer.get('version')} on Python {peer.get('python')}, with {lacks}"]
    lines += [
        f"  {row['name']}, {row['pages']:,} pages: {row['ns_per_page']:,.0f} ns per page"
        for row in peer.get("rows", [])
    ]
    return lines

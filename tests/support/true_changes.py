"""What a picture of each step has to mark, found by comparing whole snapshots."""

from __future__ import annotations

from typing import Any

from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Trace
from anonlab.view import facts


def shown(snapshot: Snapshot) -> dict[str, Any]:
    """{key: what a picture shows of it} of entries, frames, swap slots and address spaces."""
    out: dict[str, Any] = {}
    for kind, *fact in facts(snapshot):
        if kind == "pte":
            letters = fact[-1] if fact[2] == "frame" else ""
            out[f"p{fact[0]}-{int(fact[1], 16) >> 12}"] = (*fact[:4], "W" in letters)
        elif kind == "frame":
            out[f"f{fact[0]}"] = (*fact[:6], fact[7])
        elif kind == "slot":
            out[f"s{fact[0]}"] = fact
        elif kind == "mm":
            out[f"m{fact[0]}"] = True
    return out


def signs(trace: Trace) -> list[dict[str, str]]:
    """{key: N new, C changed, G gone} of every step; nothing at the first one."""
    out: list[dict[str, str]] = []
    before: dict[str, Any] = {}
    for step in trace.steps:
        now = shown(step.snapshot)
        out.append(
            {
                key: "G" if key not in now else "N" if key not in before else "C"
                for key in before.keys() | now.keys()
                if before.get(key) != now.get(key)
            }
            if out
            else {}
        )
        before = now
    return out


def entries(snapshot: Snapshot) -> dict[str, str]:
    """{key of a present entry: its pfn}."""
    return {
        key: fact[3]
        for key, fact in shown(snapshot).items()
        if key[0] == "p" and fact[2] == "frame"
    }

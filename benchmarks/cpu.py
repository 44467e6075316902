"""CPU time and memory of a process and all that it started, out of Linux's /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def _stat(process: Path) -> tuple[int, int, int] | None:
    """A process's id, its parent's, and its ticks with those of the children it has buried; none when it is gone."""
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(process.name), int(fields[1]), sum(map(int, fields[11:15]))


def parent_of(pid: int) -> int:
    """The process that started this one."""
    stat = _stat(Path(f"/proc/{pid}"))
    assert stat is not None
    return stat[1]


def cpu_seconds(root: int) -> float:
    """What a process and its descendants have used so far.

    It never falls: the time of a child that ended (a PostgreSQL backend) is kept by the parent that waited for it.
    """
    return sum(_family(root).values()) * TICK_SECONDS


def peak_memory_bytes(root: int) -> int:
    """The most that a process and its living descendants have had in memory, each at its own time."""
    return sum(_peak_bytes(pid) for pid in _family(root))


def _family(root: int) -> dict[int, int]:
    """A process and its descendants, and the ticks of each."""
    ticks: dict[int, int] = {}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for process in Path("/proc").glob("[0-9]*"):
        if stat := _stat(process):
            pid, parent, used = stat
            ticks[pid] = used
            children[parent].append(pid)
    family, pending = {}, [root]
    while pending:
        pid = pending.pop()
        family[pid] = ticks.get(pid, 0)
        pending += children[pid]
    return family


def _peak_bytes(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))

"""What tells one life of a process from every other, and whether that process provably is dead.

A life is `<start>-<place>`: the start in clock ticks since boot, which no change of the clock moves,
and the place, a digest of this boot of the kernel and of the pid namespace, within which a pid means
one process. Of a life of another place nothing is known here.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
BOOT: Final = PROC / "sys/kernel/random/boot_id"
START_FIELD: Final = 19
"""Of `stat`, counted from 0 after the name of the program, which may hold anything."""
ENDED: Final = frozenset({"Z", "X"})
"""States of a process whose code never runs again."""


def own_life() -> str:
    """Return this process's life; empty where the kernel does not tell it."""
    stat, place = _stat(os.getpid()), _place()
    return "" if stat is None or not place else f"{stat[START_FIELD]}-{place}"


def is_dead(worker: str) -> bool:
    """Whether the worker of this name (`host:pid:life`) surely runs no more; not knowing is no."""
    _, pid, life = f"::{worker}".rsplit(":", 2)
    start, _, place = life.partition("-")
    if not place or place != _place() or not pid.isdecimal():
        return False
    stat = _stat(int(pid))
    return _is_free(int(pid)) if stat is None else stat[0] in ENDED or stat[START_FIELD] != start


def _place() -> str:
    try:
        me = PROC.joinpath("self").readlink().name
        namespace = PROC.joinpath("self/ns/pid").readlink()
        told = f"{BOOT.read_text().strip()} {namespace}"
    except OSError:
        return ""
    # Mounted in another namespace it speaks of other processes under our numbers.
    return hashlib.sha256(told.encode()).hexdigest()[:12] if me == str(os.getpid()) else ""


def _stat(pid: int) -> list[str] | None:
    """Return what the kernel says of a process, its state first; None where it says nothing."""
    try:
        text = PROC.joinpath(str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _is_free(pid: int) -> bool:
    """Whether no process has this pid: one that /proc hides (hidepid, another user's) is still there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False

"""How much of the processors a set of processes has used."""

from collections.abc import Iterable

import psutil


def cpu_seconds(roots: Iterable[psutil.Process]) -> float:
    """User and system time of `roots` and all below them, ended children that were waited for included."""
    total = 0.0
    for root in roots:
        for process in [root, *root.children(recursive=True)]:
            try:
                used = process.cpu_times()
            except psutil.NoSuchProcess:
                continue  # it ended meanwhile: its parent counts it
            total += used.user + used.system + used.children_user + used.children_system
    return total


def megabytes(process: psutil.Process) -> float:
    """Resident memory of one process."""
    return float(process.memory_info().rss) / 1_048_576

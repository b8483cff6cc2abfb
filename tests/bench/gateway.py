"""The stub gateway of every peer, and the only place here that lets time pass: that is what it stands for."""

import asyncio
import os
import time
from functools import cache
from pathlib import Path
from typing import Final

from tests.bench.world import told

LINE: Final = "%012d %020.6f\n"
WIDTH: Final = len(LINE % (0, 0.0))


def call(payout: int) -> None:
    """Pay one: note the call, and answer after the world's `gateway_seconds`."""
    note(payout)
    if told().gateway_seconds:
        time.sleep(told().gateway_seconds)


async def call_async(payout: int) -> None:
    """Do the same without holding the thread."""
    note(payout)
    if told().gateway_seconds:
        await asyncio.sleep(told().gateway_seconds)


def note(payout: int) -> None:
    """Append a payout with the time of day; whole from any number of processes, kept when they are killed."""
    os.write(_file(told().notes), (LINE % (payout, time.time())).encode())


def pause(seconds: float) -> None:
    """Let a measurement wait: for its next question, or to look again."""
    time.sleep(seconds)


def count(path: str) -> int:
    """How many calls have been noted."""
    try:
        return Path(path).stat().st_size // WIDTH
    except FileNotFoundError:
        return 0


def read(path: str) -> list[tuple[int, float]]:
    """Return all notes: the payout, and when, in seconds since 1970."""
    if not count(path):
        return []
    lines = Path(path).read_text(encoding="ascii").splitlines()
    return [(int(payout), float(at)) for payout, at in (line.split() for line in lines)]


@cache
def _file(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

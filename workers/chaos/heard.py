"""What the processes of a storm said: how often each event, and how each process ended."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ENDED: Final = "child.ended"
RAN: Final = "run.ended"
STOPPED: Final = "worker.stopped"
TRACEBACK: Final = "Traceback (most recent call last)"
LINES_MAX: Final = 20


@dataclass(slots=True, kw_only=True)
class Heard:
    """All the log there is, counted."""

    events: Counter[str] = field(default_factory=Counter)
    exits: Counter[tuple[str, int]] = field(default_factory=Counter)
    """(process, exit code) of ends by themselves or by a fault; negative codes are signals."""
    ran: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(process, job) of every run that ended."""
    late_stops: int = 0
    """Workers that did not end in time when asked to."""
    tracebacks: list[str] = field(default_factory=list)
    """The first lines that carry one outside the log's own form: nobody handled it."""


def listen(log: Path) -> Heard:
    """Read a log of processes, each line with its process's name in front, or none for our own."""
    heard = Heard()
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            _take(heard, line)
    return heard


def _take(heard: Heard, line: str) -> None:
    name, mark, rest = line.partition(" | ")
    text = rest if mark else line
    if not text.startswith("{"):
        if TRACEBACK in text and len(heard.tracebacks) < LINES_MAX:
            heard.tracebacks.append(line.strip())
        return
    try:
        said = json.loads(text)
    except ValueError:
        return
    event = said.get("event")
    if isinstance(event, str):
        heard.events[event] += 1
        if event == ENDED:
            heard.exits[_kind(str(said.get("child"))), int(said["exit_code"])] += 1
        if event == STOPPED:
            heard.late_stops += said.get("in_time") is False
        if event == RAN:
            heard.ran[_kind(name), str(said.get("job"))] += 1


def _kind(name: str) -> str:
    return name.strip().partition(".")[0]

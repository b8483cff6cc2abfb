"""How the demo is seen: a live table on a terminal, a line now and then anywhere else."""

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from workers.demo.look import Look

LINE_SECONDS: Final = 2.0
JOBS_MAX: Final = 6
"""As many as fit a small terminal: those for which most waits."""


class View:
    """Shows looks on `stream` (stderr by default, so that `--json` stays alone on stdout)."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._total = total
        self._stream = stream or sys.stderr
        self._live: Live | None = None
        self._started = time.monotonic()
        self._said = -LINE_SECONDS
        if self._stream.isatty():
            console = Console(file=self._stream)
            self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """Tell one thing that happened."""
        line = f"{self._seconds():5.1f} s  {text}"
        if self._live is not None:
            self._live.console.print(line, markup=False, highlight=False)
        else:
            self._stream.write(line + "\n")
            self._stream.flush()

    def show(self, look: Look, *, last: bool = False) -> None:
        """Show how things stand; without a terminal at most one line each 2 s."""
        if self._live is not None:
            self._live.update(self.table(look), refresh=True)
            return
        now = self._seconds()
        if last or now - self._said >= LINE_SECONDS:
            self._said = now
            told = "; ".join(
                f"{name} {_told(states)}" for name, states in look.families.items() if states
            )
            self.say(f"{told}; unknown {look.unknown}; bank {look.transfers} transfers")

    def table(self, look: Look) -> Group:
        """Everything at one moment, for a terminal."""
        families = Table(box=None, pad_edge=False)
        for title in ("family", "states"):
            families.add_column(title)
        for name, states in look.families.items():
            families.add_row(name, _told(states))
        bank = f"{look.transfers} transfers, {look.captures} captures, {look.refunds} refunds"
        families.add_row("nobody knows yet", f"{look.unknown} payouts")
        families.add_row("the bank", bank)
        jobs = Table(box=None, pad_edge=False)
        for title in ("job", "waiting", "due", "in hand"):
            jobs.add_column(title, justify="left" if title == "job" else "right")
        busiest = sorted(look.waiting.items(), key=lambda one: one[1], reverse=True)[:JOBS_MAX]
        for job, (items, due, in_hand, _parked) in busiest:
            jobs.add_row(job, str(items), str(due), str(in_hand))
        head = Text(f"{self._seconds():.0f} s   {look.done} of {self._total} final")
        return Group(head, ProgressBar(total=self._total, completed=look.done), families, jobs)

    def _seconds(self) -> float:
        return time.monotonic() - self._started


def _told(states: Mapping[str, int]) -> str:
    return "  ".join(f"{state} {count}" for state, count in states.items())

"""How soon a job's first statement runs after its run was asked for, through Postgres, Redis and a worker."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from db import runs
from db.engine import Database
from db.runs import Request
from domain.errors import BrokenError
from domain.runs import Origin
from workers.bench import note
from workers.bench.figures import percentile
from workers.bench.note import Note
from workers.bench.stand import Stand, opened
from workers.bench.talkers import Said, talkers
from workers.broker import Bell

WAIT_SECONDS_MAX: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """From before `enqueue` to the job's first statement, in milliseconds."""

    count: int
    p50_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, milliseconds: list[float]) -> "Latencies":
        """Sum up what was measured."""
        return cls(
            count=len(milliseconds),
            p50_ms=round(percentile(milliseconds, 0.5), 2),
            p99_ms=round(percentile(milliseconds, 0.99), 2),
            max_ms=round(max(milliseconds), 2),
        )


@dataclass(slots=True)
class Heard:
    """When the first statement of each run ran, as the workers say."""

    at: dict[int, float] = field(default_factory=dict)
    ready: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def hear(self, _number: int, said: Said) -> None:
        """Take down one thing that a worker says."""
        with self.changed:
            if "at" in said:
                self.at[said["run"]] = said["at"]
            self.ready += "ready" in said
            self.changed.notify_all()


def latencies(stand: Stand, *, processes: int, every_seconds: float, count: int) -> Latencies:
    """Ask for `count` runs, one every so many seconds, of idle workers. Raises `BrokenError`."""
    with (
        stand.database() as url,
        opened(url) as database,
        _workers(stand, url, processes) as heard,
    ):
        bell = Bell(stand.share.broker_url)
        try:
            _ask(database, bell)  # the first opens connections, and is not counted
            asked = [_later(database, bell, every_seconds, n) for n in range(count)]
        finally:
            bell.close()
        ids = {run for run, _ in asked}
        with heard.changed:
            if not heard.changed.wait_for(lambda: ids <= heard.at.keys(), WAIT_SECONDS_MAX):
                raise BrokenError(f"{len(ids - heard.at.keys())} of {count} runs never began")
    return Latencies.of([(heard.at[run] - at) * 1000 for run, at in asked])


def _later(database: Database, bell: Bell, every_seconds: float, number: int) -> tuple[int, float]:
    """Wait a little more or less than every time, so that no rhythm of the product's own is met."""
    time.sleep(every_seconds * (0.75 + 0.5 * (number * 0.618 % 1)))
    return _ask(database, bell)


def _ask(database: Database, bell: Bell) -> tuple[int, float]:
    """Ask for one run as `bursar enqueue` does; returns it, and when the asking began."""
    wanted = Request(job=Note.name, queue=Note.queue, version=1, origin=Origin.OPERATOR)
    began = datetime.now(UTC).timestamp()
    with database.begin() as tx:
        [made] = runs.enqueue(tx, [wanted])
    bell.ring(Note.queue, [made.id])
    return made.id, began


@contextmanager
def _workers(stand: Stand, url: str, processes: int) -> Iterator[Heard]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BURSAR_")}
    environment |= {"BURSAR_DATABASE_URL": url, "BURSAR_BROKER_URL": stand.share.broker_url}
    heard = Heard()
    with talkers(note.__name__, count=processes, hear=heard.hear, environment=environment):
        with heard.changed:
            if not heard.changed.wait_for(lambda: heard.ready == processes, WAIT_SECONDS_MAX):
                raise BrokenError("a worker of the benchmark did not start")
        yield heard

"""Each second: what the bell missed. Makes wake runs for due work, finds crashed runs, takes overdue ones.

Postgres is asked one index probe per job this process knows. Nothing here executes in its own
thread: an overdue run is offered to a free one, and left alone where none is.
"""

import threading
from typing import TYPE_CHECKING, Final

import structlog

from db import leases, run_states, runs, switches, wakes, workers as registry
from db.clock import now
from db.tx import Tx
from domain.errors import ExpectedError
from domain.runs import Origin
from jobs.shapes import Sweep
from jobs.upkeep.watch import Watch
from workers.broker import RunningWorker
from workers.composition import Process
from workers.lives import is_dead

if TYPE_CHECKING:
    from datetime import datetime

log = structlog.get_logger(__name__)

SWEEP_SECONDS: Final = 1.0
OVERDUE_SECONDS: Final = 2.0
"""A run due for this long was not rung for, or the bell was lost."""
OVERDUE_MAX: Final = 50
ATTEMPTS_MAX: Final = 3
"""Starts of one run of a sweep."""
CRASH_DELAY_SECONDS: Final = 5.0
BEATS_EVERY: Final = 5
"""Sweeps between two heartbeats of this process."""


class SweepThread:
    """Sweeps until stopped; `serving` is who takes runs."""

    def __init__(self, process: Process, serving: RunningWorker) -> None:
        self.process, self.serving = process, serving
        self.runner, self.database = process.runner, process.database
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sweep_until_stopped, name="sweep", daemon=True)
        self._sweeps = 0
        self._minute: datetime | None = None

    def start(self) -> None:
        """Begin to sweep."""
        self._thread.start()

    def stop(self) -> None:
        """End after the sweep under way."""
        self._stop.set()
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def _sweep_until_stopped(self) -> None:
        while not self._stop.wait(SWEEP_SECONDS):
            try:
                self.sweep()
            except ExpectedError as error:
                log.warning("sweep.failed", error=str(error))

    def sweep(self) -> None:
        """One look: crashed runs, wake runs for due work, the watch of this minute, overdue runs."""
        self.runner.ring(self.database.transact(self._note))
        overdue = self.database.transact(
            lambda tx: wakes.overdue(
                tx, self.runner.known, seconds=OVERDUE_SECONDS, limit=OVERDUE_MAX
            )
        )
        for run, queue in overdue:
            self.serving.offer(queue, run)

    def _note(self, tx: Tx) -> list[tuple[int, str]]:
        self._bury(tx)
        made = self._crashed(tx)
        switches.lapse(tx)
        # Whoever ended maintenance may have died, or a run may have been held back as it ended.
        made += run_states.unhold(tx)
        made += wakes.wake(tx, self.runner.known)
        if self._sweeps % BEATS_EVERY == 0:
            claimed = self.process.worked.is_set()
            self.process.worked.clear()
            if not registry.beat(tx, self.runner.worker, claimed=claimed):
                registry.register(tx, self.process.registered)
            made += self._watch(tx)
        self._sweeps += 1
        return made

    def _bury(self, tx: Tx) -> None:
        """What a process of this machine held as it died is free at once, not when its leases end."""
        dead = [worker for worker in leases.holders(tx) if is_dead(worker)]
        if not dead:
            return
        named, items = leases.lapse(tx, dead, lease_seconds=self.runner.bounds.lease_seconds)
        log.warning("worker.died", worker=", ".join(dead), leases=named, items=items)

    def _crashed(self, tx: Tx) -> list[tuple[int, str]]:
        """Sweeps go on from their cursor, as the same run; items of the others come back by their leases."""
        again = []
        for run, job, attempts in run_states.mark_crashed(tx):
            log.warning("run.crashed", run_id=run, job=job)
            if isinstance(self.runner.jobs.get(job), Sweep) and attempts < ATTEMPTS_MAX:
                again.append(run)
        return run_states.requeue(tx, again, delay_seconds=CRASH_DELAY_SECONDS)

    def _watch(self, tx: Tx) -> list[tuple[int, str]]:
        """Ask for this minute's watch: by every worker, since the scheduler may be what is dead."""
        minute = now(tx).replace(second=0, microsecond=0)
        if minute == self._minute or Watch.name not in self.runner.jobs:
            return []
        self._minute = minute
        request = runs.Request(
            job=Watch.name,
            queue=Watch.queue.value,
            version=Watch.version,
            origin=Origin.WATCH,
            key=f"watch:{minute.isoformat()}",
        )
        return [(run.id, Watch.queue.value) for run in runs.enqueue(tx, [request]) if run.is_new]

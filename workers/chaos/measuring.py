"""The figures of recovery, one after the other on an otherwise quiet house: each beside its bound."""

import time
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from typing import Final

from db import findings, runs
from db.chaos import quiet
from domain.errors import ExpectedError
from domain.findings import Finding, FindingKind
from domain.runs import Origin
from schedules.timetable import TIMETABLE
from workers.broker import Bell
from workers.chaos.heard import listen
from workers.chaos.house import House
from workers.chaos.people import TICKS, People
from workers.chaos.programs import SCHEDULER
from workers.chaos.recovery import Figure, Recovery, kill_one
from workers.chaos.storm import LAST_EVERY_SECONDS, LAST_PAYOUTS, SLOW_SECONDS, Course
from workers.sweep import OVERDUE_SECONDS, SWEEP_SECONDS

WAKE_SECONDS: Final = 0.5
"""A run that starts so soon after it was due was rung for: the sweep takes longer."""
REDIS_BACK_SECONDS: Final = 5.0
POSTGRES_BACK_SECONDS: Final = 5.0
SCHEDULER_SECONDS: Final = 60.0 + 60.0 + max(TICKS.values())
"""A time is late after a minute, the watch comes each minute, and the next time must come first."""
GONE_SECONDS: Final = 3.0


class Measuring:
    """Called again and again by the supervisor's loop, as a storm is; `figures` fill while it runs."""

    def __init__(self, house: House, people: People) -> None:
        self.house, self.people = house, people
        self.course = Course(began_at=datetime.now(UTC))
        self.figures: list[Figure] = []
        self._ends_at = time.monotonic() + house.plan.storm_seconds + house.plan.quiet_seconds_max
        self._steps = self._measure()

    def step(self) -> bool:
        """Go on a little; True at the end, or when it took too long."""
        if time.monotonic() > self._ends_at:
            return True
        return next(self._steps, True) is True

    def _measure(self) -> Iterator[None]:
        yield from self._ready()
        yield from self._worker()
        yield from self._redis()
        yield from self._postgres()
        yield from self._scheduler()
        while not self._is_quiet():
            yield
        self.course.drained = True

    def _ready(self) -> Iterator[None]:
        while listen(self.house.log).events["worker.ready"] < len(self.house.workers):
            yield

    def _worker(self) -> Iterator[None]:
        """SIGKILL of the worker that holds most; nobody but its sibling is there to take over."""
        brought, recovery = 0.0, None
        while recovery is None:
            if brought + LAST_EVERY_SECONDS < time.monotonic():
                brought = time.monotonic()
                self.house.bank.order("slow", LAST_PAYOUTS, SLOW_SECONDS)
                self.people.owe(LAST_PAYOUTS)
            recovery = kill_one(self.house)
            yield
        while recovery.waits:
            recovery.look(self.house.observer)
            yield
        self.course.recovery = recovery
        self._note_worker(recovery)

    def _note_worker(self, recovery: Recovery) -> None:
        bound = recovery.bound_seconds
        self._note("a killed worker's work is free for others", recovery.freed_seconds, bound)
        self.figures.append(
            Figure(
                name=f"all {len(recovery.held)} it held, taken over behind other work",
                seconds=recovery.settled_seconds,
                bound_seconds=self.house.plan.quiet_seconds_max,
            )
        )

    def _redis(self) -> Iterator[None]:
        """Killed; the sweep alone works; started again: from its answer until a bell is heard."""
        redis = self.house.pair.redis
        redis.stop()
        started = yield from self._asked("without-redis", ring=False)
        self._note("Redis gone: due until begun", started, SWEEP_SECONDS + OVERDUE_SECONDS + 1.0)
        redis.start()
        back, number = time.monotonic(), 0
        while True:
            late = yield from self._asked(f"redis-back-{number}", ring=True)
            if late < WAKE_SECONDS:
                break
            number += 1
        self._note(
            "Redis back: until its bell is heard", time.monotonic() - back, REDIS_BACK_SECONDS
        )

    def _postgres(self) -> Iterator[None]:
        """SIGKILL of all its processes; from its answer until a run begins in a process that was there."""
        postgres = self.house.pair.postgres
        postgres.stop()
        gone = time.monotonic() + GONE_SECONDS
        while time.monotonic() < gone:
            yield
        self.house.start_servers()
        back = time.monotonic()
        yield from self._asked("postgres-back", ring=False)
        self._note(
            "Postgres back: until work begins", time.monotonic() - back, POSTGRES_BACK_SECONDS
        )

    def _scheduler(self) -> Iterator[None]:
        """Every scheduler is killed as often as it starts; until a finding says that they are silent."""
        began = time.monotonic()
        while time.monotonic() - began < SCHEDULER_SECONDS * 1.2:
            for child in self.house.named(SCHEDULER):
                child.kill()
            if self._is_silent():
                break
            yield
        self._note(
            "schedulers dead: until a finding says so", time.monotonic() - began, SCHEDULER_SECONDS
        )

    def _is_silent(self) -> bool:
        silent = Finding(kind=FindingKind.SCHEDULER_SILENT, subject="scheduler", detail="")
        with self.house.observer.begin() as tx:
            row = findings.get(tx, silent.key)
        return row is not None and row.resolved_at is None

    def _is_quiet(self) -> bool:
        with self.house.observer.begin() as tx:
            return quiet.look(tx).payouts == 0

    def _asked(self, key: str, *, ring: bool) -> Generator[None, None, float]:
        """Put a run on record; returns the seconds from due to begun, once it began."""
        job = TIMETABLE[0].job
        request = runs.Request(job=job, queue="money", version=1, origin=Origin.OPERATOR, key=key)
        made = None
        while made is None:
            try:
                with self.house.observer.begin() as tx:
                    [made] = runs.enqueue(tx, [request])
            except ExpectedError:
                yield
        if ring:
            bell = Bell(self.house.addresses.broker_url)
            bell.ring("money", [made.id])
            bell.close()
        while True:
            with self.house.observer.begin() as tx:
                late = quiet.begun_after(tx, made.id)
            if late is not None:
                return late
            yield

    def _note(self, name: str, seconds: float | None, bound_seconds: float) -> None:
        rounded = None if seconds is None else round(seconds, 2)
        self.figures.append(Figure(name=name, seconds=rounded, bound_seconds=bound_seconds))

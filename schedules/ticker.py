"""The scheduler's work: look at the timetable as it is in force, and record the times that came."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from db import clock, findings, schedule_settings, switches, ticks
from db.engine import Database
from db.schedule_settings import Effective
from db.ticks import Account, Recorded, Target
from db.tx import Tx
from domain.clocks import APART_SECONDS_MAX, Reading, apart_seconds, jumped_seconds
from domain.findings import Finding, FindingKind
from domain.schedules import Schedule
from schedules.accounting import is_due, next_part

Ring = Callable[[str, Sequence[int]], object]
"""Wakes a queue for runs; best effort."""
DATABASE: Final = "the database"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """This process's own clocks: the wall (aware UTC), and one that never jumps (seconds)."""

    wall: Callable[[], datetime]
    monotonic: Callable[[], float]


class Ticker:
    """Records ticks for a timetable; any number of them may do so at once, in any processes.

    `by` names this process in what it records, `host` the machine whose clock it judges.
    """

    def __init__(
        self,
        database: Database,
        timetable: Sequence[Schedule],
        targets: Mapping[str, Target],
        *,
        clocks: Clocks,
        ring: Ring,
        by: str,
        host: str,
    ) -> None:
        self.database, self.clocks, self.ring, self.by = database, clocks, ring, by
        self.timetable = {schedule.name: schedule for schedule in timetable}
        self.targets = {line.name: targets[line.job] for line in timetable}
        self.stop = threading.Event()
        self.refuses = False
        """This machine's clock and the database's are too far apart to record anything."""
        self._skew = Finding(kind=FindingKind.CLOCK_SKEW, subject=host, detail="")
        self._last: Reading | None = None

    def look(self) -> dict[str, datetime]:
        """Record what came, and return when the next time of each schedule comes.

        Reads settings and switches anew, so what was changed is in force from here.
        """
        with self.database.begin() as tx:
            self._judge_clocks(tx)
            in_force = schedule_settings.in_force(tx, self.timetable.values())
            ticks.see(tx, [(e.schedule.name, str(e.schedule.rhythm)) for e in in_force])
            ticks.retire(tx, list(self.timetable))
            switches.lapse(tx)
            _report_problems(tx, in_force)
            marks = {mark.schedule: mark for mark in ticks.progress(tx, list(self.timetable))}
        for effective in in_force:
            name = effective.schedule.name
            if is_due(effective, marks[name]):
                self.account(name)
        return self.next_times(list(self.timetable))

    def next_times(self, names: Sequence[str]) -> dict[str, datetime]:
        """When the next time of each schedule comes, as it was last worked out."""
        with self.database.begin() as tx:
            return {mark.schedule: mark.next_tick_at for mark in ticks.progress(tx, names)}

    def account(self, name: str) -> list[Recorded]:
        """Account for every time of schedule `name` up to now; returns what this call recorded."""
        recorded: list[Recorded] = []
        while not self.refuses and not self.stop.is_set():
            with self.database.begin() as tx:
                new, is_all = self._account_once(tx, name)
            recorded += new
            self._ring(name, new)
            if is_all:
                break
        return recorded

    def _account_once(self, tx: Tx, name: str) -> tuple[list[Recorded], bool]:
        effective = schedule_settings.in_force(tx, [self.timetable[name]])[0]
        mark = ticks.lock(tx, name)
        if mark is None or not is_due(effective, mark):
            return [], True
        part = next_part(effective, mark)
        account = Account(
            schedule=name,
            target=self.targets[name],
            ticks=part.ticks,
            rhythm=str(part.rhythm),
            accounted_until=part.accounted_until,
            next_tick_at=part.next_tick_at,
            by=self.by,
        )
        return ticks.record(tx, account), part.is_all

    def _ring(self, name: str, recorded: Sequence[Recorded]) -> None:
        runs = [tick.run for tick in recorded if tick.run is not None]
        if runs:
            self.ring(self.targets[name].queue, runs)

    def _judge_clocks(self, tx: Tx) -> None:
        reading = self._read_clocks(tx)
        seen: list[Finding] = []
        apart = apart_seconds(reading)
        refused, self.refuses = self.refuses, abs(apart) > APART_SECONDS_MAX
        if self.refuses:
            detail = f"its clock is {apart:+.1f} s from the database's: nothing is scheduled here"
            seen.append(_clock_finding(self._skew.subject, detail))
        elif refused or self._last is None:
            findings.cease(tx, [self._skew.key])
        if self._last is not None:
            jumped = jumped_seconds(self._last, reading)
            if abs(jumped) > APART_SECONDS_MAX:
                seen.append(_clock_finding(DATABASE, f"its clock jumped by {jumped:+.1f} s"))
        self._last = reading
        findings.report(tx, seen)

    def _read_clocks(self, tx: Tx) -> Reading:
        before = self.clocks.wall()
        database = clock.now(tx)
        return Reading(
            before=before,
            database=database,
            after=self.clocks.wall(),
            monotonic_seconds=self.clocks.monotonic(),
        )


def _clock_finding(subject: str, detail: str) -> Finding:
    return Finding(kind=FindingKind.CLOCK_SKEW, subject=subject, detail=detail)


def _report_problems(tx: Tx, in_force: Sequence[Effective]) -> None:
    kind = FindingKind.SCHEDULE_UNREADABLE
    seen = [
        Finding(kind=kind, subject=e.schedule.name, detail=e.problem)
        for e in in_force
        if e.problem is not None
    ]
    findings.observe(tx, kind, seen)

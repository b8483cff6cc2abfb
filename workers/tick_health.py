"""Whether the scheduler ticks: every schedule must be accounted for up to its last two times."""

from db import schedule_settings, ticks
from db.engine import Database
from schedules.clock import times_between
from schedules.timetable import TIMETABLE

PERIODS_MAX = 2


def late_schedules(database: Database) -> dict[str, float]:
    """Return the schedules of which two times have passed unrecorded, and for how long (seconds).

    A schedule that no scheduler ever saw is late since 0 seconds.
    """
    with database.begin() as tx:
        rhythms = {
            e.schedule.name: e.schedule.rhythm for e in schedule_settings.in_force(tx, TIMETABLE)
        }
        seen = {p.schedule: p for p in ticks.progress(tx, list(rhythms))}
    late = {}
    for name, rhythm in rhythms.items():
        progress = seen.get(name)
        if progress is None:
            late[name] = 0.0
            continue
        missed = times_between(rhythm, progress.accounted_until, progress.now, PERIODS_MAX)
        if len(missed) == PERIODS_MAX:
            late[name] = (progress.now - progress.accounted_until).total_seconds()
    return late

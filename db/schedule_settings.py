"""What operators changed of the timetable: data, read by every scheduler within seconds."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Tx
from domain.errors import BadInputError
from domain.schedules import CatchUp, Rhythm, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to change of one schedule; None leaves it. One of `cron` and `every_seconds` at most."""

    cron: str | None = None
    every_seconds: int | None = None
    timezone: str | None = None
    catch_up: CatchUp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """A schedule as it is in force, and who changed it, where somebody did.

    `problem` says why a stored change cannot be read: then the default is in force.
    """

    schedule: Schedule
    default: Schedule
    changed_by: str | None = None
    why: str | None = None
    changed_at: datetime | None = None
    problem: str | None = None


def in_force(tx: Tx, timetable: Iterable[Schedule]) -> list[Effective]:
    """The timetable with everybody's changes, in its own order."""
    stored = {row.schedule: row for row in tx.rows(sa.text("SELECT * FROM schedule_settings"))}
    return [_overlay(default, stored.get(default.name)) for default in timetable]


_SET: Final = sa.text("""
    INSERT INTO schedule_settings
      (schedule, cron, every_seconds, timezone, catch_up, changed_by, why)
    VALUES (:schedule, :cron, :every, :timezone, :catch_up, :who, :why)
    ON CONFLICT (schedule) DO UPDATE SET
      cron = excluded.cron, every_seconds = excluded.every_seconds, timezone = excluded.timezone,
      catch_up = excluded.catch_up, changed_by = excluded.changed_by, why = excluded.why,
      changed_at = clock_timestamp()""")


def set_(tx: Tx, default: Schedule, change: Change, *, who: str, why: str) -> Effective:
    """Change one schedule on top of what was changed before; returns it as it is in force now.

    Raises `BadInputError` for a rhythm that cannot be meant; nothing is written then.
    """
    if change.timezone == "":
        raise BadInputError("tz", "", "must be a name such as Europe/Berlin")
    if change == Change():
        raise BadInputError("schedule", default.name, "name something to change, or reset it")
    if change.cron is not None and change.every_seconds is not None:
        raise BadInputError("schedule", default.name, "must have either cron or every")
    statement = sa.text("SELECT * FROM schedule_settings WHERE schedule = :schedule FOR UPDATE")
    stored = tx.row(statement, schedule=default.name)
    wanted = _merge(stored, change)
    _apply(default, wanted)
    tx.run(
        _SET,
        schedule=default.name,
        cron=wanted.cron,
        every=wanted.every_seconds,
        timezone=wanted.timezone,
        catch_up=wanted.catch_up,
        who=who,
        why=why,
    )
    return in_force(tx, [default])[0]


def reset(tx: Tx, schedule: str) -> bool:
    """Go back to the default; False when nothing had been changed."""
    statement = sa.text("DELETE FROM schedule_settings WHERE schedule = :schedule")
    return tx.run(statement, schedule=schedule) == 1


def _merge(stored: Row | None, change: Change) -> Change:
    old = Change() if stored is None else _change(stored)
    if change.cron is not None:
        old = replace(old, cron=change.cron, every_seconds=None)
    if change.every_seconds is not None:
        old = replace(old, every_seconds=change.every_seconds, cron=None, timezone=None)
    return replace(
        old, timezone=change.timezone or old.timezone, catch_up=change.catch_up or old.catch_up
    )


def _change(row: Row) -> Change:
    catch_up = None if row.catch_up is None else CatchUp(row.catch_up)
    return Change(
        cron=row.cron, every_seconds=row.every_seconds, timezone=row.timezone, catch_up=catch_up
    )


def _apply(default: Schedule, change: Change) -> Schedule:
    rhythm = default.rhythm
    if change.every_seconds is not None:
        rhythm = Rhythm(every_seconds=change.every_seconds, timezone=change.timezone or "UTC")
    elif change.cron is not None:
        rhythm = Rhythm(cron=change.cron, timezone=change.timezone or rhythm.timezone)
    elif change.timezone is not None:
        rhythm = replace(rhythm, timezone=change.timezone)
    return replace(default, rhythm=rhythm, catch_up=change.catch_up or default.catch_up)


def _overlay(default: Schedule, row: Row | None) -> Effective:
    if row is None:
        return Effective(schedule=default, default=default)
    told = {"changed_by": row.changed_by, "why": row.why, "changed_at": row.changed_at}
    try:
        return Effective(schedule=_apply(default, _change(row)), default=default, **told)
    except BadInputError as error:
        return Effective(schedule=default, default=default, problem=str(error), **told)

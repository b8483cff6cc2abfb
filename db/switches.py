"""Switches: maintenance, pauses and brakes; who turned each, when and why, with their history.

A switch that is on holds something back, but for `notices`, which lets something be told. Every statement that must obey one reads it itself.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Rows, Tx
from domain.listings import SwitchState
from domain.switches import check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One switch as it stands."""

    name: str
    is_on: bool
    who: str
    why: str
    at: datetime
    until: datetime | None


_TURN: Final = sa.text("""
    WITH turned AS (
      INSERT INTO switches AS s (name, is_on, who, why, until)
      SELECT :name, :is_on, :who, :why, CAST(:until AS timestamptz)
      -- One that was never on needs no turning off.
      WHERE :is_on OR EXISTS (SELECT FROM switches WHERE name = :name)
      ON CONFLICT (name) DO UPDATE SET
        is_on = excluded.is_on, who = excluded.who, why = excluded.why, until = excluded.until,
        at = clock_timestamp()
      WHERE s.is_on <> excluded.is_on OR s.is_on AND s.until IS DISTINCT FROM excluded.until
      RETURNING *),
    noted AS (
      INSERT INTO switch_changes (name, is_on, who, why) SELECT name, is_on, who, why FROM turned)
    SELECT * FROM turned""")


def turn(
    tx: Tx, name: str, *, on: bool, who: str, why: str, until: datetime | None = None
) -> Switch | None:
    """Turn a switch and note who and why; None when it stood so already (nothing is written).

    Raises `BadInputError` for a name that holds nothing back.
    """
    row = tx.row(
        _TURN, name=check_name(name), is_on=on, who=who, why=why, until=until if on else None
    )
    return None if row is None else _switch(row)


_FIRST: Final = sa.text("""
    WITH turned AS (
      INSERT INTO switches (name, is_on, who, why) VALUES (:name, true, :who, :why)
      ON CONFLICT (name) DO NOTHING RETURNING *)
    INSERT INTO switch_changes (name, is_on, who, why) SELECT name, is_on, who, why FROM turned""")


def turn_on_first(tx: Tx, name: str, *, who: str, why: str) -> None:
    """Turn on a switch that nobody ever turned: once somebody has, it stands as they left it."""
    tx.run(_FIRST, name=check_name(name), who=who, why=why)


_LAPSE: Final = sa.text("""
    WITH lapsed AS (
      UPDATE switches SET is_on = false, who = 'bursar', why = 'its time is over', until = NULL,
             at = clock_timestamp()
      WHERE is_on AND until <= clock_timestamp() RETURNING name, is_on, who, why),
    noted AS (
      INSERT INTO switch_changes (name, is_on, who, why) SELECT name, is_on, who, why FROM lapsed)
    SELECT name FROM lapsed""")


def lapse(tx: Tx) -> list[str]:
    """Turn off what was on until a time that is over; returns the names."""
    return [row.name for row in tx.rows(_LAPSE)]


def is_on(tx: Tx, name: str) -> bool:
    """Say whether a switch is on."""
    return bool(tx.scalar(sa.text("SELECT is_on FROM switches WHERE name = :name"), name=name))


def all_on(tx: Tx) -> dict[str, Switch]:
    """Every switch that is on, by name."""
    rows = tx.rows(sa.text("SELECT * FROM switches WHERE is_on ORDER BY name"))
    return {row.name: _switch(row) for row in rows}


_LISTING: Final = sa.text("""
    SELECT * FROM (
      SELECT name AS switch, CASE WHEN is_on THEN 'on' ELSE 'off' END AS state, who, why, at, until FROM switches) s
    WHERE :state IN (state, 'all') AND (CAST(:after AS text) IS NULL OR switch > :after)
    ORDER BY switch LIMIT :limit""")


def listing(
    tx: Tx, *, state: SwitchState = SwitchState.ALL, after: str | None = None, limit: int = 50
) -> Rows:
    """A page of switches by name, of those that were ever turned."""
    return tx.page(_LISTING, state=state, after=after, limit=limit)


_HISTORY: Final = sa.text("""
    SELECT id, at, name AS switch, is_on, who, why FROM switch_changes
    WHERE name = :name AND (CAST(:after AS bigint) IS NULL OR id < :after) ORDER BY id DESC LIMIT :limit""")


def history(tx: Tx, name: str, *, after: int | None = None, limit: int = 50) -> Rows:
    """A page of the turnings of one switch, newest first."""
    return tx.page(_HISTORY, name=name, after=after, limit=limit)


def _switch(row: Row) -> Switch:
    return Switch(
        name=row.name, is_on=row.is_on, who=row.who, why=row.why, at=row.at, until=row.until
    )

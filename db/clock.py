"""The one clock: the database's."""

from datetime import date, datetime

import sqlalchemy as sa

from db.tx import Tx


def now(tx: Tx) -> datetime:
    """The database's clock now (not the transaction's start), aware UTC."""
    found: datetime = tx.scalar(sa.text("SELECT clock_timestamp()"))
    return found


def latest_day(tx: Tx) -> date:
    """The date where it is latest on Earth (UTC+14): a day after this one is still to come everywhere."""
    found: date = tx.scalar(
        sa.text("SELECT CAST(clock_timestamp() AT TIME ZONE 'UTC' + interval '14 hours' AS date)")
    )
    return found

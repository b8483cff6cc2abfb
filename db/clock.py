"""The one clock: the database's."""

from datetime import datetime

import sqlalchemy as sa

from db.tx import Tx


def now(tx: Tx) -> datetime:
    """The database's clock now (not the transaction's start), aware UTC."""
    found: datetime = tx.scalar(sa.text("SELECT clock_timestamp()"))
    return found

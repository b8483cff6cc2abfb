"""Sums of payouts by the day they were created and the state they are in."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db.tx import Rows, Tx

_OF: Final = """
    FROM payouts p WHERE p.created_at >= :start AND p.created_at < :end"""
_SUMS: Final = """count(*) AS payouts, CAST(sum(p.amount) AS bigint) AS amount_minor,
           -- Of what ended unpaid, or was given back, a payout tells only what its last request would have kept back.
           CAST(coalesce(sum(p.tds_deducted) FILTER (WHERE p.state IN ('APPROVED', 'PROCESSING', 'COMPLETED')), 0) AS bigint) AS tax_minor,
           CAST(coalesce(sum(p.recovered) FILTER (WHERE p.state IN ('APPROVED', 'PROCESSING', 'COMPLETED')), 0) AS bigint) AS recovered_minor"""

_BY_DAY: Final = sa.text(f"""
    SELECT CAST(p.created_at AT TIME ZONE 'UTC' AS date) AS day, p.state, p.currency, {_SUMS} {_OF}
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""")

_BY_STATE: Final = sa.text(f"""
    SELECT p.state, p.currency, {_SUMS} {_OF} GROUP BY 1, 2 ORDER BY 1, 2""")


def by_day(tx: Tx, start: datetime, end: datetime) -> Rows:
    """Payouts created in `[start, end)`, by day (UTC), state and currency."""
    return tx.page(_BY_DAY, start=start, end=end)


def by_state(tx: Tx, start: datetime, end: datetime) -> Rows:
    """Payouts created in `[start, end)`, by state and currency."""
    return tx.page(_BY_STATE, start=start, end=end)

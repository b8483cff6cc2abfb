"""Payments that were captured for nothing: a page of them, for whoever says so."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Tx

_PAGE: Final = sa.text("""
    SELECT p.id, p.booking, p.amount, p.currency, p.paid_at, b.state AS booking_state
    FROM payments p JOIN bookings b ON b.id = p.booking
    WHERE p.orphaned AND NOT p.given_back AND p.id > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000')
    ORDER BY p.id LIMIT :limit""")


def orphans(tx: Tx, after: UUID | None, limit: int) -> Sequence[Row]:
    """Orphaned payments that were not given back, behind `after`, in the order of their ids: id, booking and its state, amount, when paid."""
    return tx.rows(_PAGE, after=after, limit=limit)

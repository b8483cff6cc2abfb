"""End the wait for what has begun."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.moving import shift
from db.transitions import LeasedTx
from domain.waitlist import WAITLIST, WaitState

_LINE: Final = sa.text("""
    SELECT id FROM waitlist WHERE appointment = ANY(CAST(:ids AS uuid[])) AND state = 'WAITING' ORDER BY id LIMIT :limit""")


def skip(tx: LeasedTx, appointments: Sequence[UUID], limit: int | None = None) -> int:
    """Skip whoever waits for appointments that this transaction has locked, `limit` at most; returns how many."""
    if not appointments:
        return 0
    line = tx.rows(_LINE, ids=list(appointments), limit=limit)
    waiting = {row.id: WaitState.WAITING for row in line}
    shift(tx, WAITLIST, waiting, WaitState.SKIPPED, reason="its appointment began")
    return len(waiting)

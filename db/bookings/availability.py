"""What may be booked: of candidate times those that are free, of a shared plan the next appointments with places.

A look, which may be old by the time somebody acts on it: a checkout looks again under lock.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Tx
from domain.booking_errors import UnknownError
from domain.errors import BadInputError

CANDIDATES_MAX: Final = 500
APPOINTMENTS_MAX: Final = 100

_PLAN: Final = sa.text("""
    SELECT l.minutes, c.number FROM plans l JOIN consultants c ON c.payee = l.consultant
    WHERE l.id = :plan AND l.active""")
_FREE: Final = sa.text("""
    SELECT w.starts FROM unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])) AS w (starts, ends)
    WHERE w.starts > clock_timestamp() AND NOT EXISTS (
      SELECT FROM slots s JOIN appointments a ON a.id = s.appointment
      -- No slot lasts longer than a day: the index is read in this stretch alone.
      WHERE s.consultant = :consultant AND s.starts_at > w.starts - interval '24 hours' AND s.starts_at < w.ends
        AND s.ends_at > w.starts AND (s.confirmed OR a.state = 'TENTATIVE'))
    ORDER BY w.starts""")


def free_times(tx: Tx, plan: UUID, candidates: Sequence[datetime]) -> list[datetime]:
    """Of at most `CANDIDATES_MAX` times (aware), those at which a private plan could begin, in order.

    Raises `UnknownError` for a plan that may not be booked, `BadInputError` for too many times.
    """
    if len(candidates) > CANDIDATES_MAX:
        raise BadInputError("candidates", len(candidates), f"must be at most {CANDIDATES_MAX}")
    row = tx.row(_PLAN, plan=plan)
    if row is None:
        raise UnknownError(f"there is no plan {plan} that may be booked")
    if not candidates:
        return []
    ends = [at + timedelta(minutes=row.minutes) for at in candidates]
    found = tx.rows(_FREE, consultant=row.number, starts=list(candidates), ends=ends)
    return [one.starts for one in found]


_OPEN: Final = sa.text("""
    SELECT a.id, a.external_id, a.starts_at, a.ends_at, a.capacity, a.capacity - a.taken AS free
    FROM appointments a JOIN plans l ON l.id = a.plan
    WHERE a.plan = :plan AND l.active AND a.state = 'PLANNED' AND a.starts_at > greatest(CAST(:after AS timestamptz), clock_timestamp())
    ORDER BY a.starts_at, a.id LIMIT :limit""")


def open_appointments(tx: Tx, plan: UUID, *, after: datetime | None = None) -> Sequence[Row]:
    """The next `APPOINTMENTS_MAX` published appointments of a shared plan, with how many places are free."""
    return tx.rows(_OPEN, plan=plan, after=after, limit=APPOINTMENTS_MAX)

"""The facts behind `bursar why waitlist`."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import why_subjects
from db.tx import Tx
from domain.waitlist import WAITLIST
from domain.why_waitlist import LineFacts

_LINE: Final = sa.text("""
    SELECT CAST(a.id AS text) AS appointment, a.state AS appointment_state, CAST(a.starts_at AS text) AS starts_at, a.taken, a.capacity,
           CAST(w.expires_at AS text) AS expires_at,
           (SELECT count(*) FROM waitlist o WHERE o.appointment = w.appointment AND o.state = 'WAITING'
              AND (-o.priority, o.joined_at, o.id) < (-w.priority, w.joined_at, w.id)) AS ahead
    FROM waitlist w JOIN appointments a ON a.id = w.appointment WHERE w.id = :id""")


def entry(tx: Tx, id_: UUID) -> LineFacts:
    """The facts about one entry. Raises `NotFoundError`."""
    subject = why_subjects.subject(tx, WAITLIST, id_)
    row = tx.row(_LINE, id=id_)
    assert row is not None, "it was found a moment ago"
    return LineFacts(subject=subject, **row._asdict())

"""The facts behind `bursar why waitlist`."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import why_subjects
from db.tx import Tx
from domain.waitlist import WAITLIST
from domain.why_waitlist import LineFacts

_LINE: Final = sa.text("""
    SELECT c.external_id AS customer, CAST(a.id AS text) AS appointment, a.state AS appointment_state,
           CAST(a.starts_at AS text) AS starts_at, a.taken, a.capacity, CAST(w.expires_at AS text) AS expires_at,
           (SELECT count(*) FROM waitlist o WHERE o.appointment = w.appointment AND o.state = 'WAITING'
              AND (-o.priority, o.joined_at, o.id) < (-w.priority, w.joined_at, w.id)) AS ahead,
           (SELECT m.actor || coalesce(': ' || m.reason, '') FROM moves m
            WHERE m.subject = w.id AND m.kind = 'waitlist' ORDER BY m.at DESC LIMIT 1) AS moved,
           CAST(b.external_id AS text) AS booking, b.state AS booking_state,
           ARRAY(SELECT format('mail %s of %s is %s', m.id, m.kind, m.state) FROM mails m
                 WHERE m.subject = w.id ORDER BY m.created_at LIMIT 10) AS mails
    FROM waitlist w JOIN appointments a ON a.id = w.appointment JOIN customers c ON c.id = w.customer
    LEFT JOIN payments p ON p.id = w.payment LEFT JOIN bookings b ON b.id = p.booking
    WHERE w.id = :id""")


def entry(tx: Tx, id_: UUID) -> LineFacts:
    """The facts about one entry. Raises `NotFoundError`."""
    subject = why_subjects.subject(tx, WAITLIST, id_)
    row = tx.row(_LINE, id=id_)
    assert row is not None, "it was found a moment ago"
    told = row._asdict() | {"mails": tuple(row.mails)}
    return LineFacts(subject=subject, **told)

"""What customers are told of refunds, read in the transaction of what it tells of."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.mails.write import Draft, write
from db.tx import Row, Tx
from domain.mails import MailKind

_FACTS: Final = sa.text("""
    SELECT r.id, r.amount AS amount_minor, r.currency, c.name, c.email, l.id AS plan, l.title
    FROM refunds r JOIN payments p ON p.id = r.payment JOIN bookings b ON b.id = p.booking
    JOIN customers c ON c.id = p.customer JOIN plans l ON l.id = b.plan
    -- Whose bank took it back knows.
    WHERE r.id = ANY(CAST(:ids AS uuid[])) AND r.origin <> 'dispute' AND c.email IS NOT NULL ORDER BY r.id""")


def tell(tx: Tx, refunds: Sequence[UUID]) -> int:
    """Write a mail about each of these refunds; returns how many were written."""
    return write(tx, [_draft(row) for row in tx.rows(_FACTS, ids=list(refunds))])


def _draft(row: Row) -> Draft:
    return Draft(
        kind=MailKind.REFUND_GIVEN,
        subject=row.id,
        recipient=row.email,
        facts={
            "name": row.name,
            "title": row.title,
            "plan": str(row.plan),
            "amount_minor": row.amount_minor,
            "currency": row.currency,
        },
    )

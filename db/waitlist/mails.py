"""What people who wait are told, read in the transaction of what it tells of."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.mails.write import Draft, write
from db.tx import Row, Tx
from domain.mails import POLICIES, MailKind

_FACTS: Final = sa.text("""
    SELECT w.id, w.expires_at, c.name, c.email, l.id AS plan, l.title, a.starts_at
    FROM waitlist w JOIN customers c ON c.id = w.customer JOIN appointments a ON a.id = w.appointment JOIN plans l ON l.id = a.plan
    WHERE w.id = ANY(CAST(:ids AS uuid[])) AND c.email IS NOT NULL ORDER BY w.id""")


def tell(tx: Tx, kind: MailKind, entries: Sequence[UUID]) -> int:
    """Write a mail of `kind` about each of these entries; returns how many were written.

    Told of an offer is nobody once it ended: of its end everybody.
    """
    if not entries:
        return 0
    rows = tx.rows(_FACTS, ids=list(entries))
    return write(tx, [_draft(kind, row) for row in rows])


def _draft(kind: MailKind, row: Row) -> Draft:
    known = {
        "name": row.name,
        "title": row.title,
        "plan": str(row.plan),
        "starts_at": row.starts_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "entry": str(row.id),
    }
    over = None if kind is MailKind.WAITLIST_EXPIRED else row.expires_at
    facts: dict[str, object] = {field: known[field] for field in POLICIES[kind].fields}
    return Draft(kind=kind, subject=row.id, recipient=row.email, facts=facts, good_until=over)

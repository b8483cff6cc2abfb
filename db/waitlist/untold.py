"""Offers that tell nobody: a finding of their appointment, until their customers are told or nothing is held for them.

A place that is held for somebody who does not know of it is lost to both: a person looks.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import findings
from db.tx import Row, Tx
from db.waitlist.mails import tell
from domain.findings import Finding, FindingKind
from domain.mails import MailKind

KIND: Final = FindingKind.OFFER_TELLS_NOBODY
_UNTOLD: Final = sa.text("""
    SELECT w.appointment, count(*) AS many, count(*) FILTER (WHERE c.email IS NULL) AS without, min(w.expires_at) AS until
    FROM waitlist w JOIN customers c ON c.id = w.customer
    WHERE w.id = ANY(CAST(:ids AS uuid[]))
      AND NOT EXISTS (SELECT FROM mails m WHERE m.subject = w.id AND m.kind = ANY(CAST(:kinds AS text[])))
    GROUP BY w.appointment ORDER BY w.appointment""")
_TOLD_BY: Final = [MailKind.WAITLIST_OFFERED, MailKind.WAITLIST_REMINDER]


def say_who_is_untold(tx: Tx, offers: Sequence[UUID]) -> list[str]:
    """Report the appointments of those of `offers` of which no mail tells; returns the keys of the findings."""
    rows = tx.rows(_UNTOLD, ids=list(offers), kinds=_TOLD_BY) if offers else []
    found = [_finding(row) for row in rows]
    findings.report(tx, found)
    return [finding.key for finding in found]


def _finding(row: Row) -> Finding:
    detail = (
        f"{row.many} offers of it tell nobody, {row.without} for want of an address; "
        f"the first ends {row.until:%Y-%m-%d %H:%M} UTC"
    )
    return Finding(kind=KIND, subject=f"appointment {row.appointment}", detail=detail)


_OPEN: Final = sa.text("""
    -- Locked, so that whoever reports one of these meanwhile does it after this, and opens it anew.
    SELECT key, CAST(split_part(subject, ' ', 2) AS uuid) AS appointment FROM findings
    WHERE kind = :kind AND resolved_at IS NULL ORDER BY key FOR UPDATE""")
_STANDING: Final = sa.text("""
    SELECT id FROM waitlist
    WHERE appointment = ANY(CAST(:appointments AS uuid[])) AND state IN ('NOTIFIED', 'REMINDED') ORDER BY id""")


def look_again(tx: Tx) -> None:
    """Tell those who can be told by now; an open finding whose offers are all told of, or ended, is resolved."""
    open_ = tx.rows(_OPEN, kind=KIND)
    if not open_:
        return
    rows = tx.rows(_STANDING, appointments=[row.appointment for row in open_])
    offers = [row.id for row in rows]
    tell(tx, MailKind.WAITLIST_OFFERED, offers)
    left = say_who_is_untold(tx, offers)
    findings.cease(tx, [row.key for row in open_ if row.key not in left])

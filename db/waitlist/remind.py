"""Remind whoever has an offer: once, twelve hours before its end, or as soon as that was noticed to be missed."""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from db.bookings.moving import shift
from db.clock import now
from db.transitions import take
from db.tx import Tx
from db.waitlist.mails import tell
from db.work import ClaimOrder, Next
from domain.mails import MailKind
from domain.waitlist import REMIND, WAITLIST, WaitState


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """How many entries were taken, and moved on, with how many mails."""

    taken: int
    reminded: int
    mails: int


_DUE: Final = sa.text("""
    SELECT id, state, expires_at FROM waitlist WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE""")


def remind(tx: Tx, order: ClaimOrder) -> Reminded:
    """Write the reminder of up to `order.limit` offers; of those whose end has come meanwhile, none.

    Whether it was sent is the mail's own state: it is tried again without another word of this job.
    """
    leased = take(tx, REMIND, order)
    ids = list(leased.held)
    if not ids:
        return Reminded(taken=0, reminded=0, mails=0)
    at = now(leased)
    rows = leased.rows(_DUE, ids=ids)
    due = [row for row in rows if row.state == WaitState.NOTIFIED]
    notified = {row.id: WaitState.NOTIFIED for row in due}
    ends = {row.id: row.expires_at for row in due}
    shift(leased, WAITLIST, notified, WaitState.REMINDED, due=ends)
    leased.settle([Next(subject=id_, job=None) for id_ in ids if id_ not in notified])
    mails = tell(leased, MailKind.WAITLIST_REMINDER, [row.id for row in due if row.expires_at > at])
    return Reminded(taken=len(ids), reminded=len(due), mails=mails)

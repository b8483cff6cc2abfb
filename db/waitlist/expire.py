"""End offers that nobody answered: the place of each goes to whoever is next, once.

Whoever lets an offer expire frees its place in the same transaction, and a freed place makes its appointment
FREED: so there is one new offer for each that ended, and nothing to be remembered in between.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from db.bookings.facts import lock
from db.bookings.moving import shift
from db.bookings.places import give_back
from db.transitions import hold, take
from db.tx import Tx
from db.waitlist.mails import tell
from db.work import ClaimOrder, Next
from domain.mails import MailKind
from domain.waitlist import EXPIRE, WAITLIST, WaitState


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """How many entries were taken, and expired."""

    taken: int
    expired: int


_AT: Final = sa.text("""
    SELECT DISTINCT appointment FROM waitlist WHERE id = ANY(CAST(:ids AS uuid[]))""")
_DUE: Final = sa.text("""
    SELECT id, appointment, state, greatest(expires_at - clock_timestamp(), interval '0') AS ends_in
    FROM waitlist WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id""")


def expire(tx: Tx, order: ClaimOrder) -> Expired:
    """End up to `order.limit` offers whose time is over; one that was taken meanwhile is left alone."""
    mine = take(tx, EXPIRE, order)
    ids = list(mine.held)
    if not ids:
        return Expired(taken=0, expired=0)
    appointments = [row.appointment for row in mine.rows(_AT, ids=ids)]
    leased = hold(mine, appointments, run=order.run, actor=mine.actor)
    lock(leased, "appointment", appointments)
    rows = leased.rows(_DUE, ids=ids)
    over = [row for row in rows if row.state == WaitState.REMINDED and not row.ends_in]
    reminded = {row.id: WaitState.REMINDED for row in over}
    shift(leased, WAITLIST, reminded, WaitState.EXPIRED, reason="not answered in time")
    early = {row.id: row.ends_in for row in rows if row.state == WaitState.REMINDED and row.ends_in}
    leased.settle(
        [Next(subject=id_, job=EXPIRE, delay=wait) for id_, wait in early.items()]
        + [Next(subject=id_, job=None) for id_ in ids if id_ not in {*reminded, *early}]
    )
    give_back(leased, Counter(row.appointment for row in over))
    tell(leased, MailKind.WAITLIST_EXPIRED, list(reminded))
    return Expired(taken=len(ids), expired=len(over))

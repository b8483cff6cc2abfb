"""Offer what was freed: the first in line have a place held for them, counted as taken from here on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.facts import lock
from db.bookings.moving import shift
from db.clock import now
from db.transitions import LeasedTx, take
from db.tx import Row, Tx
from db.waitlist.mails import tell
from db.waitlist.skip import skip
from db.waitlist.untold import say_who_is_untold
from db.work import ClaimOrder, Next
from domain.appointments import APPOINTMENTS, AppointmentState
from domain.mails import MailKind
from domain.waitlist import OFFER, WAITLIST, OfferPolicy, WaitState


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """How many appointments were looked at, and how many offers were made."""

    taken: int
    offers: int
    skipped: int
    """Entries whose appointment had begun."""


_FREED: Final = sa.text("""
    SELECT id, state, ends_at, starts_at, starts_at <= :at AS has_begun
    FROM appointments WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id""")
_NEXT: Final = sa.text("""
    -- Of each the first in line, as many as are free; the lines are locked with their appointments.
    SELECT w.id, w.appointment, a.starts_at
    FROM appointments a CROSS JOIN LATERAL (
      SELECT w.id, w.appointment, w.priority, w.joined_at FROM waitlist w WHERE w.appointment = a.id AND w.state = 'WAITING'
      ORDER BY w.priority DESC, w.joined_at, w.id LIMIT a.capacity - a.taken) w
    WHERE a.id = ANY(CAST(:ids AS uuid[])) ORDER BY a.id, w.priority DESC, w.joined_at, w.id LIMIT :limit""")
_HOLD: Final = sa.text("""
    UPDATE appointments a SET taken = a.taken + h.places, updated_at = clock_timestamp()
    FROM (SELECT appointment, count(*) AS places FROM unnest(CAST(:appointments AS uuid[])) AS g (appointment) GROUP BY 1) h
    WHERE a.id = h.appointment""")
_UNTIL: Final = sa.text("""
    UPDATE waitlist w SET expires_at = g.ends
    FROM unnest(CAST(:ids AS uuid[]), CAST(:ends AS timestamptz[])) AS g (id, ends) WHERE w.id = g.id""")


def offer(tx: Tx, order: ClaimOrder, policy: OfferPolicy) -> Offered:
    """Make the offers of up to `order.limit` FREED appointments, as many at most in all, each for as long as `policy` says.

    An appointment is PLANNED again once nothing is free or nobody waits, in the transaction of its last
    offer; where there is more than fits in one, it stays FREED, and due. Of one that has begun nothing is
    offered: who waits for it is SKIPPED.
    """
    leased = take(tx, OFFER, order)
    ids = sorted(leased.held)
    if not ids:
        return Offered(taken=0, offers=0, skipped=0)
    lock(leased, "appointment", ids)
    at = now(leased)
    rows = leased.rows(_FREED, ids=ids, at=at)
    freed = [row for row in rows if row.state == AppointmentState.FREED]
    open_ = [row.id for row in freed if not row.has_begun]
    first = leased.rows(_NEXT, ids=open_, limit=order.limit) if open_ else []
    _notify(leased, first, at, policy)
    skipped = skip(leased, [row.id for row in freed if row.has_begun], order.limit)
    full = max(len(first), skipped) >= order.limit
    unfinished = _unfinished(leased, [row.id for row in freed]) if full else set()
    done = [row for row in freed if row.id not in unfinished]
    shift(
        leased,
        APPOINTMENTS,
        {row.id: AppointmentState.FREED for row in done},
        AppointmentState.PLANNED,
        due={row.id: row.ends_at for row in done},
    )
    elsewhere = set(ids) - {row.id for row in freed}
    leased.settle(
        [Next(subject=id_, job=OFFER) for id_ in sorted(unfinished)]
        + [Next(subject=id_, job=None) for id_ in sorted(elsewhere)]
    )
    return Offered(taken=len(ids), offers=len(first), skipped=skipped)


def _notify(tx: LeasedTx, first: Sequence[Row], at: datetime, policy: OfferPolicy) -> None:
    if not first:
        return
    ends: dict[UUID, datetime] = {row.id: policy.ends(at, row.starts_at) for row in first}
    tx.run(_HOLD, appointments=[row.appointment for row in first])
    tx.run(_UNTIL, ids=list(ends), ends=list(ends.values()))
    due = {id_: policy.reminder(at, end) for id_, end in ends.items()}
    waiting = dict.fromkeys(ends, WaitState.WAITING)
    shift(tx, WAITLIST, waiting, WaitState.NOTIFIED, reason="a place is held", due=due)
    if tell(tx, MailKind.WAITLIST_OFFERED, list(ends)) < len(ends):
        say_who_is_untold(tx, list(ends))


_UNFINISHED: Final = sa.text("""
    SELECT a.id FROM appointments a
    WHERE a.id = ANY(CAST(:ids AS uuid[])) AND (a.taken < a.capacity OR a.starts_at <= clock_timestamp())
      AND EXISTS (SELECT FROM waitlist w WHERE w.appointment = a.id AND w.state = 'WAITING')""")


def _unfinished(tx: Tx, ids: Sequence[UUID]) -> set[UUID]:
    return {row.id for row in tx.rows(_UNFINISHED, ids=list(ids))} if ids else set()

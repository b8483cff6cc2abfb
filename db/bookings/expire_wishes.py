"""Wishes whose time is over: nobody decided on them, or nobody began a checkout of what was approved."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.facts import lock
from db.bookings.moving import shift
from db.clock import now
from db.transitions import take
from db.tx import Tx
from db.work import ClaimOrder, Next
from domain.bookings import BOOKINGS, EXPIRE_WISHES, WISH_FOR, BookingState

_REASONS: Final = {
    BookingState.PENDING: "nobody decided on it in time",
    BookingState.APPROVED: "no checkout of it was begun in time",
}
"""Why a wish ends where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredWishes:
    """How many wishes were taken and ended; the others have time left."""

    taken: int
    ended: int


_SINCE: Final = sa.text("""
    SELECT id, state, updated_at + CAST(:wish_for AS interval) AS ends_at FROM bookings
    WHERE id = ANY(CAST(:ids AS uuid[])) AND state = ANY(CAST(:states AS text[]))""")


def expire_wishes(tx: Tx, order: ClaimOrder) -> ExpiredWishes:
    """End due wishes that have been where they are for as long as a wish may; those that have not keep their time.

    When a wish was asked for, or approved, says its row alone: whoever moved it by SQL gave it no due time.
    """
    leased = take(tx, EXPIRE_WISHES, order)
    ids = list(leased.held)
    if not ids:
        return ExpiredWishes(taken=0, ended=0)
    lock(leased, "booking", ids)
    found = leased.rows(_SINCE, ids=ids, states=list(_REASONS), wish_for=WISH_FOR)
    at = now(leased)
    over = {row.id: row.state for row in found if row.ends_at <= at}
    left = {row.id: row.ends_at - at for row in found if row.ends_at > at}
    leased.settle([_next(id_, left.get(id_)) for id_ in ids if id_ not in over])
    for state, reason in _REASONS.items():
        ended = {id_: was for id_, was in over.items() if was == state}
        shift(leased, BOOKINGS, ended, BookingState.EXPIRED, reason=reason)
    return ExpiredWishes(taken=len(ids), ended=len(over))


def _next(wish: UUID, left: timedelta | None) -> Next:
    """What is no wish any more waits for nothing."""
    if left is None:
        return Next(subject=wish, job=None)
    return Next(subject=wish, job=EXPIRE_WISHES, delay=left)

"""Offers whose checkout the gateway refused: each stands again for the time that it has left."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.facts import Checkout
from db.bookings.moving import shift
from db.clock import now
from db.transitions import LeasedTx
from domain.appointments import SeatState
from domain.waitlist import WAITLIST, OfferPolicy, WaitState

_TOOK: Final = sa.text("""
    SELECT w.id, w.payment, w.appointment, w.expires_at FROM waitlist w
    WHERE w.payment = ANY(CAST(:payments AS uuid[])) AND w.state = 'BOOKED' AND w.expires_at IS NOT NULL
      -- Who waits anew has another entry.
      AND NOT EXISTS (SELECT FROM waitlist o WHERE o.appointment = w.appointment AND o.customer = w.customer
                        AND o.state IN ('WAITING', 'NOTIFIED', 'REMINDED'))
    ORDER BY w.id FOR UPDATE""")
_LET_GO: Final = sa.text("UPDATE waitlist SET payment = NULL WHERE id = ANY(CAST(:ids AS uuid[]))")


def stand_again(tx: LeasedTx, checkouts: Sequence[Checkout]) -> set[UUID]:
    """Give the places of refused checkouts back to the offers they were taken from; returns the seats that had them.

    Nobody who waited is forgotten for what the gateway said. An offer whose time is over by now ends as
    every offer does, and its place goes to whoever is next.
    """
    seats = {
        (c.payment, seat.appointment): seat.id
        for c in checkouts
        for seat in c.seats
        if seat.state == SeatState.TENTATIVE and seat.places == 1
    }
    if not seats:
        return set()
    rows = tx.rows(_TOOK, payments=[payment for payment, _ in seats])
    took = [row for row in rows if (row.payment, row.appointment) in seats]
    if not took:
        return set()
    at, policy = now(tx), OfferPolicy()
    shift(
        tx,
        WAITLIST,
        {row.id: WaitState.BOOKED for row in took},
        WaitState.NOTIFIED,
        reason="the gateway refused its checkout",
        due={row.id: policy.reminder(at, row.expires_at) for row in took},
    )
    tx.run(_LET_GO, ids=[row.id for row in took])
    return {seats[row.payment, row.appointment] for row in took}

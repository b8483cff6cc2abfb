"""Checkouts whose time is over: those that are still PENDING are ended with all that hangs on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.bookings.facts import grip
from db.bookings.release import Ending, end_unpaid
from db.clock import now
from db.transitions import LeasedTx, take
from db.tx import Tx
from db.work import ClaimOrder, Next
from domain.bookings import BookingState
from domain.payments import EXPIRE_CHECKOUTS, PaymentState

_EXPIRED: Final = Ending(
    payment=PaymentState.EXPIRED, booking=BookingState.EXPIRED, reason="not paid in time"
)
_REFUSED: Final = Ending(payment=PaymentState.FAILED, booking=None, reason="refused by the gateway")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """How many checkouts were taken, ended, and left alone because they may still be paid."""

    taken: int
    ended: int
    places_released: int


def expire_checkouts(tx: Tx, order: ClaimOrder) -> Expired:
    """End due checkouts that are PENDING and past their time; the others keep their date."""
    due = take(tx, EXPIRE_CHECKOUTS, order)
    if not due.held:
        return Expired(taken=0, ended=0, places_released=0)
    leased, checkouts = grip(due, list(due.held), run=order.run, actor=due.actor)
    at = now(tx)
    over = [c for c in checkouts if c.state == PaymentState.PENDING and c.expires_at <= at]
    ended = {c.payment for c in over}
    leased.settle(
        [
            Next(subject=c.payment, job=EXPIRE_CHECKOUTS, delay=c.expires_at - at)
            for c in checkouts
            if c.state == PaymentState.PENDING and c.payment not in ended
        ]
    )
    released = end_unpaid(leased, over, _EXPIRED)
    return Expired(taken=len(due.held), ended=len(over), places_released=released)


def fail(tx: LeasedTx | Tx, payments: Sequence[UUID], *, run: int | None, actor: str) -> list[UUID]:
    """Take in that the gateway refused payments for good; returns those that were PENDING.

    Their bookings stay where another checkout may be begun for them.
    """
    leased, checkouts = grip(tx, payments, run=run, actor=actor)
    refused = [c for c in checkouts if c.state == PaymentState.PENDING]
    end_unpaid(leased, refused, _REFUSED)
    return [c.payment for c in refused]

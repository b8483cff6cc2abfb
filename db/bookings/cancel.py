"""A customer cancels a checkout that is under way: all of it, or nothing."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.facts import grip
from db.bookings.release import Ending, end_unpaid, note
from db.tx import Tx
from domain.booking_errors import NotPendingError, UnknownError
from domain.bookings import UNPAID, BookingState
from domain.owners import CustomerOwner, owned_by
from domain.payments import PaymentState

NOTE: Final = "Cancelled by user during checkout"
_CANCELLED: Final = Ending(
    payment=PaymentState.EXPIRED, booking=BookingState.CANCELLED, reason=NOTE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What came of it; `order` is CLOSING now, for the gateway to forget."""

    payment: UUID
    places_released: int
    order: UUID | None


_OWN: Final = sa.text("""
    SELECT id FROM payments WHERE id = :payment AND customer = :customer""")


def cancel_pending_checkout(tx: Tx, owner: CustomerOwner, payment: UUID) -> Cancelled:
    """Cancel a PENDING payment of `owner` with all that hangs on it.

    Raises `UnknownError` for what is missing or somebody else's, and `NotPendingError` where it is not
    PENDING any more, or its booking is neither PENDING nor APPROVED_PENDING_PAYMENT: then nothing changes.
    """
    customer = owned_by(owner)
    if tx.scalar(_OWN, payment=payment, customer=customer) is None:
        raise UnknownError(f"there is no payment {payment}")
    leased, [checkout] = grip(tx, [payment], run=None, actor=f"customer:{customer}")
    if checkout.state != PaymentState.PENDING:
        raise NotPendingError(f"payment {payment} is {checkout.state}")
    if checkout.is_paid_for or checkout.booking_state not in UNPAID:
        raise NotPendingError(f"its booking {checkout.booking} is {checkout.booking_state}")
    released = end_unpaid(leased, [checkout], _CANCELLED)
    note(leased, [checkout], NOTE)
    return Cancelled(payment=payment, places_released=released, order=checkout.order)

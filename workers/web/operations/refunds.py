"""The operations on refunds: what each asks and answers, and the one function of `db` that does it."""

from typing import Final, Self
from uuid import UUID

from pydantic import Field

from db.bookings.names import Named
from db.refunds.reserve import Asking, Receipt, own_receipt, reserve_own
from db.tx import Tx
from domain.checkouts import Request
from domain.owners import CustomerOwner
from domain.refunds import RefundState
from workers.web.operations.shapes import (
    PARTICIPANTS,
    REFUND,
    Amount,
    Answered,
    AnyOperation,
    Asked,
    Caller,
    Name,
    Operation,
)


class CreateRefund(Asked):
    """A part of a customer's payment that is to be given back, or all that is left of it."""

    payment: UUID
    amount_minor: Amount | None = Field(default=None, description="Without it, all that is left.")
    why: Name


class Refund(Answered):
    """What becomes of it; `gateway_minor` of it the gateway gives back, the rest goes to wallet and credit."""

    refund: UUID
    payment: UUID
    state: RefundState
    amount_minor: int
    gateway_minor: int
    currency: str

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """What a customer is told of a refund."""
        return cls(
            refund=receipt.refund,
            payment=receipt.payment,
            state=RefundState(receipt.state),
            amount_minor=receipt.amount_minor,
            gateway_minor=receipt.gateway_minor,
            currency=receipt.currency,
        )


def _create(tx: Tx, caller: Caller, asked: CreateRefund) -> Refund:
    scope = f"application:{caller.application}"
    asking = Asking(
        request=Request(scope=scope, actor=str(caller.actor), key=caller.key),
        payment=asked.payment,
        amount_minor=asked.amount_minor,
        why=asked.why,
        by=scope,
    )
    return Refund.of(reserve_own(tx, CustomerOwner(id=caller.actor), asking))


class ShowRefund(Asked):
    """A refund of a payment of the customer's own."""

    refund: UUID


def _show(tx: Tx, caller: Caller, asked: ShowRefund) -> Refund:
    return Refund.of(own_receipt(tx, CustomerOwner(id=caller.actor), asked.refund))


_WHO: Final = Named.CUSTOMER

OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation("refunds.create", _WHO, CreateRefund, _create, REFUND, Refund),
    Operation("refunds.show", _WHO, ShowRefund, _show, PARTICIPANTS, Refund, is_reading=True),
)
"""One line each: its name, who acts, what is asked, the function, what it counts into, what is answered."""

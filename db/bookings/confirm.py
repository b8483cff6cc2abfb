"""A customer says that they paid: the gateway is asked now, and believed alone."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.start import own_checkout
from db.tx import Tx
from domain.checkouts import Receipt
from domain.owners import CustomerOwner
from domain.payments import ASK_ORDERS

_NOW: Final = sa.text("""
    UPDATE work SET due_at = clock_timestamp()
    WHERE job = :job AND subject = :order AND leased_until IS NULL AND parked_reason IS NULL AND due_at > clock_timestamp()""")


def confirm_checkout(tx: Tx, owner: CustomerOwner, payment: UUID) -> Receipt:
    """Have the gateway be asked about the order of a checkout of `owner` now; what there is to say of it meanwhile.

    Nothing is taken in on anybody's word but the gateway's. One that is not under way, or has no open order, stays
    as it is. Raises `UnknownError` for what is missing or somebody else's.
    """
    receipt = own_checkout(tx, owner, payment)
    if receipt.order is not None:
        tx.run(_NOW, job=ASK_ORDERS, order=receipt.order)
    return receipt

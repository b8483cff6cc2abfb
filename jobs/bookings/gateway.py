"""What the jobs on orders share about a payment gateway."""

from db.orders.gateway import Gateway
from domain.ports import Payments


def of(payments: Payments) -> Gateway:
    """What a claim needs of it. Keys are trusted for a sixth less than it promises."""
    window = payments.key_window * 5 / 6
    return Gateway(
        name=payments.provider,
        account=payments.account,
        freeze=payments.freeze_order,
        key_seconds=window.total_seconds() if payments.orders_are_keyed else 0.0,
        grace=payments.look_up_grace,
        forgets=payments.orders_are_forgotten,
    )

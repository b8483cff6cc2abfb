"""The life of a payment, which is one checkout, and of the order that stands for it at the gateway."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from domain.machines import Call, Guard, Machine, Move

EXPIRE_CHECKOUTS: Final = "bookings.expire_checkouts"
OPEN_ORDERS: Final = "bookings.open_orders"
ASK_ORDERS: Final = "bookings.ask_orders"
CLOSE_ORDERS: Final = "bookings.close_orders"
OPEN_EFFECT: Final = "order.open"
"""The kind of the effect that makes an order at the gateway; what is refused is never asked for again."""
CLOSE_EFFECT: Final = "order.close"
"""The kind of the effect that has the gateway forget it."""
CHECKOUT_FOR: Final = timedelta(minutes=35)
"""How long a checkout may take."""
ASKED_FOR: Final = timedelta(hours=1)
"""How long past its end a checkout waits for the gateway's word about its order."""
AGAIN_WITHIN: Final = timedelta(hours=24)
"""How long a booking whose checkout was refused waits for another one."""


class PaymentState(StrEnum):
    """Where a payment is."""

    PENDING = "PENDING"
    """Its legs that are ours are held, its gateway leg is awaited."""
    SUCCEEDED = "SUCCEEDED"
    """All of it was captured. Where the seat was gone by then it is an orphan."""
    EXPIRED = "EXPIRED"
    """Not paid in time, or cancelled: what was held of it is given back."""
    FAILED = "FAILED"
    """The gateway refused it for good: what was held of it is given back, and its seats are free.

    Its booking waits for another checkout for a day, and ends with this one where none is begun.
    """


class LegKind(StrEnum):
    """What pays a part of a payment."""

    GATEWAY = "gateway"
    WALLET = "wallet"
    REFERRAL_CREDIT = "referral_credit"


class OrderState(StrEnum):
    """Where the gateway's side of a payment is."""

    NEW = "NEW"
    """The gateway is to make it; it may have it already, where a reply was lost."""
    OPEN = "OPEN"
    """The gateway has it: the customer may pay."""
    CLOSING = "CLOSING"
    """Its checkout ended unpaid: the gateway is to forget it."""
    CLOSED = "CLOSED"
    """Paid, or forgotten."""


_P, _O = PaymentState, OrderState
_LEASED, _OPERATION = Guard.LEASED, Guard.OPERATION

PAYMENTS: Final = Machine(
    kind="payment",
    table="payments",
    initial=frozenset({_P.PENDING}),
    moves=(
        Move(source=_P.PENDING, target=_P.SUCCEEDED, guard=_LEASED, when="captured"),
        Move(source=_P.PENDING, target=_P.EXPIRED, guard=_LEASED, when="its time is over, or cancelled"),
        Move(source=_P.PENDING, target=_P.FAILED, guard=_LEASED, when="the gateway refused it for good"),
        Move(source=_P.FAILED, target=_P.EXPIRED, guard=_LEASED, when="a day later, with a booking not begun again"),
        Move(source=_P.EXPIRED, target=_P.SUCCEEDED, guard=_OPERATION, when="captured late: an orphan"),
        Move(source=_P.FAILED, target=_P.SUCCEEDED, guard=_OPERATION, when="captured after all: an orphan"),
    ),
    calls=(
        Call(state=_P.PENDING, outcome=None, job=EXPIRE_CHECKOUTS, due="at its `expires_at`, 35 min after it began"),
        Call(state=_P.SUCCEEDED, outcome=None, job=None, due="ended"),
        Call(state=_P.EXPIRED, outcome=None, job=None, due="ended, unless it is captured late"),
        Call(state=_P.FAILED, outcome=None, job=EXPIRE_CHECKOUTS, due="24 h after it was refused"),
    ),
)  # fmt: skip
"""The frozen table of a payment's life."""

ORDERS: Final = Machine(
    kind="order",
    table="orders",
    initial=frozenset({_O.NEW}),
    moves=(
        Move(source=_O.NEW, target=_O.OPEN, guard=_LEASED, when="the gateway made it"),
        Move(source=_O.NEW, target=_O.CLOSING, guard=_OPERATION, when="its checkout ended unpaid, or was refused"),
        Move(source=_O.OPEN, target=_O.CLOSING, guard=_OPERATION, when="its checkout ended unpaid"),
        Move(source=_O.NEW, target=_O.CLOSED, guard=_OPERATION, when="captured"),
        Move(source=_O.OPEN, target=_O.CLOSED, guard=_OPERATION, when="captured"),
        Move(source=_O.CLOSING, target=_O.CLOSED, guard=_OPERATION, when="captured, forgotten, or never there"),
    ),
    calls=(
        Call(state=_O.NEW, outcome=None, job=OPEN_ORDERS, due="at once; backing off after an error or a lost reply"),
        Call(state=_O.OPEN, outcome=None, job=ASK_ORDERS, due="at its checkout's end, or when somebody asks"),
        Call(state=_O.CLOSING, outcome=None, job=CLOSE_ORDERS, due="at once, backing off; or a day later"),
        Call(state=_O.CLOSED, outcome=None, job=None, due="ended"),
    ),
)  # fmt: skip
"""The frozen table of an order's life."""


def payee_share(amount_minor: int) -> int:
    """What a consultant earns of a payment (minor units): all but the platform's fifth, which is rounded down."""
    return amount_minor - amount_minor // 5

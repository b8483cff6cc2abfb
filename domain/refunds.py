"""The life of a refund: what of a payment is given back, the way it was paid, once."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from domain.machines import Call, Guard, Machine, Move
from domain.payments import LegKind

SUBMIT: Final = "refunds.submit"
RECOVER: Final = "refunds.recover"
CASCADE: Final = "refunds.cascade"
EFFECT: Final = "refund.give"
"""The kind of its effects, one for each generation."""
GENERATIONS_MAX: Final = 3
"""Each but the first follows a definite refusal; after these another refund is asked for."""


class RefundState(StrEnum):
    """Where a refund is. In each but FAILED and REJECTED its part of the payment is reserved."""

    PROPOSED = "PROPOSED"
    """A person must approve or reject it."""
    RESERVED = "RESERVED"
    """To be asked of the gateway."""
    PROCESSING = "PROCESSING"
    """A send may have begun. Leaves only on the gateway's own answer, or by two people."""
    SUCCEEDED = "SUCCEEDED"
    """Given back. Leaves into the books."""
    CASCADED = "CASCADED"
    """In the books: payee, platform, wallet and credit have what is theirs."""
    FAILED = "FAILED"
    """The gateway definitely refused it, or says that it failed."""
    REJECTED = "REJECTED"
    """A person decided against it."""


class Origin(StrEnum):
    """Where a refund comes from."""

    ASKED = "asked"
    """A person or an application asked for it."""
    ORPHAN = "orphan"
    """Its payment was captured for nothing."""
    GATEWAY = "gateway"
    """Made at the gateway, by nobody here."""
    DISPUTE = "dispute"
    """The customer's bank took it back."""
    AGAIN = "again"
    """Its gateway took another one back, after that was in the books: its part is given again."""


_R = RefundState
_LEASED, _UNLEASED = Guard.LEASED, Guard.UNLEASED

REFUNDS: Final = Machine(
    kind="refund",
    table="refunds",
    initial=frozenset({_R.PROPOSED, _R.RESERVED, _R.SUCCEEDED}),
    moves=(
        Move(source=_R.PROPOSED, target=_R.RESERVED, guard=_UNLEASED, when="approved"),
        Move(source=_R.PROPOSED, target=_R.SUCCEEDED, guard=_UNLEASED, when="approved, and no gateway to be asked"),
        Move(source=_R.PROPOSED, target=_R.REJECTED, guard=_UNLEASED, when="rejected"),
        Move(source=_R.FAILED, target=_R.RESERVED, guard=_UNLEASED, when="retried under the next generation"),
        Move(source=_R.RESERVED, target=_R.PROCESSING, guard=_LEASED, when="claimed for its first send"),
        Move(source=_R.RESERVED, target=_R.FAILED, guard=_LEASED, when="too little for the gateway, or lost to a bank"),
        Move(source=_R.PROCESSING, target=_R.RESERVED, guard=_LEASED, when="put back: nothing left this process"),
        Move(source=_R.PROCESSING, target=_R.SUCCEEDED, guard=_LEASED, when="the gateway says given"),
        Move(source=_R.PROCESSING, target=_R.FAILED, guard=_LEASED, when="the gateway says failed"),
        Move(source=_R.FAILED, target=_R.SUCCEEDED, guard=_LEASED, when="the gateway says given after all"),
        Move(source=_R.SUCCEEDED, target=_R.CASCADED, guard=_LEASED, when="in the books"),
    ),
    calls=(
        Call(state=_R.PROPOSED, outcome=None, job=None, due="a person decides"),
        Call(state=_R.RESERVED, outcome=None, job=SUBMIT, due="at once"),
        Call(state=_R.RESERVED, outcome="not_sent", job=SUBMIT, due="after a back-off from 1 s to 1 min"),
        Call(state=_R.PROCESSING, outcome="intended", job=SUBMIT, due="when the claim's lease has lapsed"),
        Call(state=_R.PROCESSING, outcome="unknown", job=RECOVER, due="30 s, 1, 2, 5, 10 min, then every 10 min"),
        Call(state=_R.PROCESSING, outcome="accepted", job=RECOVER, due="from seconds to hours, backing off"),
        Call(state=_R.SUCCEEDED, outcome=None, job=CASCADE, due="at once; each minute while its payout is being sent"),
        Call(state=_R.CASCADED, outcome=None, job=None, due="ended"),
        Call(state=_R.FAILED, outcome=None, job=None, due="an operator may retry it"),
        Call(state=_R.REJECTED, outcome=None, job=None, due="ended"),
    ),
)  # fmt: skip
"""The frozen table of a refund's life."""

_LAST_FIRST: Final = (LegKind.GATEWAY, LegKind.WALLET, LegKind.REFERRAL_CREDIT)
"""Which leg takes what rounding left over."""


def divide(
    part: int, whole: int, legs: Mapping[LegKind, int], left: Mapping[LegKind, int]
) -> Mapping[LegKind, int]:
    """What a refund of `part` takes from each leg of a payment of `whole` (minor units).

    `legs` is what each paid, `left` what of it was not given back; `part` is no more than all that is left.
    Each gives the floor of its proportion, as far as it has that; what is missing then comes from the gateway's,
    the wallet's, the credit's. So the parts add up to `part`, and the last refund takes exactly what is left.
    """
    taken = {kind: min(amount * part // whole, left[kind]) for kind, amount in legs.items()}
    missing = part - sum(taken.values())
    for kind in _LAST_FIRST:
        if kind in taken:
            more = min(missing, left[kind] - taken[kind])
            taken[kind] += more
            missing -= more
    if missing:
        raise AssertionError(f"{part} is more than what is left of {whole}")
    return MappingProxyType(taken)

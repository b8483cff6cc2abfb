"""What an operator may decide about a payout, the states that is about, and where it leads."""

from enum import StrEnum
from typing import Final

from domain.payouts import PayoutState


class Decision(StrEnum):
    """The word an operator uses."""

    APPROVE = "approve"
    """PENDING may be sent."""
    REJECT = "reject"
    """PENDING is never sent."""
    CANCEL = "cancel"
    """PENDING, or APPROVED while no send can have begun, is never sent."""
    RETRY = "retry"
    """FAILED is sent again, under its next generation's key."""


SOURCES: Final[dict[Decision, tuple[PayoutState, ...]]] = {
    Decision.APPROVE: (PayoutState.PENDING,),
    Decision.REJECT: (PayoutState.PENDING,),
    Decision.CANCEL: (PayoutState.PENDING, PayoutState.APPROVED),
    Decision.RETRY: (PayoutState.FAILED,),
}
"""The states a decision may be about: `approve` never retries a failure, nor `reject` cancels."""

TARGETS: Final[dict[Decision, PayoutState]] = {
    Decision.APPROVE: PayoutState.APPROVED,
    Decision.REJECT: PayoutState.CANCELLED,
    Decision.CANCEL: PayoutState.CANCELLED,
    Decision.RETRY: PayoutState.APPROVED,
}

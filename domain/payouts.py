"""The life of a payout: its states, its legal moves, and the one job each of its states waits for."""

from enum import StrEnum
from typing import Final

from domain.machines import Call, Guard, Machine, Move
from domain.payees import PayeeKind


class PayoutState(StrEnum):
    """Where a payout is."""

    PENDING = "PENDING"
    """Created; a person must approve or reject it."""
    APPROVED = "APPROVED"
    """May be sent. Leaves by the claim of `payouts.process`, or by an operator's cancel."""
    PROCESSING = "PROCESSING"
    """A send may have begun. Leaves only on the provider's own answer, or by two people."""
    COMPLETED = "COMPLETED"
    """The provider says it was paid; a late reversal may still follow."""
    FAILED = "FAILED"
    """The provider definitely refused it, or says that it failed."""
    CANCELLED = "CANCELLED"
    """Withdrawn before a send, or cancelled at the provider."""
    REVERSED = "REVERSED"
    """Paid, then given back."""


PROCESS: Final = "payouts.process"
ORG_PROCESS: Final = "payouts.org_process"
RECOVER: Final = "payouts.recover"
FOLLOW: Final = "payouts.follow"
SENDERS: Final = {PayeeKind.PERSON: PROCESS, PayeeKind.ORGANISATION: ORG_PROCESS}
"""Which job sends a payout, by what its payee was when it was made."""
GENERATIONS_MAX: Final = 3
"""Each but the first follows a definite refusal; one more than these needs two people."""
SUBMIT: Final = "payout.submit"
"""The kind of the one effect a payout has per generation."""
NOT_AT_PROVIDER: Final = "the provider says that it has no such payout"
"""What the work row of a payout says whose name its provider does not know: with wrong keys, of all of them."""

_P = PayoutState


def _of_senders(state: PayoutState, outcome: str | None, due: str) -> tuple[Call, ...]:
    return tuple(
        Call(state=state, outcome=outcome, job=job, due=due, variant=kind.value)
        for kind, job in SENDERS.items()
    )


PAYOUTS: Final = Machine(
    kind="payout",
    table="payouts",
    says="error",
    dates=((_P.COMPLETED, "completed_at"),),
    initial=frozenset({_P.PENDING}),
    moves=(
        Move(source=_P.PENDING, target=_P.APPROVED, guard=Guard.UNLEASED, when="approved"),
        Move(source=_P.PENDING, target=_P.CANCELLED, guard=Guard.UNLEASED, when="rejected"),
        Move(source=_P.FAILED, target=_P.APPROVED, guard=Guard.UNLEASED, when="retried under the next generation"),
        Move(source=_P.APPROVED, target=_P.PROCESSING, guard=Guard.LEASED, when="claimed for its first send"),
        Move(source=_P.APPROVED, target=_P.FAILED, guard=Guard.LEASED, when="its earnings owe less than was approved"),
        Move(source=_P.APPROVED, target=_P.CANCELLED, guard=Guard.LEASED, when="cancelled before a send", by_hand=True),
        Move(source=_P.PROCESSING, target=_P.APPROVED, guard=Guard.LEASED, when="put back: nothing left this process"),
        Move(source=_P.PROCESSING, target=_P.COMPLETED, guard=Guard.LEASED, when="the provider says paid"),
        Move(source=_P.PROCESSING, target=_P.FAILED, guard=Guard.LEASED, when="the provider says failed"),
        Move(source=_P.PROCESSING, target=_P.CANCELLED, guard=Guard.LEASED, when="the provider says cancelled"),
        Move(source=_P.FAILED, target=_P.COMPLETED, guard=Guard.LEASED, when="the provider says paid after all"),
        Move(source=_P.CANCELLED, target=_P.COMPLETED, guard=Guard.LEASED, when="the provider says paid after all"),
        Move(source=_P.COMPLETED, target=_P.REVERSED, guard=Guard.LEASED, when="the provider gave the money back"),
    ),
    calls=(
        Call(state=_P.PENDING, outcome=None, job=None, due="a person decides"),
        *_of_senders(_P.APPROVED, None, "at once, at --at, or at the batch's next tick"),
        *_of_senders(_P.APPROVED, "not_sent", "after a back-off from 1 s to 1 min"),
        *_of_senders(_P.PROCESSING, "intended", "when the claim's lease has lapsed"),
        Call(state=_P.PROCESSING, outcome="unknown", job=RECOVER, due="30 s, 1, 2, 5, 10 min, then every 10 min"),
        Call(state=_P.PROCESSING, outcome="accepted", job=FOLLOW, due="from seconds to hours, backing off"),
        Call(state=_P.COMPLETED, outcome="accepted", job=FOLLOW, due="daily, until 5 working days after completion"),
        Call(state=_P.FAILED, outcome=None, job=None, due="an operator may retry it"),
        Call(state=_P.CANCELLED, outcome=None, job=None, due="ended"),
        Call(state=_P.REVERSED, outcome=None, job=None, due="ended"),
    ),
)  # fmt: skip
"""The frozen table; code, audit, `bursar_move()` and docs/states.md are made from it."""

SETTLED: Final = frozenset({_P.FAILED, _P.CANCELLED, _P.REVERSED})
"""States no job waits in."""

"""What must be true of every state and every step, whatever happened in between."""

from itertools import pairwise

from domain.answers import ProviderStatus
from domain.payout_words import leads_through
from domain.payouts import PAYOUTS, PayoutState
from tests.models.states import ASKING, CLAIMED, FOLLOWING, IDLE, LIVING, PAID, REVERSED, State

_P = PayoutState
_MOVES = {(move.source, move.target) for move in PAYOUTS.moves}
_AT_ONCE = {
    (state, path[-1])
    for state in _P
    for word in ProviderStatus
    if (path := leads_through(state, word)) and _MOVES.issuperset(pairwise([state, *path]))
}
"""From where to where a provider's word leads in one transaction, through moves that are all legal."""
_LEGAL = _MOVES | _AT_ONCE
UNPAID = frozenset({_P.FAILED.value, _P.CANCELLED.value, _P.REVERSED.value})
ENDED = frozenset({*UNPAID, _P.COMPLETED.value})


def broken(s: State) -> str | None:
    """Say which promise a state breaks; None where it keeps them all."""
    if any(payment.times > 1 for payment in s.bank):
        return "PAID TWICE under one reference"
    living = [payment for payment in s.bank if payment.says in LIVING]
    if len(living) > 1:
        return "PAID TWICE, once in each generation"
    if s.state in UNPAID and living:
        return f"{s.state} BUT PAID"
    if s.state == _P.COMPLETED and not (
        s.payment.times == 1 and s.payment.says in {PAID, REVERSED}
    ):
        return "COMPLETED BUT NOT PAID"
    if s.state in UNPAID and s.job:
        return f"{s.state} and still waiting for {s.job}"
    if sum(worker.holds for worker in s.workers) > 1:
        return "two workers hold one token"
    if sum(worker.at in {CLAIMED, ASKING, FOLLOWING} for worker in s.workers) > 1:
        return "two workers hold one lease"
    return None


def wrong(before: State, after: State) -> str | None:
    """Say which promise a step breaks: states move as the table allows, so what ended stays ended."""
    if before.state == after.state or (before.state, after.state) in _LEGAL:
        return None
    return f"{before.state} became {after.state}"


def is_end(s: State) -> bool:
    """Whether the payout ended and nothing about it is under way."""
    return s.state in ENDED and not s.wire and all(worker.at == IDLE for worker in s.workers)


def needs_nobody(s: State) -> bool:
    """Whether it ended, or is parked and a person was told: nothing has to go on by itself."""
    return s.parked or is_end(s)

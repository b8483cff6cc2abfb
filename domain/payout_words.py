"""Where a provider's word leads a payout, whoever heard it and in whatever order the words came."""

from collections.abc import Mapping
from typing import Final

from domain.answers import ProviderStatus
from domain.payouts import SETTLED, PayoutState

Path = tuple[PayoutState, ...]
"""The states a payout goes through, from the one it is in."""

_P, _W = PayoutState, ProviderStatus

RANKS: Final[Mapping[ProviderStatus, int]] = {
    _W.UNRECOGNISED: 0,
    _W.UNDER_WAY: 0,
    _W.PAID: 1,
    _W.FAILED: 2,
    _W.CANCELLED: 2,
    _W.REVERSED: 3,
}
"""How late in a payment's life a word is said."""

FINAL: Final = frozenset({_W.PAID, _W.FAILED, _W.CANCELLED, _W.REVERSED})
"""Words that end a payment; an end may be followed by a later one."""

_STEPS: Final[Mapping[tuple[PayoutState, ProviderStatus], Path]] = {
    (_P.PROCESSING, _W.PAID): (_P.COMPLETED,),
    (_P.PROCESSING, _W.FAILED): (_P.FAILED,),
    (_P.PROCESSING, _W.CANCELLED): (_P.CANCELLED,),
    # What was given back was paid before, whichever word came first: the books say both.
    (_P.PROCESSING, _W.REVERSED): (_P.COMPLETED, _P.REVERSED),
    (_P.COMPLETED, _W.REVERSED): (_P.REVERSED,),
    (_P.COMPLETED, _W.FAILED): (_P.REVERSED,),
    (_P.FAILED, _W.PAID): (_P.COMPLETED,),
    (_P.CANCELLED, _W.PAID): (_P.COMPLETED,),
}


def leads_through(state: PayoutState, word: ProviderStatus) -> Path:
    """The states that `word` leads through, from `state`; none: a late or early word moves nothing."""
    return _STEPS.get((state, word), ())


def is_late(path: Path) -> bool:
    """Whether what had ended unpaid turns out to have been paid."""
    return len(path) > 1 and path[0] in SETTLED

"""The life of an obligation: due, settled by what comes in, divided among the lenders."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.machines import Call, Guard, Machine, Move

CREATE: Final = "dispersals.create"
HEAL: Final = "dispersals.heal"
TRIES_MAX: Final = 3
"""Tries of healing that may fail; when the next one fails too, the money is set apart."""


class ObligationKind(StrEnum):
    """What a borrower owes."""

    REGULAR_INTEREST = "regular_interest"
    """The one that bears a servicing fee."""
    PRINCIPAL_REPAYMENT = "principal_repayment"
    ARREARS_CURE = "arrears_cure"
    LATE_FEE = "late_fee"


class ObligationState(StrEnum):
    """Where an obligation is."""

    DUE = "DUE"
    """Nothing was received for it."""
    PARTIALLY_SETTLED = "PARTIALLY_SETTLED"
    """A part of it was received, and a part is open."""
    SETTLED = "SETTLED"
    """Nothing of it is open: what was received is to be divided."""
    STALLED = "STALLED"
    """It could not be divided."""
    DISPERSED = "DISPERSED"
    """Divided: its calculation run is complete, whether or not a lender had a share."""
    ESCALATED = "ESCALATED"
    """It could not be divided often enough: what it received is in suspense."""
    RETURNED = "RETURNED"
    """What it received was given back out of suspense: nothing is divided."""
    WAIVED = "WAIVED"
    """Nothing was received, and nothing is owed any more."""
    WRITTEN_OFF = "WRITTEN_OFF"
    """Nothing was received, and nobody expects it any more."""


_S = ObligationState
_LEASED, _OPERATION = Guard.LEASED, Guard.OPERATION
_SETTLED = "nothing of it is open"
_REVERSED = "what it received was reversed"

OBLIGATIONS: Final = Machine(
    kind="obligation",
    table="obligations",
    initial=frozenset({_S.DUE, _S.SETTLED}),
    moves=(
        Move(source=_S.DUE, target=_S.PARTIALLY_SETTLED, guard=_OPERATION, when="a part was received"),
        Move(source=_S.DUE, target=_S.SETTLED, guard=_OPERATION, when=_SETTLED),
        Move(source=_S.PARTIALLY_SETTLED, target=_S.SETTLED, guard=_OPERATION, when=_SETTLED),
        Move(source=_S.DUE, target=_S.WAIVED, guard=_OPERATION, when="waived before anything was received"),
        Move(source=_S.DUE, target=_S.WRITTEN_OFF, guard=_OPERATION, when="written off before anything was received"),
        Move(source=_S.SETTLED, target=_S.DISPERSED, guard=_LEASED, when="divided among its lenders"),
        Move(source=_S.SETTLED, target=_S.STALLED, guard=_LEASED, when="it could not be divided"),
        Move(source=_S.STALLED, target=_S.DISPERSED, guard=_LEASED, when="divided by healing"),
        Move(source=_S.STALLED, target=_S.SETTLED, guard=_OPERATION, when="a person put right what stood in its way"),
        Move(source=_S.STALLED, target=_S.ESCALATED, guard=_LEASED, when="healing failed for the fourth time"),
        Move(source=_S.ESCALATED, target=_S.SETTLED, guard=_OPERATION, when="its money left suspense, for its lenders"),
        Move(source=_S.ESCALATED, target=_S.RETURNED, guard=_OPERATION, when="its money went back to whoever paid"),
        *(
            Move(source=source, target=target, guard=_OPERATION, when=_REVERSED)
            for source in (_S.PARTIALLY_SETTLED, _S.SETTLED, _S.STALLED, _S.DISPERSED)
            for target in (_S.DUE, _S.PARTIALLY_SETTLED)
            if source is not target
        ),
    ),
    calls=(
        Call(state=_S.DUE, outcome=None, job=None, due="money"),
        Call(state=_S.PARTIALLY_SETTLED, outcome=None, job=None, due="money"),
        Call(state=_S.SETTLED, outcome=None, job=CREATE, due="at once"),
        Call(state=_S.STALLED, outcome=None, job=HEAL, due="backing off: `last_error` says why"),
        Call(state=_S.DISPERSED, outcome=None, job=None, due="ended, unless what it received is reversed"),
        Call(state=_S.ESCALATED, outcome=None, job=None, due="a person, who takes its money out of suspense"),
        Call(state=_S.RETURNED, outcome=None, job=None, due="ended"),
        Call(state=_S.WAIVED, outcome=None, job=None, due="ended"),
        Call(state=_S.WRITTEN_OFF, outcome=None, job=None, due="ended"),
    ),
)  # fmt: skip
"""The frozen table of an obligation's life."""

TAKES_CASH: Final = frozenset({_S.DUE, _S.PARTIALLY_SETTLED, _S.SETTLED, _S.STALLED})
"""Where money goes to an obligation, as far as that is open: what comes in later is divided by nobody."""


def obligation_key(obligation: UUID, what: str, generation: int = 1) -> str:
    """The key of an entry about an obligation: `obligation:<id>:<what>`, from the second on with its generation."""
    return f"obligation:{obligation}:{what}" + _later(generation)


def allocation_key(obligation: UUID, generation: int = 1) -> str:
    """The key of the entry that divides what an obligation received."""
    return f"allocation:{obligation}" + _later(generation)


def fee_key(obligation: UUID, generation: int = 1) -> str:
    """The key of the entry of its servicing fee."""
    return f"servicing-fee:{obligation}" + _later(generation)


def escalation_key(obligation: UUID, generation: int = 1) -> str:
    """The key of the entry that sets apart what could not be divided."""
    return f"suspense-escalation:{obligation}" + _later(generation)


def _later(generation: int) -> str:
    return f":{generation}" if generation > 1 else ""

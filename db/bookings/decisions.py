"""What may be decided on wishes: by whom, where they must be for it, and where they go."""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from domain.bookings import BookingState

_B: Final = BookingState


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where wishes must be, and where they go; `of` finds those that whoever decides may decide on."""

    of: sa.TextClause
    sources: frozenset[BookingState]
    target: BookingState
    reason: str


_OF_CONSULTANT: Final = sa.text("""
    SELECT b.id FROM bookings b JOIN plans l ON l.id = b.plan
    WHERE b.id = ANY(CAST(:ids AS uuid[])) AND l.consultant = :owner""")
_OF_CUSTOMER: Final = sa.text("""
    SELECT id FROM bookings WHERE id = ANY(CAST(:ids AS uuid[])) AND customer = :owner""")
APPROVAL: Final = Decision(
    of=_OF_CONSULTANT,
    sources=frozenset({_B.PENDING}),
    target=_B.APPROVED,
    reason="its consultant agreed",
)
REJECTION: Final = Decision(
    of=_OF_CONSULTANT,
    sources=frozenset({_B.PENDING, _B.APPROVED_PENDING_PAYMENT}),
    target=_B.REJECTED,
    reason="its consultant declined",
)
WITHDRAWAL: Final = Decision(
    of=_OF_CUSTOMER,
    sources=frozenset({_B.PENDING, _B.APPROVED, _B.APPROVED_PENDING_PAYMENT}),
    target=_B.CANCELLED,
    reason="its customer withdrew it",
)

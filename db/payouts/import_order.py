"""What an import is asked to take over, and what it did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from domain.errors import BadInputError, BadInputsError
from domain.payout_lines import PayoutLine

SET_MAX: Final = 5_000
"""Lines in one statement."""
ERRORS_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What is to be taken over: valid lines, where they come from, and what is to become of them."""

    lines: Sequence[PayoutLine]
    file: str = "lines"
    rows: Sequence[int] | None = None
    """The row of each line; None counts them from 1."""
    approve: bool = False
    """Approve what is new, and what an earlier import of the same lines left PENDING."""
    due_at: datetime | None = None
    """When approved payouts are to be sent; None means at once."""
    partial: bool = False
    """Take over the lines that may be, and leave out those whose id has other content."""

    def place(self, at: int) -> str:
        """Name the line at index `at` in an error."""
        return f"{self.file} row {self.rows[at] if self.rows else at + 1}"


@dataclass(slots=True, kw_only=True)
class Imported:
    """What an import did. Amounts of what is new, in minor units by currency."""

    created: int = 0
    existing: int = 0
    """Lines whose payout was there already, with the same content."""
    approved: int = 0
    amounts: dict[str, int] = field(default_factory=dict)
    errors: list[BadInputError] = field(default_factory=list)
    """At most 50 lines left out because their external id has other content (`partial` only)."""
    more: int = 0

    def blame(self, order: Lines, errors: Sequence[BadInputError], more: int) -> None:
        """Keep lines that cannot be taken over; raise `BadInputsError` unless the order is partial."""
        if errors and not order.partial:
            raise BadInputsError(list(errors), more=more)
        room = ERRORS_MAX - len(self.errors)
        self.errors += errors[:room]
        self.more += more + len(errors[room:])


Told = Callable[[int], None]
"""Told how many more lines are done."""

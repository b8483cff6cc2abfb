"""What an import is asked to take over, and what it did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

from domain.errors import BadInputError, BadInputsError

SET_MAX: Final = 5_000
"""Lines in one statement."""
ERRORS_MAX: Final = 50


class Recorded(Protocol):
    """One valid row of a file."""

    @property
    def external_id(self) -> str:
        """What another system calls it."""

    @property
    def record(self) -> tuple[str, ...]:
        """Its texts in the order of its fields; one spelling each."""


class Line(Recorded, Protocol):
    """One valid row of a file that says what somebody is owed or is to be paid."""

    @property
    def payee(self) -> str:
        """The payee's name."""

    @property
    def amount_minor(self) -> int:
        """The payee's amount in minor units."""

    @property
    def currency(self) -> str:
        """Of the amount."""

    @property
    def label(self) -> str:
        """What it is counted under, where a file's lines are told apart; else empty."""

    @property
    def content_hash(self) -> str:
        """64 hex digits: the same for the same content, however it was spelled."""


LineT = TypeVar("LineT", bound=Line)
RecordT = TypeVar("RecordT", bound=Recorded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines(Generic[RecordT]):
    """What is to be taken over: valid lines, where they come from, and what is to become of them."""

    lines: Sequence[RecordT]
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
    """Lines whose row was there already, with the same content."""
    approved: int = 0
    amounts: dict[str, int] = field(default_factory=dict)
    labels: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """Of what is new, where an import tells it apart: number and minor units by label and currency."""
    errors: list[BadInputError] = field(default_factory=list)
    """At most 50 lines left out because their external id has other content (`partial` only)."""
    more: int = 0

    def count(self, label: str, currency: str, amount: int, rows: int) -> None:
        """Count `rows` new lines of `amount` minor units in all."""
        self.created += rows
        self.amounts[currency] = self.amounts.get(currency, 0) + amount
        if label:
            number, sum_ = self.labels.get((label, currency), (0, 0))
            self.labels[label, currency] = number + rows, sum_ + amount

    def blame(self, order: Lines[RecordT], errors: Sequence[BadInputError], more: int) -> None:
        """Keep lines that cannot be taken over; raise `BadInputsError` unless the order is partial."""
        if errors and not order.partial:
            raise BadInputsError(list(errors), more=more)
        room = ERRORS_MAX - len(self.errors)
        self.errors += errors[:room]
        self.more += more + len(errors[room:])


Told = Callable[[int], None]
"""Told how many more lines are done."""

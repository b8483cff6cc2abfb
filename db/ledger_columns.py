"""Entries as columns: what one statement posts, an array per column."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from domain.ledger import Entry


@dataclass(slots=True)
class Columns:
    """What one statement posts: an element per entry, an element per leg, the leg's entry by its number."""

    types: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    currencies: list[str] = field(default_factory=list)
    dates: list[date] = field(default_factory=list)
    causes: list[int | None] = field(default_factory=list)
    reasons: list[str | None] = field(default_factory=list)
    legs: list[int] = field(default_factory=list)
    debits: list[int] = field(default_factory=list)
    credits: list[int] = field(default_factory=list)
    amounts: list[int] = field(default_factory=list)

    @classmethod
    def of_values(cls, entries: Sequence[Entry]) -> "Columns":
        """Columns of any entries."""
        made = cls(
            types=[e.type.value for e in entries],
            keys=[e.key for e in entries],
            currencies=[e.currency for e in entries],
            dates=[e.effective_on for e in entries],
            causes=[e.cause for e in entries],
            reasons=[e.reason for e in entries],
        )
        for n, entry in enumerate(entries, 1):
            for posting in entry.postings:
                made.legs.append(n)
                made.debits.append(posting.debit)
                made.credits.append(posting.credit)
                made.amounts.append(posting.amount)
        return made

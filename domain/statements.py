"""What a bank's own statement says, line by line, and what each line turned out to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Side(StrEnum):
    """Whether a line took from the account or gave to it."""

    DEBIT = "debit"
    CREDIT = "credit"


class Source(StrEnum):
    """What a line says that it comes from."""

    PAYOUT = "payout"
    """A payout was paid."""
    REVERSAL = "reversal"
    """A payout was given back: it failed after its debit, or was reversed."""
    FEE = "fee"
    """The bank's own charge."""
    OTHER = "other"
    """Anything else: money put in, or taken out by other ways than Bursar."""


class LineState(StrEnum):
    """What a line turned out to be."""

    WAITING = "waiting"
    """Young, or its payout has not ended: the books may still come to say the same."""
    MATCHED = "matched"
    """A payout's, of its amount; and all that the bank moved for that payout is what the books say."""
    DIFFERS = "differs"
    """A payout's, and the amount, or what it came to in all, is not what the books say."""
    UNMATCHED = "unmatched"
    """No payout's, and old enough that one would be known."""
    FEE = "fee"
    """A charge of the bank's."""
    DEPOSIT = "deposit"
    """Money put into the account."""
    EXPLAINED = "explained"
    """Unmatched or different, and a person resolved its finding."""


class MatchedBy(StrEnum):
    """How a line's payout was found."""

    PROVIDER_ID = "provider_id"
    UTR = "utr"


OPEN: Final = (LineState.WAITING, LineState.DIFFERS, LineState.UNMATCHED)
"""What a line may still leave; the others are final."""
WRONG: Final = (LineState.DIFFERS, LineState.UNMATCHED)
"""What a person must look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One line. Amounts in minor units; `fee_minor` is the part of the amount that is the bank's charge."""

    line_id: str
    account: str
    occurred_at: datetime
    side: Side
    amount_minor: int
    fee_minor: int
    currency: str
    balance_minor: int | None
    """What the account held after it; may be below zero, and None where the provider tells none."""
    utr: str | None
    source: Source
    source_id: str | None
    """The provider's id of the payout that the line pays or gives back."""

    @property
    def change(self) -> int:
        """What it does to the account's balance."""
        return self.amount_minor if self.side is Side.CREDIT else -self.amount_minor


def in_order(lines: Sequence[StatementLine]) -> list[StatementLine]:
    """Return lines oldest first, however their file has them.

    Banks write newest first as often as not, and a second holds many lines: of the two ways to read
    them the one in which more balances follow from the line before is the one meant.
    """
    ways = [sorted(way, key=_when) for way in (lines, list(reversed(lines)))]
    return max(ways, key=_links)


def _when(line: StatementLine) -> datetime:
    return line.occurred_at


def _links(lines: Sequence[StatementLine]) -> int:
    """How many balances follow from the line before that is of the same currency."""
    held: dict[str, int] = {}
    links = 0
    for line in lines:
        if line.balance_minor is not None:
            links += held.get(line.currency) == line.balance_minor - line.change
            held[line.currency] = line.balance_minor
    return links

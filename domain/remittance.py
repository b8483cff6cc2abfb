"""What a payee is told of one payout: what it pays for, what was kept back, where it went. Amounts in minor units."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.errors import BrokenError
from domain.payouts import PayoutState


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceLine:
    """One earning that a payout pays, as it stood when that was paid."""

    earning: str
    kind: str
    earned_at: datetime
    sale_minor: int
    """What the customer paid."""
    share_minor: int
    refunded_minor: int
    """Of the share, given back to the customer before it was paid; what was since is none of this."""
    refunded_since_minor: int

    @property
    def paid_minor(self) -> int:
        """What the payout pays for it."""
        return self.share_minor - self.refunded_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What the books say of one payout, over all its generations."""

    paid_minor: int
    """Out of the bank account."""
    paid_tax_minor: int
    returned_minor: int
    """Back into it, and of the tax likewise."""
    returned_tax_minor: int
    overpaid_minor: int
    """Paid beyond what was owed: its payee owes it back."""
    settled_minor: int
    """Of what the payee owed back, settled by this payout's own return."""
    returned_at: datetime | None

    @property
    def is_paid(self) -> bool:
        """Whether its payment is in the books."""
        return bool(self.paid_minor or self.paid_tax_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One payout. What is not known yet is None."""

    id: UUID
    external_id: str
    payee: str
    state: PayoutState
    currency: str
    gross_minor: int
    tax_minor: int
    tax_base_minor: int
    tax_rate_bps: int | None
    tax_financial_year: str | None
    recovered_minor: int
    """Kept back of what the payee owed."""
    net_minor: int | None
    clawed_back_minor: int
    """Paid, and owed back by the payee since: given back to a customer, or paid beyond what was owed."""
    posted: Posted
    reference: str
    provider: str | None
    provider_id: str | None
    utr: str | None
    mode: str | None
    fund_account_id: str
    created_at: datetime
    sent_at: datetime | None
    completed_at: datetime | None
    is_earned: bool
    """Made of earnings; of what a file named there are no lines."""
    lines: Sequence[AdviceLine]

    def check(self) -> None:
        """Raise `BrokenError` where its parts do not add up, or are not what the books say.

        Nobody is told of a payment that the books do not have, or have with other sums.
        """
        kept_back = self.tax_minor + self.recovered_minor
        if self.net_minor is not None and self.net_minor + kept_back != self.gross_minor:
            raise BrokenError(f"payout {self.id}: {self.gross_minor} is not net, tax and recovered")
        said, posted = (self.net_minor, self.tax_minor), self.posted
        if posted.is_paid and said != (posted.paid_minor, posted.paid_tax_minor):
            had = f"{posted.paid_minor} and tax {posted.paid_tax_minor}"
            raise BrokenError(f"payout {self.id}: the books paid {had}, the payout says {said}")
        covered = sum(line.paid_minor for line in self.lines) + posted.overpaid_minor
        if posted.is_paid and self.is_earned and covered != self.gross_minor:
            raise BrokenError(
                f"payout {self.id}: its earnings come to {covered}, not to {self.gross_minor}"
            )

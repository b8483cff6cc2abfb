"""What a payee's account was, what moved it, and what it is: a time of it, by currency. Amounts in minor units.

An amount above zero is owed to the payee, one below zero is owed by them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from domain.errors import BrokenError
from domain.ledger import AccountKind, EntryType

EVENTS: Final = {
    EntryType.PAYOUT_IMPORTED: "owed, by an imported payout",
    EntryType.PAYOUT_OPENED: "owed, as another system had it",
    EntryType.EARNING_IMPORTED: "earned",
    EntryType.EARNING_OPENED: "earned, as another system had it",
    EntryType.BOOKING_PAID: "earned",
    EntryType.EARNING_REDUCED: "given back to a customer",
    EntryType.REFUND_GIVEN: "given back to a customer",
    EntryType.WALLET_CREDITED: "put into the wallet",
    EntryType.CHECKOUT_HELD: "taken for a booking",
    EntryType.CHECKOUT_RELEASED: "given back from a booking",
    EntryType.LENDER_PAYABLE_CREATED: "share of what a borrower paid",
    EntryType.PAYOUT_SUBMITTED: "paid out",
    EntryType.PAYOUT_PUT_BACK: "not sent after all",
    EntryType.PAYOUT_FAILED: "did not arrive",
    EntryType.PAYOUT_PAID_LATE: "arrived after all",
    EntryType.PAYOUT_REVERSED: "came back",
    EntryType.LENDER_PAYOUT_SENT: "paid out",
    EntryType.SUSPENSE_ESCALATED: "set apart by another system",
    EntryType.REVERSAL: "taken back: what it was of did not last",
    EntryType.CORRECTION: "corrected",
}
"""What moves a payee's account, in words for the payee; what has none is told by its own name."""
OWED: Final = (AccountKind.PAYEE_PAYABLE, AccountKind.WALLET, AccountKind.LENDER_PAYABLE)
"""What is owed to a payee: for what they earned, what they keep with us, and what they lent."""
OWING: Final = (AccountKind.PAYEE_RECEIVABLE,)
"""What they owe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One posting of what is owed to the payee, or by them."""

    at: datetime
    effective_on: date
    type: str
    document: str
    """The payout's or the earning's own name, else the entry's key."""
    account: AccountKind
    change_minor: int
    balance_minor: int
    """What is owed to the payee after it, less what they owe."""

    @property
    def event(self) -> str:
        """What happened, in words."""
        words = _OF_DEBTS if self.account in OWING else _WORDS
        return words.get(self.type) or _WORDS.get(self.type, self.type)


_WORDS: Final = {kind.value: words for kind, words in EVENTS.items()}
_OF_DEBTS: Final = {
    EntryType.PAYOUT_SUBMITTED.value: "recovered from what is paid out",
    EntryType.PAYOUT_PUT_BACK.value: "owed again: not sent after all",
    EntryType.PAYOUT_FAILED.value: "owed again: did not arrive",
}
"""What moves what the payee owes, where that reads otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payout that was paid within the time."""

    payout: str
    paid_at: datetime
    gross_minor: int
    tax_minor: int
    recovered_minor: int
    """Kept back of what the payee owed."""
    net_minor: int
    utr: str | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What is owed to the payee, and what by them, at one moment."""

    owed_minor: int
    owing_minor: int

    @property
    def net_minor(self) -> int:
        """Both together."""
        return self.owed_minor - self.owing_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyStatement:
    """One currency of a payee's statement."""

    currency: str
    opening: Balance
    closing: Balance
    """By the balances that the books keep, not by what moved."""
    movements: Sequence[Movement]
    payments: Sequence[Payment]

    def check(self) -> None:
        """Raise `BrokenError` unless what moved carries the opening balances to those of the books."""
        for kinds, before, after in (
            (OWED, self.opening.owed_minor, self.closing.owed_minor),
            (OWING, -self.opening.owing_minor, -self.closing.owing_minor),
        ):
            moved = sum(m.change_minor for m in self.movements if m.account in kinds)
            if before + moved != after:
                raise BrokenError(
                    f"{kinds[0].value} {self.currency}: {before} and {moved} are not the {after} of the books"
                )

    def clawed_back_minor(self) -> int:
        """What the payee came to owe within the time."""
        return -sum(m.change_minor for m in self._owing() if m.change_minor < 0)

    def recovered_minor(self) -> int:
        """What they owed and owe no more."""
        return sum(m.change_minor for m in self._owing() if m.change_minor > 0)

    def _owing(self) -> list[Movement]:
        return [m for m in self.movements if m.account in OWING]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeStatement:
    """A payee's account from `start` until `end`, which is not included (aware UTC)."""

    payee: str
    start: datetime
    end: datetime
    currencies: Sequence[CurrencyStatement]

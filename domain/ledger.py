"""The books: account kinds, entry types, which may touch which, and entries that balance when made."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from domain.errors import BadInputError
from domain.money import MINOR_MAX


class Side(StrEnum):
    """The two sides of a posting."""

    DEBIT = "D"
    CREDIT = "C"


class AccountKind(StrEnum):
    """What an account stands for."""

    IMPORTED_LIABILITY = "imported_liability"
    """What an imported file says is owed: the other side of taking over a debt."""
    OPENING_BALANCES = "opening_balances"
    """What another system had on its books when this one took over: the other side of every opening entry."""
    PAYEE_PAYABLE = "payee_payable"
    """What is owed to one payee and not yet on its way. One per payee; never below zero."""
    PAYOUTS_IN_TRANSIT = "payouts_in_transit"
    """Sent, or possibly sent, and not yet confirmed."""
    CASH = "cash"
    """The bank account payouts leave from."""
    TDS_PAYABLE = "tds_payable"
    """Tax withheld and owed to the state."""
    PAYEE_RECEIVABLE = "payee_receivable"
    """What one payee owes: paid twice, or given back to a customer since. One per payee; never below zero."""
    WALLET = "wallet"
    """What one owner, a customer or an organisation, has here, to spend or be paid. One per owner; never below zero."""
    REFERRAL_CREDIT = "referral_credit"
    """What one customer was given to spend here. One per customer; never below zero."""
    CHECKOUT_HOLDS = "checkout_holds"
    """Taken out of wallets and credits for checkouts that are under way."""
    GATEWAY_CLEARING = "gateway_clearing"
    """Captured by payment gateways and not yet settled to the bank."""
    PLATFORM_REVENUE = "platform_revenue"
    """What the platform keeps of what customers pay."""
    REFUNDS_PAYABLE = "refunds_payable"
    """Captured for nothing: owed back to whoever paid."""
    PROMOTIONS = "promotions"
    """What credits cost that were given away."""


class EntryType(StrEnum):
    """What happened."""

    PAYOUT_IMPORTED = "payout.imported"
    PAYOUT_OPENED = "payout.opened"
    """Taken over from another system, in whatever state: what of it is owed, in transit, or tax withheld."""
    PAYOUT_SUBMITTED = "payout.submitted"
    """The claim of a first send: from here the money is reserved, whatever the answer."""
    PAYOUT_PUT_BACK = "payout.put_back"
    PAYOUT_COMPLETED = "payout.completed"
    PAYOUT_FAILED = "payout.failed"
    PAYOUT_PAID_LATE = "payout.paid_late"
    """Paid after it had failed or been cancelled, and its money been given back to the payee's account."""
    PAYOUT_REVERSED = "payout.reversed"
    EARNING_IMPORTED = "earning.imported"
    EARNING_OPENED = "earning.opened"
    """Taken over from another system, and owed."""
    EARNING_REDUCED = "earning.reduced"
    """Part of it was given back to the customer: owed no more, or owed back where it was paid."""
    CHECKOUT_HELD = "checkout.held"
    """Wallet and credit legs of a checkout, taken when it is begun."""
    CHECKOUT_RELEASED = "checkout.released"
    BOOKING_PAID = "booking.paid"
    """Captured: the consultant's share and the platform's."""
    BOOKING_ORPHANED = "booking.orphaned"
    """Captured when its seat was gone: owed back."""
    REFUND_GIVEN = "refund.given"
    CREDIT_GRANTED = "credit.granted"
    WALLET_CREDITED = "wallet.credited"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRule:
    """How accounts of a kind behave."""

    normal: Side
    stripes: int
    """Rows its balance is kept in: 16 for system accounts without a bound, else 1."""
    bounded: bool
    """Whether the balance, on its normal side, may never fall below zero."""
    owned: bool
    """Whether there is one account per owner."""


_D, _C = Side.DEBIT, Side.CREDIT
_K, _T = AccountKind, EntryType

ACCOUNT_RULES: Final[dict[AccountKind, AccountRule]] = {
    _K.IMPORTED_LIABILITY: AccountRule(normal=_D, stripes=16, bounded=False, owned=False),
    _K.OPENING_BALANCES: AccountRule(normal=_D, stripes=16, bounded=False, owned=False),
    _K.PAYEE_PAYABLE: AccountRule(normal=_C, stripes=1, bounded=True, owned=True),
    _K.PAYOUTS_IN_TRANSIT: AccountRule(normal=_C, stripes=16, bounded=False, owned=False),
    _K.CASH: AccountRule(normal=_D, stripes=16, bounded=False, owned=False),
    _K.TDS_PAYABLE: AccountRule(normal=_C, stripes=16, bounded=False, owned=False),
    _K.PAYEE_RECEIVABLE: AccountRule(normal=_D, stripes=1, bounded=True, owned=True),
    _K.WALLET: AccountRule(normal=_C, stripes=1, bounded=True, owned=True),
    _K.REFERRAL_CREDIT: AccountRule(normal=_C, stripes=1, bounded=True, owned=True),
    _K.CHECKOUT_HOLDS: AccountRule(normal=_C, stripes=16, bounded=False, owned=False),
    _K.GATEWAY_CLEARING: AccountRule(normal=_D, stripes=16, bounded=False, owned=False),
    _K.PLATFORM_REVENUE: AccountRule(normal=_C, stripes=16, bounded=False, owned=False),
    _K.REFUNDS_PAYABLE: AccountRule(normal=_C, stripes=16, bounded=False, owned=False),
    _K.PROMOTIONS: AccountRule(normal=_D, stripes=16, bounded=False, owned=False),
}

_THEIRS: Final = frozenset({_K.PAYEE_PAYABLE, _K.WALLET})
"""Where the money of a payout is before it is sent."""

ENTRY_RULES: Final[dict[EntryType, tuple[frozenset[AccountKind], frozenset[AccountKind]]]] = {
    _T.PAYOUT_IMPORTED: (frozenset({_K.IMPORTED_LIABILITY}), frozenset({_K.PAYEE_PAYABLE})),
    _T.PAYOUT_OPENED: (
        frozenset({_K.OPENING_BALANCES}), frozenset({_K.PAYEE_PAYABLE, _K.PAYOUTS_IN_TRANSIT, _K.TDS_PAYABLE})
    ),
    _T.PAYOUT_SUBMITTED: (_THEIRS, frozenset({_K.PAYOUTS_IN_TRANSIT, _K.PAYEE_RECEIVABLE})),
    _T.PAYOUT_PUT_BACK: (frozenset({_K.PAYOUTS_IN_TRANSIT, _K.PAYEE_RECEIVABLE}), _THEIRS),
    _T.PAYOUT_COMPLETED: (frozenset({_K.PAYOUTS_IN_TRANSIT}), frozenset({_K.CASH, _K.TDS_PAYABLE})),
    _T.PAYOUT_FAILED: (frozenset({_K.PAYOUTS_IN_TRANSIT, _K.PAYEE_RECEIVABLE}), _THEIRS),
    _T.PAYOUT_PAID_LATE: (_THEIRS | {_K.PAYEE_RECEIVABLE}, frozenset({_K.CASH, _K.TDS_PAYABLE, _K.PAYEE_RECEIVABLE})),
    _T.PAYOUT_REVERSED: (frozenset({_K.CASH, _K.TDS_PAYABLE, _K.PAYEE_RECEIVABLE}), _THEIRS | {_K.PAYEE_RECEIVABLE}),
    _T.EARNING_OPENED: (frozenset({_K.OPENING_BALANCES}), frozenset({_K.PAYEE_PAYABLE})),
    _T.EARNING_IMPORTED: (frozenset({_K.IMPORTED_LIABILITY}), frozenset({_K.PAYEE_PAYABLE})),
    _T.EARNING_REDUCED: (frozenset({_K.PAYEE_PAYABLE, _K.PAYEE_RECEIVABLE}), frozenset({_K.IMPORTED_LIABILITY})),
    _T.CHECKOUT_HELD: (frozenset({_K.WALLET, _K.REFERRAL_CREDIT}), frozenset({_K.CHECKOUT_HOLDS})),
    _T.CHECKOUT_RELEASED: (frozenset({_K.CHECKOUT_HOLDS}), frozenset({_K.WALLET, _K.REFERRAL_CREDIT})),
    _T.BOOKING_PAID: (
        frozenset({_K.GATEWAY_CLEARING, _K.CHECKOUT_HOLDS}),
        frozenset({_K.PAYEE_PAYABLE, _K.PLATFORM_REVENUE}),
    ),
    _T.BOOKING_ORPHANED: (frozenset({_K.GATEWAY_CLEARING, _K.CHECKOUT_HOLDS}), frozenset({_K.REFUNDS_PAYABLE})),
    _T.REFUND_GIVEN: (
        frozenset({_K.PAYEE_PAYABLE, _K.PAYEE_RECEIVABLE, _K.PLATFORM_REVENUE, _K.REFUNDS_PAYABLE}),
        frozenset({_K.GATEWAY_CLEARING, _K.WALLET, _K.REFERRAL_CREDIT}),
    ),
    _T.CREDIT_GRANTED: (frozenset({_K.PROMOTIONS}), frozenset({_K.REFERRAL_CREDIT})),
    _T.WALLET_CREDITED: (frozenset({_K.IMPORTED_LIABILITY}), frozenset({_K.WALLET})),
}  # fmt: skip
"""Entry type to the account kinds it may debit and credit; the database holds the same map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A positive amount of minor units, debited to one account and credited to another (by their ids).

    Balanced by its form. An entry of three legs is two postings.
    """

    debit: int
    credit: int
    amount: int

    def __post_init__(self) -> None:
        if not 0 < self.amount <= MINOR_MAX:
            raise BadInputError("posting amount", self.amount, "must be positive and fit 64 bits")
        if self.debit == self.credit:
            raise BadInputError("posting accounts", self.debit, "debit and credit must differ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One fact under one key."""

    type: EntryType
    key: str
    currency: str
    effective_on: date
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        if not self.postings:
            raise BadInputError(f"entry {self.key}", 0, "must have a posting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """New entries of one type and currency, of today, as columns, one posting each: the hot form."""

    type: EntryType
    currency: str
    keys: list[str]
    debits: list[int]
    credits: list[int]
    amounts: list[int]

    def __len__(self) -> int:
        return len(self.keys)


_SHORT: Final = {kind: kind.value.removeprefix("payout.") for kind in EntryType}


def payout_entry_key(payout: object, generation: int, kind: EntryType, put_backs: int = 0) -> str:
    """Return the key of a payout's entry: `payout:<id>:<generation>:<type>`.

    A payout that was put back is submitted again under the same generation: from the first put-back
    on, submissions and put-backs carry their number.
    """
    return f"payout:{payout}:{generation}:{_SHORT[kind]}" + (f":{put_backs}" if put_backs else "")

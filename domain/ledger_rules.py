"""The rules of the books: how accounts of each kind behave, and which of them each type of entry may touch."""

from dataclasses import dataclass
from typing import Final

from domain.ledger import AccountKind, EntryType, Side


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
    _K.BORROWER_RECEIVABLE: AccountRule(normal=_D, stripes=1, bounded=True, owned=True),
    _K.TRUST_CASH: AccountRule(normal=_D, stripes=1, bounded=True, owned=True),
    _K.CASH_CLEARING: AccountRule(normal=_C, stripes=1, bounded=True, owned=False),
    _K.UNAPPLIED_CASH: AccountRule(normal=_C, stripes=1, bounded=True, owned=True),
    _K.LENDER_PAYABLE: AccountRule(normal=_C, stripes=1, bounded=True, owned=True),
    _K.SERVICING_REVENUE: AccountRule(normal=_C, stripes=1, bounded=True, owned=False),
    _K.WRITE_OFF: AccountRule(normal=_D, stripes=1, bounded=True, owned=False),
    _K.SUSPENSE: AccountRule(normal=_D, stripes=1, bounded=True, owned=True),
    _K.CONTROL_ACCRUAL: AccountRule(normal=_C, stripes=16, bounded=False, owned=False),
    _K.CONTROL_SETTLEMENT: AccountRule(normal=_C, stripes=16, bounded=False, owned=False),
    _K.CONTROL_ALLOCATION: AccountRule(normal=_C, stripes=16, bounded=False, owned=False),
    _K.CONTROL_WAIVER: AccountRule(normal=_D, stripes=16, bounded=False, owned=False),
}

_THEIRS: Final = frozenset({_K.PAYEE_PAYABLE, _K.WALLET, _K.LENDER_PAYABLE})
"""Where the money of a payout is before it is sent."""
_CONTROL: Final = frozenset(
    {_K.CONTROL_ACCRUAL, _K.CONTROL_SETTLEMENT, _K.CONTROL_ALLOCATION, _K.CONTROL_WAIVER}
)
_CASH_BOOKS: Final = _CONTROL | {
    _K.BORROWER_RECEIVABLE, _K.TRUST_CASH, _K.CASH_CLEARING, _K.UNAPPLIED_CASH, _K.LENDER_PAYABLE,
    _K.SERVICING_REVENUE, _K.WRITE_OFF, _K.SUSPENSE,
}  # fmt: skip
"""The accounts of obligations."""

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
        frozenset({
            _K.PAYEE_PAYABLE, _K.PAYEE_RECEIVABLE, _K.PLATFORM_REVENUE, _K.REFUNDS_PAYABLE,
            _K.OPENING_BALANCES,
        }),
        frozenset({_K.GATEWAY_CLEARING, _K.WALLET, _K.REFERRAL_CREDIT}),
    ),
    _T.REFUND_TAKEN_BACK: (frozenset({_K.GATEWAY_CLEARING}), frozenset({_K.REFUNDS_PAYABLE})),
    _T.CREDIT_GRANTED: (frozenset({_K.PROMOTIONS}), frozenset({_K.REFERRAL_CREDIT})),
    _T.WALLET_CREDITED: (frozenset({_K.IMPORTED_LIABILITY}), frozenset({_K.WALLET})),
    _T.OBLIGATION_ACCRUED: (frozenset({_K.BORROWER_RECEIVABLE}), _CONTROL),
    _T.CASH_RECEIVED: (
        frozenset({_K.TRUST_CASH, _K.CASH_CLEARING, _K.UNAPPLIED_CASH}),
        frozenset({_K.BORROWER_RECEIVABLE, _K.CASH_CLEARING, _K.UNAPPLIED_CASH}),
    ),
    _T.CASH_APPLIED: (_CONTROL | {_K.UNAPPLIED_CASH}, _CONTROL | {_K.BORROWER_RECEIVABLE}),
    _T.LENDER_PAYABLE_CREATED: (_CONTROL, frozenset({_K.LENDER_PAYABLE})),
    _T.SERVICING_FEE_RECOGNIZED: (_CONTROL, frozenset({_K.SERVICING_REVENUE})),
    _T.LENDER_PAYOUT_SENT: (frozenset({_K.LENDER_PAYABLE, _K.CASH}), frozenset({_K.TRUST_CASH})),
    _T.OBLIGATION_WAIVED: (_CONTROL, frozenset({_K.BORROWER_RECEIVABLE})),
    _T.OBLIGATION_WRITTEN_OFF: (frozenset({_K.WRITE_OFF}), frozenset({_K.BORROWER_RECEIVABLE})),
    _T.SUSPENSE_ESCALATED: (
        frozenset({_K.SUSPENSE}), frozenset({_K.TRUST_CASH, _K.BORROWER_RECEIVABLE, _K.LENDER_PAYABLE})
    ),
    _T.SUSPENSE_ROUTED: (
        frozenset({_K.SUSPENSE}), frozenset({_K.TRUST_CASH, _K.CASH_CLEARING, _K.UNAPPLIED_CASH})
    ),
    _T.SUSPENSE_RESOLVED: (
        frozenset({_K.TRUST_CASH, _K.CASH_CLEARING, _K.CONTROL_ALLOCATION, _K.WRITE_OFF}), frozenset({_K.SUSPENSE})
    ),
    _T.SUSPENSE_BORNE: (frozenset({_K.TRUST_CASH}), frozenset({_K.CASH})),
    _T.REVERSAL: (_CASH_BOOKS | {_K.CASH}, _CASH_BOOKS | {_K.CASH}),
    _T.CORRECTION: (_CASH_BOOKS, _CASH_BOOKS),
}  # fmt: skip
"""Entry type to the account kinds it may debit and credit; the database holds the same map."""


def may_touch(kind: EntryType, debit: AccountKind, credit: AccountKind) -> bool:
    """Whether an entry of this type may take from the one and give to the other."""
    debits, credits_ = ENTRY_RULES[kind]
    return debit in debits and credit in credits_

"""The books: account kinds, entry types, and entries that balance when made."""

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
    """Captured for nothing, or given and taken back: owed to whoever paid."""
    PROMOTIONS = "promotions"
    """What credits cost that were given away."""
    BORROWER_RECEIVABLE = "borrower_receivable"
    """What is open of one obligation. One per obligation; never below zero."""
    TRUST_CASH = "trust_cash"
    """What was collected of one mortgage's borrower and not paid on; one more for what nobody knows whose it is."""
    CASH_CLEARING = "cash_clearing"
    """Received of whoever nobody knows."""
    UNAPPLIED_CASH = "unapplied_cash"
    """Received for one mortgage, beyond what is open of it."""
    LENDER_PAYABLE = "lender_payable"
    """What is owed to one lender of what borrowers paid. One per lender; never below zero."""
    SERVICING_REVENUE = "servicing_revenue"
    WRITE_OFF = "write_off"
    """What nobody expects any more, and we bear."""
    SUSPENSE = "suspense"
    """Cash set apart until a person has looked. One per item, an obligation or a receipt; never below zero."""
    CONTROL_ACCRUAL = "control_accrual"
    """Owed by borrowers and not received: the other side of every receivable."""
    CONTROL_SETTLEMENT = "control_settlement"
    """Received of obligations that are not settled yet."""
    CONTROL_ALLOCATION = "control_allocation"
    """Received of obligations that are settled, and not divided yet."""
    CONTROL_WAIVER = "control_waiver"
    """What was waived, all of it."""


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
    REFUND_TAKEN_BACK = "refund.taken_back"
    """Its gateway gave it to nobody, after it was in the books: owed again."""
    CREDIT_GRANTED = "credit.granted"
    WALLET_CREDITED = "wallet.credited"
    OBLIGATION_ACCRUED = "OBLIGATION_ACCRUED"
    """From here on named as other systems' books of obligations name them."""
    CASH_RECEIVED = "CASH_RECEIVED"
    CASH_APPLIED = "CASH_APPLIED"
    LENDER_PAYABLE_CREATED = "LENDER_PAYABLE_CREATED"
    SERVICING_FEE_RECOGNIZED = "SERVICING_FEE_RECOGNIZED"
    LENDER_PAYOUT_SENT = "LENDER_PAYOUT_SENT"
    OBLIGATION_WAIVED = "OBLIGATION_WAIVED"
    OBLIGATION_WRITTEN_OFF = "OBLIGATION_WRITTEN_OFF"
    SUSPENSE_ESCALATED = "SUSPENSE_ESCALATED"
    SUSPENSE_ROUTED = "SUSPENSE_ROUTED"
    SUSPENSE_RESOLVED = "SUSPENSE_RESOLVED"
    SUSPENSE_BORNE = "SUSPENSE_BORNE"
    """Cash of ours, in the place of what a mortgage had and was written off: its lenders are paid out of it."""
    REVERSAL = "REVERSAL"
    """The opposite of one entry, whole, once."""
    CORRECTION = "CORRECTION"
    """What a person puts right, beside the entry it is about."""


CAUSED: Final = frozenset({EntryType.REVERSAL, EntryType.CORRECTION, EntryType.SUSPENSE_RESOLVED})
"""Types whose entries name the entry they are about, and say why."""


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
    cause: int | None = None
    """The entry it is about."""
    reason: str | None = None

    def __post_init__(self) -> None:
        if not self.postings:
            raise BadInputError(f"entry {self.key}", 0, "must have a posting")
        if (self.type in CAUSED) != (self.cause is not None and bool(self.reason)):
            rule = f"{', '.join(sorted(CAUSED))} name their cause and a reason, and no other does"
            raise BadInputError(f"entry {self.key} cause", self.cause, rule)


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

"""The entries of refunds, and the records of whose wallet was credited and who owes what was paid out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import ledger
from db.accounts import Owner, open_accounts
from db.bookings.entries import Part, pairs
from db.bookings.facts import Checkout
from db.transitions import LeasedTx
from domain.ledger import AccountKind, Entry, EntryType
from domain.payments import LegKind

_K: Final = AccountKind
WALLET_REFUND: Final = "wallet_refund"
CLAWBACK: Final = "payout_clawback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A refund on its way into the books, with the checkout it is of. Amounts in minor units."""

    id: UUID
    checkout: Checkout
    origin: str
    again_of: UUID | None
    """Which one it gives again."""
    amount: int
    gateway: int
    wallet: int
    referral_credit: int
    part: int
    """What its payee loses."""
    is_paid: bool
    """Whether the payee was paid for it already."""
    is_whole: bool
    """Whether nothing of its payment is left with it."""

    @property
    def owes(self) -> bool:
        """Whether its payee owes back what was paid out."""
        return self.is_paid and self.part > 0

    @property
    def is_owed(self) -> bool:
        """Whether it was owed back before: captured for nothing, or taken back."""
        return self.checkout.orphaned or self.again_of is not None

    @property
    def rest(self) -> Owner:
        """What bears what the payee does not: the platform, in whose books it came in."""
        kind = _K.OPENING_BALANCES if self.checkout.taken_over else _K.PLATFORM_REVENUE
        return self.of(kind)

    @property
    def payee(self) -> Owner:
        """Whose account the payee's part is taken from: owed less, or owed back once it was paid."""
        kind = _K.PAYEE_RECEIVABLE if self.is_paid else _K.PAYEE_PAYABLE
        return self.of(kind, str(self.checkout.consultant))

    def of(self, kind: AccountKind, owner: str = "") -> Owner:
        """An account in its currency."""
        return Owner(kind=kind, owner=owner, currency=self.checkout.currency)

    def account(self, kind: LegKind) -> int:
        """The account that a leg of ours was taken from, and goes back to."""
        found = next(leg.account for leg in self.checkout.legs if leg.kind is kind)
        assert found is not None, "a leg of ours has its account"
        return found


def post(tx: LeasedTx, given: Sequence[Given]) -> None:
    """Post each refund, `refund:<id>`, and keep the records of it. Locks accounts: a caller does this last."""
    opened = open_accounts(tx, {owner for one in given for owner in _owners(one)})
    day = ledger.today(tx)
    entries = [_entry(day, one, opened) for one in given]
    ledger.post(tx, entries, run=tx.holder, actor=tx.actor)
    _record(tx, given, opened)


def _owners(one: Given) -> Iterable[Owner]:
    yield one.of(_K.GATEWAY_CLEARING)
    if one.is_owed:
        yield one.of(_K.REFUNDS_PAYABLE)
        return
    yield one.rest
    if one.part:
        yield one.payee


def _entry(day: date, one: Given, opened: dict[Owner, int]) -> Entry:
    return Entry(
        type=EntryType.REFUND_GIVEN,
        key=f"refund:{one.id}",
        currency=one.checkout.currency,
        effective_on=day,
        postings=tuple(pairs(_taken(one, opened), _back(one, opened))),
    )


def _taken(one: Given, opened: dict[Owner, int]) -> list[Part]:
    """Who bears it: what was owed back anyway, or payee and platform by their shares."""
    if one.is_owed:
        return [(opened[one.of(_K.REFUNDS_PAYABLE)], one.amount)]
    payee = [(opened[one.payee], one.part)] if one.part else []
    return [*payee, (opened[one.rest], one.amount - one.part)]


def _back(one: Given, opened: dict[Owner, int]) -> list[Part]:
    """Where it goes: the way it was paid."""
    parts = [(opened[one.of(_K.GATEWAY_CLEARING)], one.gateway)]
    if one.wallet:
        parts.append((one.account(LegKind.WALLET), one.wallet))
    if one.referral_credit:
        parts.append((one.account(LegKind.REFERRAL_CREDIT), one.referral_credit))
    return parts


_RECORD: Final = sa.text("""
    -- Its owner is the account's: the books and the record cannot name two.
    INSERT INTO refund_records (refund, action, owner, organisation, account, amount, balance_after)
    SELECT g.refund, g.action, y.id, y.kind = 'organisation', a.id, g.amount,
           -- What it held after this one: what it holds now, less what later ones of this set gave.
           (SELECT abs(b.credits - b.debits) FROM balances b WHERE b.account = a.id) - g.later
    FROM unnest(CAST(:refunds AS uuid[]), CAST(:actions AS text[]), CAST(:accounts AS bigint[]), CAST(:amounts AS bigint[]),
                CAST(:laters AS bigint[])) AS g (refund, action, account, amount, later)
    JOIN accounts a ON a.id = g.account
    -- The system's own accounts have an owner that is no id, and a plan may look at them first.
    JOIN payees y ON y.id = CASE WHEN a.kind IN ('wallet', 'payee_receivable') THEN CAST(a.owner AS uuid) END""")


def _record(tx: LeasedTx, given: Sequence[Given], opened: dict[Owner, int]) -> None:
    told = [
        (one.id, WALLET_REFUND, one.account(LegKind.WALLET), one.wallet)
        for one in given
        if one.wallet
    ]
    told += [(one.id, CLAWBACK, opened[one.payee], one.part) for one in given if one.owes]
    if not told:
        return
    later, laters = Counter[int](), list[int]()
    for _, _, account, amount in reversed(told):
        laters.append(later[account])
        later[account] += amount
    tx.run(
        _RECORD,
        refunds=[refund for refund, *_ in told],
        actions=[action for _, action, *_ in told],
        accounts=[account for *_, account, _ in told],
        amounts=[amount for *_, amount in told],
        laters=laters[::-1],
    )

"""The entries of checkouts: what is held of them, given back, earned, or owed back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import sqlalchemy as sa

from db import ledger
from db.accounts import Owner, open_accounts
from db.bookings.facts import Checkout, Leg
from db.tx import Tx
from domain.ledger import AccountKind, Entry, EntryType, Posting

_K: Final = AccountKind
Part = tuple[int, int]
"""An account, and an amount of minor units."""


def held(tx: Tx, checkouts: Sequence[Checkout], *, run: int | None, actor: str) -> None:
    """Take the legs that are ours out of wallets and credits."""
    owning = [c for c in checkouts if c.ours]
    books, day = _books(tx, _K.CHECKOUT_HOLDS, owning), ledger.today(tx)
    entries = [
        _entry(day, c, EntryType.CHECKOUT_HELD, "held", _legs(c.ours), [_hold(c, books)])
        for c in owning
    ]
    ledger.post(tx, entries, run=run, actor=actor)


def released(tx: Tx, checkouts: Sequence[Checkout], *, run: int | None, actor: str) -> None:
    """Give the legs that are ours back to where they came from."""
    owning = [c for c in checkouts if c.ours]
    books, day = _books(tx, _K.CHECKOUT_HOLDS, owning), ledger.today(tx)
    entries = [
        _entry(day, c, EntryType.CHECKOUT_RELEASED, "released", [_hold(c, books)], _legs(c.ours))
        for c in owning
    ]
    ledger.post(tx, entries, run=run, actor=actor)


_EARN: Final = sa.text("SELECT * FROM earn_of_payments(CAST(:ids AS uuid[]))")


def paid(tx: Tx, checkouts: Sequence[Checkout]) -> list[Entry]:
    """Make the earning of each payment that was captured; returns the entries that share it between consultant and platform."""
    if not checkouts:
        return []
    rows = tx.rows(_EARN, ids=[c.payment for c in checkouts])
    shares = {row.payment: row.share for row in rows}
    payables = open_accounts(tx, [_payable(c) for c in checkouts])
    for kind in (_K.PAYOUTS_IN_TRANSIT, _K.CASH):  # what is earned will be paid out
        _books(tx, kind, checkouts)
    clearing = _books(tx, _K.GATEWAY_CLEARING, checkouts)
    holds = _books(tx, _K.CHECKOUT_HOLDS, checkouts)
    revenue = _books(tx, _K.PLATFORM_REVENUE, checkouts)
    day = ledger.today(tx)
    return [
        _entry(
            day,
            c,
            EntryType.BOOKING_PAID,
            "paid",
            _captured(c, clearing[c.currency], holds[c.currency]),
            [
                (payables[_payable(c)], shares[c.payment]),
                (revenue[c.currency], c.amount - shares[c.payment]),
            ],
        )
        for c in checkouts
    ]


def orphaned(tx: Tx, checkouts: Sequence[Checkout]) -> list[Entry]:
    """The entries that owe back what was captured for nothing; legs that are ours only where they were still held."""
    if not checkouts:
        return []
    clearing = _books(tx, _K.GATEWAY_CLEARING, checkouts)
    holds = _books(tx, _K.CHECKOUT_HOLDS, checkouts)
    owed = _books(tx, _K.REFUNDS_PAYABLE, checkouts)
    day, entries = ledger.today(tx), list[Entry]()
    for c in checkouts:
        parts = _captured(c, clearing[c.currency], holds[c.currency])
        if c.state != "PENDING":
            parts = [part for part in parts if part[0] != holds[c.currency]]
        back = (owed[c.currency], sum(amount for _, amount in parts))
        entries.append(_entry(day, c, EntryType.BOOKING_ORPHANED, "orphaned", parts, [back]))
    return entries


def _payable(checkout: Checkout) -> Owner:
    return Owner(kind=_K.PAYEE_PAYABLE, owner=str(checkout.consultant), currency=checkout.currency)


def _books(tx: Tx, kind: AccountKind, checkouts: Iterable[Checkout]) -> dict[str, int]:
    """The system's account of a kind, by currency."""
    wanted = {c.currency: Owner(kind=kind, owner="", currency=c.currency) for c in checkouts}
    opened = open_accounts(tx, wanted.values()) if wanted else {}
    return {currency: opened[owner] for currency, owner in wanted.items()}


def _legs(legs: Sequence[Leg]) -> list[Part]:
    return [(leg.account, leg.amount) for leg in legs if leg.account is not None]


def _hold(checkout: Checkout, holds: Mapping[str, int]) -> Part:
    return holds[checkout.currency], _sum(checkout.ours)


def _sum(legs: Sequence[Leg]) -> int:
    return sum(leg.amount for leg in legs)


def _captured(checkout: Checkout, clearing: int, holds: int) -> list[Part]:
    """What pays: the gateway's leg out of what it captured, the others out of what is held of them."""
    ours = _sum(checkout.ours)
    return [part for part in ((clearing, checkout.amount - ours), (holds, ours)) if part[1]]


def _entry(
    day: date,
    checkout: Checkout,
    kind: EntryType,
    word: str,
    debits: Sequence[Part],
    credits_: Sequence[Part],
) -> Entry:
    return Entry(
        type=kind,
        key=f"payment:{checkout.payment}:{word}",
        currency=checkout.currency,
        effective_on=day,
        postings=tuple(pairs(debits, credits_)),
    )


def pairs(debits: Sequence[Part], credits_: Sequence[Part]) -> Iterator[Posting]:
    """Postings that take the debits and give the credits, which are as much in all; parts of nothing are left out."""
    given = ([account, amount] for account, amount in credits_ if amount)
    to, left = next(given)
    for account, amount in debits:
        open_ = amount
        while open_:
            if not left:
                to, left = next(given)
            part = min(open_, left)
            yield Posting(debit=account, credit=to, amount=part)
            open_, left = open_ - part, left - part

"""Wallets as rows: made where they are missing, held by whoever takes from them, credited by sets.

Lock order: after subjects, before tax years and accounts; wallets in the order of their ids.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import ledger
from db.accounts import Owner, open_accounts
from db.tx import Tx
from domain.ledger import AccountKind, Entry, EntryType, Posting
from domain.wallets import credit_key, wallet_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """One wallet: what a payee keeps with us in one currency. `account` is its account in the books."""

    id: UUID
    payee: UUID
    currency: str
    account: int


_LOCK: Final = sa.text("""
    SELECT FROM wallets WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE""")


def lock_wallets(tx: Tx, wallets: Collection[UUID]) -> None:
    """Hold wallets to the end of the transaction: nobody else takes from them. What is read after this stays so."""
    if wallets:
        tx.rows(_LOCK, ids=list(wallets))


_BALANCES: Final = sa.text("""
    SELECT account, credits - debits AS balance FROM balances WHERE account = ANY(CAST(:accounts AS bigint[]))""")


def balances_of(tx: Tx, accounts: Collection[int]) -> Counter[int]:
    """What wallets hold, in minor units by their account in the books; what is reserved is in it."""
    rows = tx.rows(_BALANCES, accounts=list(accounts))
    return Counter({row.account: row.balance for row in rows})


_OF_PAYOUTS: Final = (AccountKind.PAYOUTS_IN_TRANSIT, AccountKind.CASH)
"""The system's own accounts that a payout of a wallet goes through."""
_OPEN: Final = sa.text("""
    SELECT open_wallets(CAST(:ids AS uuid[]), CAST(:payees AS uuid[]), CAST(:currencies AS text[]))""")


def open_wallets(tx: Tx, wanted: Collection[tuple[UUID, str]]) -> Mapping[tuple[UUID, str], Wallet]:
    """Return the wallet of each (payee, currency), making those that are missing, empty."""
    owners = {
        (payee, currency): Owner(kind=AccountKind.WALLET, owner=str(payee), currency=currency)
        for payee, currency in wanted
    }
    books = [
        Owner(kind=kind, owner="", currency=currency)
        for kind in _OF_PAYOUTS
        for currency in {currency for _, currency in wanted}
    ]
    accounts = open_accounts(tx, [*owners.values(), *books])
    found = {
        (payee, currency): Wallet(
            id=wallet_id(payee, currency),
            payee=payee,
            currency=currency,
            account=accounts[owner],
        )
        for (payee, currency), owner in owners.items()
    }
    tx.rows(
        _OPEN,
        ids=[wallet.id for wallet in found.values()],
        payees=[wallet.payee for wallet in found.values()],
        currencies=[wallet.currency for wallet in found.values()],
    )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What is put into a wallet, once for each reference. `minor` in minor units of its currency, above zero."""

    reference: str
    wallet: Wallet
    minor: int


_LIABILITY: Final = AccountKind.IMPORTED_LIABILITY


def credit_wallets(tx: Tx, credits_: Sequence[Credit], *, run: int | None, actor: str) -> int:
    """Put money into wallets, each reference once; returns how many were new.

    Raises `KeyTakenError` for a reference under which something else was credited: nothing is then.
    Locks accounts: a caller does this last.
    """
    if not credits_:
        return 0
    currencies = {credit.wallet.currency for credit in credits_}
    books = {c: Owner(kind=_LIABILITY, owner="", currency=c) for c in currencies}
    opened = open_accounts(tx, books.values())
    day = ledger.today(tx)
    entries = [
        Entry(
            type=EntryType.WALLET_CREDITED,
            key=credit_key(credit.reference),
            currency=credit.wallet.currency,
            effective_on=day,
            postings=(
                Posting(
                    debit=opened[books[credit.wallet.currency]],
                    credit=credit.wallet.account,
                    amount=credit.minor,
                ),
            ),
        )
        for credit in credits_
    ]
    return ledger.post(tx, entries, run=run, actor=actor)

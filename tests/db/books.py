"""Books for tests: accounts by kind, and entries between them."""

from collections.abc import Sequence
from datetime import date
from itertools import product
from typing import Final

from db import ledger
from db.accounts import Owner, open_accounts
from db.engine import Database
from domain.ledger import AccountKind, Entry, EntryType, Posting
from domain.ledger_rules import ENTRY_RULES
from tests.operating import query

DAY: Final = date(2026, 11, 21)
KINDS: Final = AccountKind


def _payees_first(pair: tuple[AccountKind, AccountKind]) -> tuple[bool, bool, str, str]:
    return KINDS.PAYEE_RECEIVABLE in pair, KINDS.PAYEE_PAYABLE not in pair, *pair


class Books:
    """Accounts by kind, and entries between them."""

    def __init__(
        self, database: Database, owners: Sequence[str] = ("one",), currency: str = "INR"
    ) -> None:
        self.database, self.currency = database, currency
        system = [
            Owner(kind=kind, owner="", currency=currency)
            for kind in KINDS
            if kind is not KINDS.PAYEE_PAYABLE
        ]
        owned = [
            Owner(kind=KINDS.PAYEE_PAYABLE, owner=owner, currency=currency) for owner in owners
        ]
        self.accounts = database.transact(lambda tx: open_accounts(tx, [*system, *owned]))

    def id(self, kind: AccountKind, owner: str = "one") -> int:
        """The account of a kind; `owner` only where accounts of it are owned."""
        name = owner if kind is KINDS.PAYEE_PAYABLE else ""
        return self.accounts[Owner(kind=kind, owner=name, currency=self.currency)]

    def entry(self, key: str, kind: EntryType, amount: int, owner: str = "one") -> Entry:
        """One leg between the first accounts its type may touch: a payee's if it may, what is owed back if it must."""
        pairs = [
            (debit, credit) for debit, credit in product(*ENTRY_RULES[kind]) if debit is not credit
        ]
        debit, credit = min(pairs, key=_payees_first)
        leg = Posting(debit=self.id(debit, owner), credit=self.id(credit, owner), amount=amount)
        return Entry(type=kind, key=key, currency=self.currency, effective_on=DAY, postings=(leg,))

    def post(self, *entries: Entry, run: int | None = None) -> int:
        """Post in a transaction of its own."""
        return self.database.transact(
            lambda tx: ledger.post(tx, entries, run=run, actor="test"), attempts_max=100
        )

    def balance(self, kind: AccountKind, owner: str = "one") -> int:
        """Credits less debits."""
        statement = "SELECT sum(credits - debits) AS sum FROM balances WHERE account = :id"
        return int(query(self.database, statement, id=self.id(kind, owner))[0].sum)

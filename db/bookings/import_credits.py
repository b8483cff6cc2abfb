"""Give customers referral credit to spend here: each external id once, in the books."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Final

import sqlalchemy as sa

from db import ledger
from db.accounts import Owner, open_accounts
from db.importing.records import Intake, New
from domain.credit_lines import CREDIT_RECORDS, CreditLine
from domain.ledger import AccountKind, Entry, EntryType, Posting

_CUSTOMERS: Final = sa.text("""
    SELECT external_id AS name, id FROM customers WHERE external_id = ANY(CAST(:names AS text[]))""")
_GIVEN: Final = sa.text("SELECT key FROM entries WHERE key = ANY(CAST(:keys AS text[]))")


class Credits(Intake[CreditLine]):
    """Credits of customers, who were told of before; they are entries, and rows of no table."""

    kind: ClassVar = "credit"
    table: ClassVar = "credits"
    fields: ClassVar = CREDIT_RECORDS.fields

    def judge(self, new: Sequence[New[CreditLine]]) -> None:
        """Each is a customer's."""
        rule = "must be the external_id of a customer: import them first"
        self.customers = self.known(_CUSTOMERS, new, "customer", lambda line: line.customer, rule)

    def amounts(self, new: Sequence[New[CreditLine]]) -> Mapping[str, int]:
        """What is given away."""
        sums = Counter[str]()
        for one in new:
            sums[one.line.currency] += one.line.amount_minor
        return sums

    def strangers(self, names: Collection[str]) -> set[str]:
        """Those under which something was given that no file said."""
        keys = {_key(name): name for name in names}
        return {keys[row.key] for row in self.tx.rows(_GIVEN, keys=list(keys))}

    def insert(self, part: Sequence[New[CreditLine]]) -> None:
        """Post one set; balances are locked last."""
        day = ledger.today(self.tx)
        owners = [
            Owner(
                kind=AccountKind.REFERRAL_CREDIT,
                owner=str(self.customers[one.line.customer].id),
                currency=one.line.currency,
            )
            for one in part
        ]
        books = {
            one.line.currency: Owner(
                kind=AccountKind.PROMOTIONS, owner="", currency=one.line.currency
            )
            for one in part
        }
        opened = open_accounts(self.tx, [*owners, *books.values()])
        entries = [
            Entry(
                type=EntryType.CREDIT_GRANTED,
                key=_key(one.line.external_id),
                currency=one.line.currency,
                effective_on=day,
                postings=(
                    Posting(
                        debit=opened[books[one.line.currency]],
                        credit=opened[owner],
                        amount=one.line.amount_minor,
                    ),
                ),
            )
            for one, owner in zip(part, owners, strict=True)
        ]
        ledger.post(self.tx, entries, run=None, actor=self.actor)


def _key(external_id: str) -> str:
    return f"credit:{external_id}"

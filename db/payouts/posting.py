"""The entries of payouts: what their claim reserves, and the form of all that follows."""

from collections.abc import Sequence
from datetime import date

from db import ledger
from db.payouts import recovering
from db.payouts.details import Details
from db.transitions import LeasedTx
from domain.ledger import Entries, Entry, EntryType, Posting, payout_entry_key


def post_submitted(leased: LeasedTx, rows: Sequence[Details]) -> None:
    """Reserve the money of first sends: from here it is in transit, whatever the answer."""
    if any(row.recovered for row in rows):
        _post_recovered(leased, rows)
        return
    for currency in sorted({row.currency for row in rows}):  # the same order of locks for everybody
        mine = [row for row in rows if row.currency == currency]
        made = Entries(
            type=EntryType.PAYOUT_SUBMITTED,
            currency=currency,
            keys=[
                payout_entry_key(
                    row.id, row.generation, EntryType.PAYOUT_SUBMITTED, row.put_backs or 0
                )
                for row in mine
            ],
            debits=[row.payable for row in mine],
            credits=[_opened(row, row.in_transit) for row in mine],
            amounts=[row.amount for row in mine],
        )
        ledger.post_new(leased, made, run=leased.holder, actor=leased.actor)


def _post_recovered(leased: LeasedTx, rows: Sequence[Details]) -> None:
    """The same of a set in which something is kept back: that is no more owed by the payee."""
    owing = recovering.receivables(leased, [row for row in rows if row.recovered])
    day, kind = ledger.today(leased), EntryType.PAYOUT_SUBMITTED
    made = [
        entry(row, kind, [*map(_turned, reserved(row, owing.get(row.id)))], day, row.put_backs or 0)
        for row in rows
    ]
    ledger.post(leased, made, run=leased.holder, actor=leased.actor)


Leg = tuple[int | None, int | None, int]
"""Debit, credit, amount: the accounts by their ids, None where there is none."""


def entry(row: Details, kind: EntryType, legs: Sequence[Leg], day: date, number: int = 0) -> Entry:
    """One entry of a payout; legs of nothing are left out. Its accounts were opened before its first send."""
    return Entry(
        type=kind,
        key=payout_entry_key(row.id, row.generation, kind, number),
        currency=row.currency,
        effective_on=day,
        postings=tuple(
            Posting(debit=_opened(row, debit), credit=_opened(row, credit), amount=amount)
            for debit, credit, amount in legs
            if amount
        ),
    )


def _opened(row: Details, account: int | None) -> int:
    if account is None:
        raise AssertionError(f"payout {row.id} is to be sent without books in {row.currency}")
    return account


def reserved(row: Details, owing: int | None) -> list[Leg]:
    """All that was reserved, as it goes back to its payee: what is in transit, and what the payee owed (`owing`) before."""
    return [
        (row.in_transit, row.payable, row.amount - row.recovered),
        (owing, row.payable, row.recovered),
    ]


def _turned(leg: Leg) -> Leg:
    debit, credit, amount = leg
    return (credit, debit, amount)

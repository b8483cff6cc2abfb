"""Entries as their accounts are called, not numbered: checked against the map before an account is opened, then posted.

The database checks the same map once more. What either refuses is kept in `rejected_postings`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa

from db import ledger
from db.accounts import Owner, accounts_of
from db.errors import EntryRefusedError, KeyTakenError
from db.rejections import Refusable, refusals_kept
from db.tx import Tx
from domain.ledger import Entry, EntryType, Posting
from domain.ledger_rules import may_touch


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """An amount (minor units) out of one account's debit into another's credit."""

    debit: Owner
    credit: Owner
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One entry to be posted."""

    type: EntryType
    key: str
    effective_on: date
    legs: tuple[Leg, ...]
    cause: int | None = None
    reason: str | None = None


def post(tx: Tx, drafts: Iterable[Draft], *, run: int | None, actor: str) -> int:
    """Post entries, opening the accounts that are missing; returns how many were new.

    Legs of nothing are left out, and entries without a leg. Raises as `ledger.post` does, and
    `EntryRefusedError` for accounts that a type may not touch. Locks accounts: a caller does this last.
    """
    real = [draft for draft in map(_without_nothing, drafts) if draft.legs]
    with refusals_kept(tx, lambda: list(map(_refusable, real)), run=run, actor=actor):
        for draft in real:
            _check(draft)
    return ledger.post(tx, entries(tx, real), run=run, actor=actor) if real else 0


def entries(tx: Tx, drafts: Sequence[Draft]) -> list[Entry]:
    """Drafts, none without a leg, as entries: for whoever posts them with others, in one posting."""
    owners = {
        account for draft in drafts for leg in draft.legs for account in (leg.debit, leg.credit)
    }
    accounts = accounts_of(tx, owners)
    return [
        Entry(
            type=draft.type,
            key=draft.key,
            currency=draft.legs[0].debit.currency,
            effective_on=draft.effective_on,
            postings=tuple(
                Posting(debit=accounts[leg.debit], credit=accounts[leg.credit], amount=leg.amount)
                for leg in draft.legs
            ),
            cause=draft.cause,
            reason=draft.reason,
        )
        for draft in drafts
    ]


_POSTED: Final = sa.text("SELECT key FROM entries WHERE key = ANY(CAST(:keys AS text[]))")


def check_new(tx: Tx, keys: Collection[str]) -> None:
    """Raise `KeyTakenError` for an entry that is in the books already: what it came of was done before.

    For whoever changes rows by what they post: the caller holds what the keys are about, so that nobody
    posts them meanwhile.
    """
    for row in tx.rows(_POSTED, keys=list(keys)) if keys else ():
        raise KeyTakenError(row.key, f"entry {row.key} is in the books already")


def _without_nothing(draft: Draft) -> Draft:
    if all(leg.amount for leg in draft.legs):
        return draft
    legs = tuple(leg for leg in draft.legs if leg.amount)
    return Draft(
        type=draft.type,
        key=draft.key,
        effective_on=draft.effective_on,
        legs=legs,
        cause=draft.cause,
        reason=draft.reason,
    )


def _check(draft: Draft) -> None:
    for leg in draft.legs:
        if not may_touch(draft.type, leg.debit.kind, leg.credit.kind):
            raise EntryRefusedError(
                draft.key,
                f"entry {draft.key} of type {draft.type} may not debit {leg.debit.kind} "
                f"and credit {leg.credit.kind}",
            )


def _refusable(draft: Draft) -> Refusable:
    legs: Sequence[Sequence[int | str]] = [
        (_called(leg.debit), _called(leg.credit), leg.amount) for leg in draft.legs
    ]
    return Refusable(draft.key, draft.type, legs)


def _called(account: Owner) -> str:
    return f"{account.kind} {account.owner}".strip()

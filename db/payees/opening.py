"""Make payees, their accounts in the books and at the provider, where they are missing."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.accounts import Owner, open_accounts
from db.tx import Tx
from domain.ledger import AccountKind
from domain.payout_ids import payee_id, payout_account_id

SET_MAX: Final = 5_000
"""Payees or accounts in one statement."""

_PAYEES: Final = sa.text("""
    INSERT INTO payees (id, name, payable)
    SELECT * FROM unnest(CAST(:payees AS uuid[]), CAST(:names AS text[]), CAST(:payables AS bigint[]))
    ON CONFLICT DO NOTHING""")

_ACCOUNTS: Final = sa.text("""
    INSERT INTO payout_accounts (id, payee, fund_account_id)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:payees AS uuid[]), CAST(:tokens AS text[]))
    ON CONFLICT DO NOTHING""")

Payable = tuple[UUID, int]
"""A payee, and the account in the books of what it is owed in one currency."""


def open_payees(
    tx: Tx, installation: UUID, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Payable]:
    """Return the payee and its payable for each (name, currency), making what is missing."""
    found: dict[tuple[str, str], Payable] = {}
    for start in range(0, len(wanted), SET_MAX):
        part = wanted[start : start + SET_MAX]
        ids = [payee_id(installation, name) for name, _ in part]
        owners = [
            Owner(kind=AccountKind.PAYEE_PAYABLE, owner=str(id_), currency=currency)
            for id_, (_, currency) in zip(ids, part, strict=True)
        ]
        opened = open_accounts(tx, owners)
        payables = [opened[owner] for owner in owners]
        tx.run(_PAYEES, payees=ids, names=[name for name, _ in part], payables=payables)
        found |= zip(part, zip(ids, payables, strict=True), strict=True)
    return found


def open_destinations(
    tx: Tx, installation: UUID, payees: Mapping[str, UUID], wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], UUID]:
    """Return the account at the provider for each (name, token), making what is missing."""
    made = {pair: payout_account_id(installation, *pair) for pair in wanted}
    for start in range(0, len(wanted), SET_MAX):
        part = wanted[start : start + SET_MAX]
        tx.run(
            _ACCOUNTS,
            ids=[made[pair] for pair in part],
            payees=[payees[name] for name, _ in part],
            tokens=[token for _, token in part],
        )
    return made


_ORGANISATIONS: Final = sa.text("""
    SELECT id FROM payees WHERE id = ANY(CAST(:payees AS uuid[])) AND kind = 'organisation'""")


def organisations(tx: Tx, payees: Collection[UUID]) -> set[UUID]:
    """Which of these payees are organisations."""
    return {row.id for row in tx.rows(_ORGANISATIONS, payees=list(payees))}

"""What operators say of a payee's accounts after they were taken over: each word kept with who said it, and why.

A payout names its account as it is made, and its approval seals that: what is said here changes none. What was made for
an account that is not active, or not verified, is parked at its claim; cancelled, it goes to whichever is the default then.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import changes
from db.payees.imports import lock_imports
from db.payees.words import AccountWords
from db.tx import Row, Tx
from domain.errors import BadInputError, RefusedError
from domain.payouts import ORG_PROCESS, PROCESS, RECOVER

_SEND: Final = (PROCESS, ORG_PROCESS, RECOVER)
"""The jobs whose payouts may still be sent as they were frozen."""

_ACCOUNTS: Final = sa.text("""
    WITH whose AS MATERIALIZED (
      SELECT id FROM payees WHERE id = :payee FOR NO KEY UPDATE)
    SELECT a.id, a.fund_account_id, a.is_default FROM whose w JOIN payout_accounts a ON a.payee = w.id
    ORDER BY a.id FOR NO KEY UPDATE OF a""")
_NO_DEFAULT: Final = sa.text("""
    UPDATE payout_accounts SET is_default = false, said_by = :who WHERE id = :id""")
_SAY: Final = sa.text("""
    UPDATE payout_accounts
    SET is_default = is_default OR :is_default, active = coalesce(CAST(:is_active AS boolean), active),
        verified = coalesce(CAST(:is_verified AS boolean), verified), kind = coalesce(CAST(:kind AS text), kind), said_by = :who
    WHERE id = :id""")
_FROZEN: Final = sa.text("""
    SELECT p.external_id FROM work w JOIN payouts p ON p.id = w.subject JOIN effects e ON e.key = p.effect_key
    WHERE w.job = ANY(CAST(:jobs AS text[])) AND p.account = :id AND e.state IN ('intended', 'not_sent', 'unknown')
    ORDER BY p.created_at, p.id LIMIT 1""")


def check(tx: Tx, payee: tuple[UUID, str], fund_account_id: str) -> None:
    """Raise `BadInputError` where this is no account of `payee`, an id and a name.

    Whoever goes on to change it holds the import lock first, as an import does.
    """
    lock_imports(tx)
    _accounts(tx, payee, fund_account_id)


def set_account(
    tx: Tx, payee: tuple[UUID, str], said: AccountWords, *, actor: str, why: str
) -> None:
    """Say something of an account of `payee`, an id and a name. Raises `BadInputError` for one it does not have.

    Raises `RefusedError` for what it is, bank or VPA, while a request is under way that was frozen for what it was. One
    that is frozen beside this word goes the old way, is refused by its provider, and a retry goes the new one.
    Under `policy:maker-checker` what `lets_more_in` is said in the transaction that approves its proposal, which the
    database holds (`accounts_are_made_payable_by_two`).
    """
    lock_imports(tx)
    accounts, mine = _accounts(tx, payee, said.fund_account_id)
    frozen = None if said.kind is None else tx.scalar(_FROZEN, id=mine.id, jobs=list(_SEND))
    if frozen is not None:
        rule = f"payout {frozen} is under way to it, as it was: say it again when that has ended"
        raise RefusedError(rule)
    former = next((a for a in accounts if a.is_default and a.id != mine.id), None)
    if said.is_default and former is not None:
        tx.run(_NO_DEFAULT, id=former.id, who=actor)
        changes.note(tx, "payee.account.no-default", [str(former.id)], who=actor, why=why)
    tx.run(
        _SAY,
        id=mine.id,
        is_default=said.is_default,
        is_active=said.is_active,
        is_verified=said.is_verified,
        kind=said.kind,
        who=actor,
    )
    for word in said.words:
        changes.note(tx, f"payee.account.{word}", [str(mine.id)], who=actor, why=why)


def _accounts(tx: Tx, payee: tuple[UUID, str], fund_account_id: str) -> tuple[Sequence[Row], Row]:
    """All accounts of a payee, locked, and this one of them."""
    id_, name = payee
    accounts = tx.rows(_ACCOUNTS, payee=id_)
    mine = next((a for a in accounts if a.fund_account_id == fund_account_id), None)
    if mine is None:
        rule = f"must be an account of {name}: bursar payees show lists them, bursar import payees brings in new ones"
        raise BadInputError("--account", fund_account_id, rule)
    return accounts, mine

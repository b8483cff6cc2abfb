"""What a gateway took back after it was in the books: owed again, and given again once two people say so.

The books keep what they have: its payee and the platform bore it once. What is given again takes from no leg
of the payment; it takes what is owed back, as the refund of an orphan does.
"""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import ledger
from db.accounts import Owner, open_accounts
from db.bookings.facts import lock
from db.refunds.reserve import Receipt, receipt
from db.tx import Row, Tx
from domain.errors import NotFoundError
from domain.ledger import AccountKind, Entry, EntryType, Posting
from domain.refund_errors import NotTakenBackError
from domain.refunds import RefundState

_MARK: Final = sa.text("""
    WITH said AS MATERIALIZED (
      SELECT id FROM refunds WHERE id = ANY(CAST(:ids AS uuid[])) AND taken_back_at IS NULL ORDER BY id FOR UPDATE)
    UPDATE refunds r SET taken_back_at = clock_timestamp(), updated_at = clock_timestamp() FROM said s WHERE r.id = s.id RETURNING r.id""")


def mark(tx: Tx, refunds: set[UUID]) -> set[UUID]:
    """Keep that their gateway was heard to say that they failed after they had been given; returns those that are new."""
    if not refunds:
        return set()
    return {row.id for row in tx.rows(_MARK, ids=sorted(refunds))}


_PAYMENT: Final = sa.text("SELECT payment FROM refunds WHERE id = :id")
_READ: Final = sa.text("""
    SELECT r.id, r.state, r.gateway, r.currency, r.taken_back_at, a.id AS again FROM refunds r
    LEFT JOIN refunds a ON a.again_of = r.id WHERE r.id = :id""")
_PROPOSE: Final = sa.text("""
    INSERT INTO refunds (id, payment, origin, again_of, scope, actor, key, request_hash, amount, gateway, wallet, referral_credit,
                         currency, why, asked_by, state, effect_key)
    SELECT a.id, r.payment, 'again', r.id, 'again', '', CAST(r.id AS text), '', r.gateway, r.gateway, 0, 0,
           r.currency, :why, :by, 'PROPOSED', effect_key('refund.give', a.id, 1)
    FROM refunds r CROSS JOIN LATERAL (SELECT effect_key('refund.again', r.id, 1) AS id) a
    WHERE r.id = :id RETURNING id""")


def propose(tx: Tx, refund: UUID, *, by: str, why: str) -> Receipt:
    """Propose to give again what the gateway took back of `refund`, and book that it is owed; once for ever.

    Somebody else approves it, whatever `policy:maker-checker` says. Raises `NotFoundError`, and
    `NotTakenBackError` where its gateway was not heard to say so, or it is not in the books.
    """
    payment = tx.scalar(_PAYMENT, id=refund)
    if payment is None:
        raise NotFoundError(f"there is no refund {refund}")
    lock(tx, "payment", [payment])
    row = tx.row(_READ, id=refund)
    assert row is not None, "no refund goes away"
    if row.again is not None:
        return receipt(tx, row.again, replayed=True)
    if row.taken_back_at is None or row.state != RefundState.CASCADED:
        message = f"refund {refund} is {row.state}, and its gateway was not heard to take it back"
        if row.taken_back_at is not None:
            message = f"refund {refund} is {row.state}: it is to be in the books first"
        raise NotTakenBackError(message)
    made = tx.scalar(_PROPOSE, id=refund, by=by, why=why)
    _book(tx, row, by)
    return receipt(tx, made, replayed=False)


def _book(tx: Tx, row: Row, actor: str) -> None:
    clearing, owed = (
        Owner(kind=kind, owner="", currency=row.currency)
        for kind in (AccountKind.GATEWAY_CLEARING, AccountKind.REFUNDS_PAYABLE)
    )
    opened = open_accounts(tx, [clearing, owed])
    entry = Entry(
        type=EntryType.REFUND_TAKEN_BACK,
        key=f"refund:{row.id}:taken_back",
        currency=row.currency,
        effective_on=ledger.today(tx),
        postings=(Posting(debit=opened[clearing], credit=opened[owed], amount=row.gateway),),
    )
    ledger.post(tx, [entry], run=None, actor=actor)

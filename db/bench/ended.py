"""Payouts that have ended, made in bulk: what a statement is held against."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Tx

_EFFECTS: Final = sa.text("""
    INSERT INTO effects (key, kind, subject, generation, provider, account, request, state, sends, token, provider_id, status, accepted_at)
    SELECT effect_key, 'payout.submit', id, 1, :provider, :account, '{}', 'accepted', 1, 1, 'pout_' || id, 'processed',
           clock_timestamp() - interval '1 hour'
    FROM payouts""")
_NAMES: Final = sa.text("""
    INSERT INTO effect_payments (provider, account, provider_id, key)
    SELECT provider, account, provider_id, key FROM effects""")
_PAYOUTS: Final = sa.text("""
    UPDATE payouts SET state = 'COMPLETED', completed_at = clock_timestamp() - interval '30 minutes'""")
_MOVES: Final = sa.text("""
    INSERT INTO moves (kind, subject, source, target, actor, token, at)
    SELECT 'payout', id, 'PROCESSING', 'COMPLETED', 'bench', 1, completed_at FROM payouts""")
_WORK: Final = sa.text("DELETE FROM work")
_PAID: Final = sa.text("""
    SELECT e.provider_id, p.amount, p.currency, e.accepted_at FROM payouts p JOIN effects e ON e.key = p.effect_key
    ORDER BY e.accepted_at, e.key""")


def end(tx: Tx, provider: str, account: str) -> Sequence[Row]:
    """Let every payout have been paid an hour ago; returns the bank's names, amounts and times."""
    tx.run(_EFFECTS, provider=provider, account=account)
    for statement in (_NAMES, _PAYOUTS, _MOVES, _WORK):
        tx.run(statement)
    return tx.rows(_PAID)

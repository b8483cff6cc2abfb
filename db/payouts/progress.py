"""How far a set of payouts has come: for the demo's table and its verdict. Small sets only."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Tx

_BY_STATE: Final = sa.text("""
    SELECT state, count(*) AS items, CAST(sum(amount) AS bigint) AS amount_minor
    FROM payouts GROUP BY state ORDER BY state""")


def by_state(tx: Tx) -> Sequence[Row]:
    """Payouts by state: count and sum (minor units). Reads the whole table."""
    return tx.rows(_BY_STATE)


_WAITING: Final = sa.text("""
    SELECT job, count(*) AS items,
           count(*) FILTER (WHERE due_at <= clock_timestamp()) AS due,
           count(*) FILTER (WHERE leased_until > clock_timestamp()) AS in_hand,
           count(*) FILTER (WHERE parked_reason IS NOT NULL) AS parked
    FROM work GROUP BY job ORDER BY job""")


def waiting(tx: Tx) -> Sequence[Row]:
    """Work by job: all of it, due, in somebody's hands, parked. Reads the whole table."""
    return tx.rows(_WAITING)


_SENT: Final = sa.text("""
    SELECT p.id, p.state, coalesce(p.net_amount, p.amount) AS amount, p.generation, p.dispersal IS NOT NULL AS is_share,
           e.provider_id, e.sends
    FROM payouts p LEFT JOIN effects e ON e.key = p.effect_key ORDER BY p.id""")


def sent(tx: Tx) -> Sequence[Row]:
    """Every payout, what was to be sent of it, and what its newest effect says: to be held against the provider's own list."""
    return tx.rows(_SENT)


_KINDS: Final = sa.text("""
    SELECT a.kind, CAST(sum(b.debits) AS bigint) AS debits, CAST(sum(b.credits) AS bigint) AS credits
    FROM balances b JOIN accounts a ON a.id = b.account GROUP BY a.kind ORDER BY a.kind""")


def books(tx: Tx) -> Sequence[Row]:
    """Debits and credits by kind of account (minor units of the one currency)."""
    return tx.rows(_KINDS)


def crashed_runs(tx: Tx) -> int:
    """How many runs ended with their process."""
    crashed: int = tx.scalar(sa.text("SELECT count(*) FROM runs WHERE state = 'crashed'"))
    return crashed

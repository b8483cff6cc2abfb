"""What is due to be sent, summed: for the question whether there is enough money for it."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx

NEAREST_MAX: Final = 10_000
"""Payouts that are summed, those due longest first: more than a bank takes in many minutes."""

_DUE: Final = sa.text("""
    WITH nearest AS MATERIALIZED (
      SELECT subject FROM work
      WHERE job = :job AND coalesce(leased_until, due_at) <= (SELECT clock_timestamp())
      ORDER BY coalesce(leased_until, due_at) LIMIT :most)
    SELECT p.currency, CAST(sum(coalesce(p.net_amount, p.amount)) AS bigint) AS minor
    FROM nearest n JOIN payouts p ON p.id = n.subject
    WHERE p.state = 'APPROVED' GROUP BY p.currency ORDER BY p.currency""")
_DUE_NAMED: Final = sa.text(
    _DUE.text.replace(
        "WHERE job = :job", "WHERE job = :job AND subject = ANY(CAST(:only AS uuid[]))"
    )
)


def due_amounts(tx: Tx, job: str, only: Sequence[UUID] | None) -> dict[str, int]:
    """What `job` would send now, in minor units by currency; of named payouts, or of all that are due."""
    named = {} if only is None else {"only": list(only)}
    statement = _DUE if only is None else _DUE_NAMED
    return {
        row.currency: row.minor for row in tx.rows(statement, job=job, most=NEAREST_MAX, **named)
    }

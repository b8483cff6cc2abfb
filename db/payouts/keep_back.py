"""Keep back earnings that were paid by a generation we had given up: until a person agrees, nothing pays them again."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx

_HOLD: Final = sa.text("""
    WITH own AS MATERIALIZED (
      SELECT e.id, e.state FROM payout_earnings l JOIN earnings e ON e.id = l.earning
      WHERE l.payout = ANY(CAST(:payouts AS uuid[])) AND NOT e.held AND e.state <> 'REFUNDED'
      ORDER BY e.id FOR UPDATE OF e),
    held AS (
      UPDATE earnings e SET held = true, updated_at = clock_timestamp(),
             state = CASE e.state WHEN 'READY' THEN 'HELD' ELSE e.state END
      FROM own o WHERE e.id = o.id RETURNING e.id, o.state AS source, e.state AS target)
    INSERT INTO moves (kind, subject, source, target, actor, reason)
    SELECT 'earning', id, source, target, :actor, 'an earlier generation of its payout was paid after all' FROM held
    WHERE source <> target""")


def hold(tx: Tx, payouts: Collection[UUID], *, actor: str) -> None:
    """Hold whatever `payouts` pay or paid, whoever pays it now: people release it.

    The caller holds the work rows it needs: they come before earnings in the order of locks.
    """
    if payouts:
        tx.run(_HOLD, payouts=sorted(payouts), actor=actor)

"""Effects as operators read them: those under way through their work, all of them by age."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Rows, Tx
from domain.effects import EffectState

_FIELDS: Final = """
    e.key, e.kind, e.subject, e.generation, e.state, e.sends, e.put_backs, e.provider, e.account, e.provider_id, e.status,
    e.utr, e.error, e.first_sent_at, e.accepted_at, e.updated_at"""

_OPEN: Final = sa.text(f"""
    SELECT {_FIELDS} FROM work w JOIN effects e ON e.subject = w.subject AND e.key = (
      SELECT effect_key FROM payouts WHERE id = w.subject)
    WHERE (CAST(:state AS text) IS NULL OR e.state = :state) AND (CAST(:after AS uuid) IS NULL OR e.key > CAST(:after AS uuid))
    ORDER BY e.key LIMIT :limit""")


def listing(tx: Tx, *, state: EffectState | None, after: UUID | None, limit: int) -> Rows:
    """A page of effects whose subjects still wait for a job, in the order of keys.

    Nothing else is worth a list: what has ended is found by its subject.
    """
    return tx.page(_OPEN, state=state, after=after, limit=limit)

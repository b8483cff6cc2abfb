"""Effects as operators read them: those whose subjects still wait for a job."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Rows, Tx
from domain.effects import EffectState
from domain.payouts import PAYOUTS, RECOVER

_PAGE: Final = sa.text("""
    -- Walked by subject, along the key of `work`: what is over is not looked at, and a page ends the walk.
    SELECT e.* FROM work w CROSS JOIN LATERAL (
      SELECT e.key, e.kind, e.subject, e.generation, e.state, e.sends, e.put_backs, e.provider, e.account, e.provider_id,
             e.status, e.utr, e.error, e.first_sent_at, e.accepted_at, e.updated_at
      FROM payouts p JOIN effects e ON e.key = p.effect_key
      -- What was never claimed has no effect to be looked up.
      WHERE p.id = w.subject AND (p.state <> 'APPROVED' OR w.tries > 0) AND e.state = ANY(CAST(:states AS text[]))
      OFFSET 0) e
    WHERE w.subject > coalesce((SELECT subject FROM effects WHERE key = CAST(:after AS uuid)), '00000000-0000-0000-0000-000000000000')
      -- Jobs whose rows may stand so; what is parked may stand in any way.
      AND (w.job = ANY(CAST(:jobs AS text[])) OR w.parked_reason IS NOT NULL)
    ORDER BY w.subject LIMIT :limit""")


def listing(tx: Tx, *, state: EffectState | None, after: UUID | None, limit: int) -> Rows:
    """A page of effects whose subjects still wait for a job, in the order of their subjects.

    Nothing else is worth a list: what has ended is found by its subject.
    """
    states = [one.value for one in EffectState if state in {None, one}]
    jobs = {call.job for call in PAYOUTS.calls if call.job and call.outcome in states}
    if EffectState.INTENDED in states:
        jobs.add(RECOVER)  # handed over by process: its key may be too old for a send
    return tx.page(_PAGE, states=states, jobs=sorted(jobs), after=after, limit=limit)

"""Effects: what is intended outside, committed before it is tried, and what was answered.

`intend` runs in the claim's transaction: a new effect is inserted with its frozen request and
`sends = 1`; one that exists keeps its request, and `sends` counts one more claim under which a send
may begin. So whoever reads the row later knows the most that can have happened.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db.transitions import LeasedTx
from db.tx import Row, Tx
from db.work import Held
from domain.effects import EffectState


class Intent(NamedTuple):
    """An effect about to be tried under the holder's `token`; `request` only where none is frozen yet."""

    key: UUID
    subject: UUID
    generation: int
    request: str


class Sendable(NamedTuple):
    """An intent as committed: what to send, and how many claims may have sent it."""

    key: UUID
    subject: UUID
    request: str
    sends: int
    put_backs: int
    first_sent_at: datetime


_INTEND: Final = sa.text("""
    INSERT INTO effects AS e (key, kind, subject, generation, provider, account, request, state, sends, token)
    SELECT x.key, :kind, x.subject, x.generation, :provider, :account, x.request, 'intended', 1, x.token
    FROM ROWS FROM (unnest(CAST(:keys AS uuid[])), unnest(CAST(:subjects AS uuid[])), unnest(CAST(:generations AS int[])),
                    unnest(CAST(:tokens AS bigint[])), json_array_elements(CAST(:requests AS json)))
      AS x (key, subject, generation, token, request)
    ON CONFLICT (key) DO UPDATE SET sends = e.sends + 1, token = excluded.token, updated_at = clock_timestamp(),
      state = CASE WHEN e.state = 'not_sent' THEN 'intended' ELSE e.state END,
      -- What was put back or released never left: the key's window begins with the first real send.
      first_sent_at = CASE WHEN e.sends = 0 THEN clock_timestamp() ELSE e.first_sent_at END
    WHERE e.state IN ('intended', 'not_sent', 'unknown')
    -- A row that was there (xmax tells) gives its frozen request; that of a new one is known here.
    RETURNING key, subject, sends, put_backs, first_sent_at, CASE WHEN xmax <> 0 THEN CAST(request AS text) END AS request""")


def intend(
    tx: LeasedTx, intents: Sequence[Intent], *, kind: str, provider: str, account: str
) -> list[Sendable]:
    """Commit to trying: one statement for the set. A frozen request is never overwritten.

    Effects already accepted or rejected are left out of the result: nothing may be sent for them.
    """
    if not intents:
        return []
    rows = tx.rows(
        _INTEND,
        kind=kind,
        provider=provider,
        account=account,
        keys=[i.key for i in intents],
        subjects=[i.subject for i in intents],
        generations=[i.generation for i in intents],
        tokens=[tx.held[i.subject].token for i in intents],
        requests=f"[{','.join(i.request for i in intents)}]",
    )
    frozen = {i.key: i.request for i in intents}
    return [
        Sendable(key, subject, request or frozen[key], sends, put_backs, first_sent_at)
        for key, subject, sends, put_backs, first_sent_at, request in map(tuple, rows)
    ]


class Outcome(NamedTuple):
    """What one answer makes of an effect; `state` None records the answer and changes nothing else."""

    key: UUID
    answer: str
    state: EffectState | None
    detail: str | None = None
    provider_id: str | None = None
    status: str | None = None
    utr: str | None = None
    accepted_at: datetime | None = None
    sends: int = 0
    """What to add to `sends`: -1 where it is certain that this claim sent nothing."""


_ANSWERED: Final = sa.text("""
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:keys AS uuid[]), CAST(:answers AS text[]), CAST(:states AS text[]), CAST(:details AS text[]),
                           CAST(:provider_ids AS text[]), CAST(:statuses AS text[]), CAST(:utrs AS text[]),
                           CAST(:accepted_ats AS timestamptz[]), CAST(:sends AS int[]), CAST(:tokens AS bigint[]))
        AS g (key, answer, state, detail, provider_id, status, utr, accepted_at, sends, token)),
    changed AS (
      UPDATE effects e SET state = coalesce(g.state, e.state), provider_id = coalesce(g.provider_id, e.provider_id),
             status = coalesce(g.status, e.status), utr = coalesce(g.utr, e.utr), accepted_at = coalesce(g.accepted_at, e.accepted_at),
             sends = e.sends + g.sends, put_backs = e.put_backs + CASE WHEN g.state = 'not_sent' THEN 1 ELSE 0 END,
             error = CASE WHEN g.state = 'accepted' THEN NULL ELSE coalesce(g.detail, e.error) END, updated_at = clock_timestamp()
      FROM given g WHERE e.key = g.key
      RETURNING e.key)
    INSERT INTO effect_answers (key, answer, detail, run, token, moved)
    SELECT g.key, g.answer, g.detail, :run, g.token, true FROM given g
    RETURNING key""")


def answered(tx: LeasedTx, outcomes: Sequence[tuple[UUID, Outcome]]) -> None:
    """Write down what was answered about the effects of held subjects: (subject, outcome) each."""
    if not outcomes:
        return
    plain = [o for _, o in outcomes]
    tx.rows(
        _ANSWERED,
        run=tx.holder,
        tokens=[tx.held[subject].token for subject, _ in outcomes],
        keys=[o.key for o in plain],
        answers=[o.answer for o in plain],
        states=[o.state.value if o.state else None for o in plain],
        details=[o.detail for o in plain],
        provider_ids=[o.provider_id for o in plain],
        statuses=[o.status for o in plain],
        utrs=[o.utr for o in plain],
        accepted_ats=[o.accepted_at for o in plain],
        sends=[o.sends for o in plain],
    )


def unsend(tx: LeasedTx, keys: Sequence[UUID]) -> int:
    """Take back the intent of this claim: its call never began."""
    return tx.run(
        sa.text("""UPDATE effects SET sends = sends - 1, updated_at = clock_timestamp()
                   WHERE key = ANY(CAST(:keys AS uuid[])) AND sends > 0"""),
        keys=list(keys),
    )


def keep_evidence(tx: Tx, answers: Sequence[tuple[UUID, str, str | None]], *, run: int) -> None:
    """Keep answers that came too late to move anything: (key, answer, detail) each."""
    tx.run(
        sa.text("""
        INSERT INTO effect_answers (key, answer, detail, run, moved)
        SELECT key, answer, detail, :run, false
        FROM unnest(CAST(:keys AS uuid[]), CAST(:answers AS text[]), CAST(:details AS text[])) AS g (key, answer, detail)"""),
        run=run,
        keys=[k for k, _, _ in answers],
        answers=[a for _, a, _ in answers],
        details=[d for _, _, d in answers],
    )


def settled_under(tx: Tx, held: Mapping[UUID, Held]) -> set[UUID]:
    """Whose effect, by key, has an answer written under its token: the evidence after an unknown commit."""
    rows = tx.rows(
        sa.text("""
        SELECT DISTINCT a.key FROM effect_answers a
        JOIN unnest(CAST(:keys AS uuid[]), CAST(:tokens AS bigint[])) AS h (key, token) ON a.key = h.key AND a.token = h.token
        WHERE a.moved"""),
        keys=list(held),
        tokens=[h.token for h in held.values()],
    )
    return {held[row.key].subject for row in rows}


def get(tx: Tx, key: UUID) -> Row | None:
    """One effect, whole."""
    return tx.row(sa.text("SELECT * FROM effects WHERE key = :key"), key=key)


def answers(tx: Tx, key: UUID) -> Sequence[Row]:
    """Every answer received about an effect, oldest first."""
    return tx.rows(sa.text("SELECT * FROM effect_answers WHERE key = :key ORDER BY at"), key=key)

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
    """An effect about to be tried under the holder's `token`; `request` counts only where none is frozen yet."""

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


_INTEND: Final = sa.text("""
    INSERT INTO effects (key, kind, subject, generation, provider, account, request, state, sends, token)
    SELECT x.key, :kind, x.subject, x.generation, :provider, :account, x.request, 'intended', 1, x.token
    FROM ROWS FROM (unnest(CAST(:keys AS uuid[])), unnest(CAST(:subjects AS uuid[])), unnest(CAST(:generations AS int[])),
                    unnest(CAST(:tokens AS bigint[])), json_array_elements(CAST(:requests AS json)))
      AS x (key, subject, generation, token, request)
    ON CONFLICT (key) DO NOTHING""")

_INTEND_AGAIN: Final = sa.text("""
    -- What was there keeps its request; new ones carry this token already.
    UPDATE effects e SET sends = e.sends + 1, token = g.token, updated_at = clock_timestamp(),
      state = CASE WHEN e.state = 'not_sent' THEN 'intended' ELSE e.state END,
      -- What was put back or released never left: the key's window begins with the first real send.
      first_sent_at = CASE WHEN e.sends = 0 THEN clock_timestamp() ELSE e.first_sent_at END
    FROM unnest(CAST(:keys AS uuid[]), CAST(:tokens AS bigint[])) AS g (key, token)
    WHERE e.key = g.key AND e.token <> g.token AND e.state IN ('intended', 'not_sent', 'unknown') AND NOT e.taken_over""")

_INTENDED: Final = sa.text("""
    SELECT e.key, e.subject, CAST(e.request AS text) AS request, e.sends FROM effects e
    JOIN unnest(CAST(:keys AS uuid[]), CAST(:tokens AS bigint[])) AS g (key, token) ON e.key = g.key AND e.token = g.token""")


def intend(
    tx: LeasedTx, intents: Sequence[Intent], *, kind: str, provider: str, account: str
) -> list[Sendable | None]:
    """Commit to trying, in the order of `intents`: one statement for a set of new effects.

    A frozen request is never overwritten. None stands for an effect already accepted or rejected, or sent
    by another system: nothing may be sent for it.
    """
    if not intents:
        return []
    keys, subjects, generations, requests = map(list, zip(*intents, strict=True))
    tokens = tx.tokens(subjects)
    new = tx.run(
        _INTEND,
        kind=kind,
        provider=provider,
        account=account,
        keys=keys,
        subjects=subjects,
        generations=generations,
        tokens=tokens,
        requests=f"[{','.join(requests)}]",
    )
    if new == len(intents):
        return [Sendable(i.key, i.subject, i.request, 1) for i in intents]
    tx.run(_INTEND_AGAIN, keys=keys, tokens=tokens)
    intended = {
        row.key: Sendable._make(row) for row in tx.rows(_INTENDED, keys=keys, tokens=tokens)
    }
    return [intended.get(key) for key in keys]


class Outcome(NamedTuple):
    """What one answer makes of an effect; `state` None records the answer, and at most its UTR."""

    key: UUID
    answer: str
    state: EffectState | None
    detail: str | None = None
    provider_id: str | None = None
    """The provider's name of the payment, where this answer is the first to give it."""
    status: str | None = None
    utr: str | None = None
    accepted_at: datetime | None = None
    sends: int = 0
    """What to add to `sends`: -1 where it is certain that this claim sent nothing."""


_OUTCOME_COLUMNS: Final = (
    "keys", "answers", "states", "details", "provider_ids", "statuses", "utrs", "accepted_ats", "sends",
)  # fmt: skip
"""The fields of `Outcome`, in their order, as `_ANSWERED` names them."""
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
             error = CASE WHEN g.state = 'accepted' THEN NULL WHEN g.state IS NULL THEN e.error ELSE coalesce(g.detail, e.error) END, updated_at = clock_timestamp()
      FROM given g WHERE e.key = g.key RETURNING e.key, e.provider, e.account, g.provider_id),
    -- Each name is given once: a second effect that claims a payment breaks effects_one_per_payment.
    named AS (
      INSERT INTO effect_payments (key, provider, account, provider_id)
      SELECT key, provider, account, provider_id FROM changed WHERE provider_id IS NOT NULL)
    INSERT INTO effect_answers (key, answer, detail, run, token, moved)
    SELECT g.key, g.answer, g.detail, :run, nullif(g.token, 0), true FROM given g""")


def answered(tx: LeasedTx, outcomes: Sequence[tuple[UUID, Outcome]]) -> None:
    """Write down what was answered about the effects of held subjects: (subject, outcome) each."""
    if not outcomes:
        return
    subjects, plain = zip(*outcomes, strict=True)
    columns = dict(zip(_OUTCOME_COLUMNS, map(list, zip(*plain, strict=True)), strict=True))
    tx.run(_ANSWERED, run=tx.holder, tokens=tx.tokens(subjects), **columns)


def unsend(tx: LeasedTx, keys: Sequence[UUID]) -> int:
    """Take back the intent of this claim: its call never began."""
    return tx.run(
        sa.text("""UPDATE effects SET sends = sends - 1, updated_at = clock_timestamp()
                   WHERE key = ANY(CAST(:keys AS uuid[])) AND sends > 0"""),
        keys=list(keys),
    )


def keep_evidence(
    tx: Tx, answers: Sequence[tuple[UUID, str, str | None]], *, run: int | None
) -> None:
    """Keep answers that move nothing, such as those that came too late: (key, answer, detail) each."""
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

"""The work table: one lease row per subject a job must handle; queue, lease and retry in one.

Who is authoritative. The row is. A claim is an UPDATE of it, committed before anything else happens;
it gives the row a token (one sequence, only growing) and a `leased_until` by the database's
`clock_timestamp()`. The holder may act only while its own monotonic clock says the lease has time
left, counted from *before* the claim was sent; it changes rows only in a transaction that compares
the token. So a holder that slept may still finish a call it had begun, which is what the effect's
one stable key is for, but it can change nothing here.

What is ready: `coalesce(leased_until, due_at) <= clock_timestamp()`. A new row, a delayed one and
one whose lease lapsed differ only in that key, and the index on it never visits what is not ready.
The sub-select around the clock makes it an index condition; a bare volatile call would read the
whole future.

Who dies, and what then. Killed before the claim commits: nothing happened. After it: the lease
lapses and the same job claims the row again, apart from fresh ones, since it may be what kills its worker.
`claims` counts claims since the last settle: claiming alone adds; a settle or release sets it back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx

CLAIMS_MAX: Final = 3
"""A row claimed this often without a settle is not claimed for an ordinary try again."""


class Held(NamedTuple):
    """One work row as its holder knows it; token 0: locked to the end of this transaction (`db/holds.py`)."""

    job: str
    subject: UUID
    token: int
    claims: int
    tries: int
    waiting_since: datetime

    @property
    def is_suspect(self) -> bool:
        """Claimed before without a settle: it may be what killed its worker."""
        return self.claims > 1

    @property
    def is_worn(self) -> bool:
        """Claimed as often as is allowed: park it, or look up what became of it."""
        return self.claims > CLAIMS_MAX


class Next(NamedTuple):
    """What becomes of a held row: another job, a later date, parked, or (job None) gone."""

    subject: UUID
    job: str | None
    delay: timedelta = timedelta(0)
    tries: int = 0
    error: str | None = None
    parked: str | None = None
    no_later: bool = False  # stays due when it was, where that is before `delay` is over


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimOrder:
    """How much to claim, for which run, for how long; `only` narrows it to named subjects."""

    run: int
    limit: int
    lease_seconds: float
    only: Sequence[UUID] | None = None
    gates: Sequence[str] = ()
    """Switches any of which, when on, lets nothing be claimed."""


_CLAIM: Final = sa.text("""
    -- Ready rows, nearest first; rows others are working on are skipped, never waited for.
    WITH due AS MATERIALIZED (
      SELECT ctid AS place, subject, claims, coalesce(leased_until, due_at) AS ready_at FROM work
      WHERE job = :job AND coalesce(leased_until, due_at) <= (SELECT clock_timestamp())
        AND NOT EXISTS (SELECT FROM switches WHERE is_on AND name = ANY(CAST(:gates AS text[])))
      ORDER BY coalesce(leased_until, due_at) LIMIT :limit FOR UPDATE SKIP LOCKED),
    -- What was claimed once without a settle goes apart, in sets of the square root of the usual: if one of
    -- them kills its worker again, only those few are counted twice, and what was claimed twice goes alone.
    ranked AS (
      SELECT place, claims, row_number() OVER w AS n, first_value(claims) OVER w AS first_claims
      FROM due WINDOW w AS (ORDER BY ready_at, subject)),
    chosen AS MATERIALIZED (
      SELECT place FROM ranked WHERE CASE first_claims
        WHEN 0 THEN claims = 0 WHEN 1 THEN claims = 1 AND n <= greatest(1, sqrt(:limit)) ELSE n = 1 END),
    -- One token for the set.
    token AS MATERIALIZED (SELECT nextval('tokens') AS token WHERE EXISTS (SELECT FROM chosen))
    UPDATE work w SET token = token.token, leased_until = clock_timestamp() + make_interval(secs => :lease), holder = :run,
           claims = w.claims + 1
    -- Where they are, since they are locked: no second way through an index.
    FROM chosen c CROSS JOIN token WHERE w.ctid = c.place
    RETURNING w.subject, w.token, w.claims, w.tries, w.waiting_since""")
_CLAIM_NAMED: Final = sa.text(
    _CLAIM.text.replace(
        "WHERE job = :job AND", "WHERE job = :job AND subject = ANY(CAST(:subjects AS uuid[])) AND"
    )
)


def claim(tx: Tx, job: str, order: ClaimOrder) -> list[Held]:
    """Lease up to `order.limit` ready rows of `job`, all under one new token."""
    named = {} if order.only is None else {"subjects": list(order.only)}
    rows = tx.rows(
        _CLAIM if order.only is None else _CLAIM_NAMED,
        job=job,
        run=order.run,
        limit=order.limit,
        lease=order.lease_seconds,
        gates=list(order.gates),
        **named,
    )
    return [Held._make((job, *row)) for row in rows]


_FIRST: Final = sa.text("""
    SELECT subject FROM work
    WHERE job = :job AND coalesce(leased_until, due_at) <= (SELECT clock_timestamp())
      AND (CAST(:only AS uuid[]) IS NULL OR subject = ANY(CAST(:only AS uuid[])))
    ORDER BY coalesce(leased_until, due_at) LIMIT 1 FOR UPDATE SKIP LOCKED""")


def first(tx: Tx, job: str, order: ClaimOrder) -> list[UUID]:
    """The subject that a claim of one would take, if there is any."""
    only = None if order.only is None else list(order.only)
    return [row.subject for row in tx.rows(_FIRST, job=job, only=only)]


_REGAIN: Final = sa.text("""
    WITH mine AS MATERIALIZED (
      SELECT w.subject FROM work w
      JOIN unnest(CAST(:jobs AS text[]), CAST(:subjects AS uuid[]), CAST(:tokens AS bigint[])) AS h (job, subject, token)
        ON w.job = h.job AND w.subject = h.subject AND w.token = h.token
      ORDER BY w.subject, w.job FOR UPDATE OF w)
    -- All of them is the rule, and NULL says so.
    SELECT CASE WHEN count(*) < :asked THEN coalesce(array_agg(subject), '{}') END FROM mine""")


def regain(tx: Tx, held: Sequence[Held]) -> list[Held]:
    """Lock the rows of `held` that still carry their token, in key order, and return them; the others are fenced."""
    some: list[UUID] | None = tx.scalar(_REGAIN, asked=len(held), **_columns(held))
    if some is None:
        return list(held)
    mine = set(some)
    return [h for h in held if h.subject in mine]


_CONFIRM: Final = sa.text("""
    -- The row is locked whatever its token, so that a commit still under way is waited for.
    WITH locked AS MATERIALIZED (
      SELECT w.subject, w.token, h.token AS mine FROM work w
      JOIN unnest(CAST(:jobs AS text[]), CAST(:subjects AS uuid[]), CAST(:tokens AS bigint[])) AS h (job, subject, token)
        ON w.job = h.job AND w.subject = h.subject
      ORDER BY w.subject, w.job FOR UPDATE OF w)
    SELECT subject FROM locked WHERE token = mine""")


def confirm(tx: Tx, held: Sequence[Held]) -> set[UUID]:
    """The subjects whose rows still carry their token: the evidence after a claim whose commit is unknown."""
    return {row.subject for row in tx.rows(_CONFIRM, **_columns(held))}


_SETTLE: Final = sa.text("""
    WITH next AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:jobs AS text[]), CAST(:subjects AS uuid[]), CAST(:tokens AS bigint[]), CAST(:next_jobs AS text[]),
                           CAST(:delays AS float8[]), CAST(:tries AS int[]), CAST(:errors AS text[]), CAST(:parked AS text[]), CAST(:no_later AS boolean[]))
        AS n (job, subject, token, next_job, delay, tries, error, parked, no_later)),
    gone AS (
      DELETE FROM work w USING next n
      WHERE n.next_job IS NULL AND w.job = n.job AND w.subject = n.subject AND (w.token = n.token OR n.token = 0) RETURNING w.subject),
    kept AS (
      UPDATE work w SET job = n.next_job, token = NULL, leased_until = NULL, holder = NULL, claims = 0, tries = least(n.tries, 10000),
             last_error = n.error, parked_reason = n.parked,
             due_at = CASE WHEN n.parked IS NOT NULL THEN 'infinity' ELSE
               least(CASE WHEN n.no_later THEN w.due_at END, clock_timestamp() + make_interval(secs => n.delay)) END
      FROM next n
      WHERE n.next_job IS NOT NULL AND w.job = n.job AND w.subject = n.subject AND (w.token = n.token OR n.token = 0) RETURNING w.subject)
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM kept)""")


def settle(tx: Tx, held: Mapping[UUID, Held], nexts: Sequence[Next]) -> int:
    """Delete, re-date, hand over or park held rows by token, in one statement; returns how many."""
    if not nexts:
        return 0
    subjects, jobs, delays, tries, errors, parked, no_later = map(list, zip(*nexts, strict=True))
    mine = [held[subject] for subject in subjects]
    settled: int = tx.scalar(
        _SETTLE,
        jobs=[h.job for h in mine],
        subjects=subjects,
        tokens=[h.token for h in mine],
        next_jobs=jobs,
        delays=[delay.total_seconds() for delay in delays],
        tries=tries,
        errors=errors,
        parked=parked,
        no_later=no_later,
    )
    return settled


_RELEASE: Final = sa.text("""
    UPDATE work w SET token = NULL, leased_until = NULL, holder = NULL, claims = w.claims - 1, due_at = clock_timestamp()
    FROM unnest(CAST(:jobs AS text[]), CAST(:subjects AS uuid[]), CAST(:tokens AS bigint[])) AS h (job, subject, token)
    WHERE w.job = h.job AND w.subject = h.subject AND w.token = h.token RETURNING w.subject""")


def release(tx: Tx, held: Sequence[Held]) -> set[UUID]:
    """Give back rows whose work never began: as if they had not been claimed, due now."""
    return {row.subject for row in tx.rows(_RELEASE, **_columns(held))}


_RENEW: Final = sa.text("""
    WITH mine AS MATERIALIZED (
      SELECT w.job, w.subject FROM work w
      JOIN unnest(CAST(:jobs AS text[]), CAST(:subjects AS uuid[]), CAST(:tokens AS bigint[])) AS h (job, subject, token)
        ON w.job = h.job AND w.subject = h.subject AND w.token = h.token
      ORDER BY w.subject, w.job FOR UPDATE OF w SKIP LOCKED),
    works AS (
      UPDATE work w SET leased_until = clock_timestamp() + make_interval(secs => :lease)
      FROM mine m WHERE w.job = m.job AND w.subject = m.subject RETURNING w.subject),
    names AS (
      UPDATE leases l SET leased_until = clock_timestamp() + make_interval(secs => :lease)
      FROM unnest(CAST(:names AS text[]), CAST(:name_tokens AS bigint[])) AS n (name, token)
      WHERE l.name = n.name AND l.token = n.token RETURNING l.name)
    SELECT subject, NULL AS name FROM works UNION ALL SELECT NULL, name FROM names""")


def renew(
    tx: Tx, held: Sequence[Held], names: Sequence[tuple[str, int]], lease_seconds: float
) -> tuple[set[UUID], set[str]]:
    """Extend work rows and named leases by token, in one statement; returns what was extended.

    A row this process is settling at the moment is locked and skipped: it needs no renewal.
    """
    rows = tx.rows(
        _RENEW,
        **_columns(held),
        names=[n for n, _ in names],
        name_tokens=[t for _, t in names],
        lease=lease_seconds,
    )
    return {r.subject for r in rows if r.subject is not None}, {
        r.name for r in rows if r.name is not None
    }


_FREEZE: Final = sa.text("""
    SELECT FROM work WHERE subject = ANY(CAST(:subjects AS uuid[])) ORDER BY subject, job FOR UPDATE""")
_SEIZE: Final = sa.text("""
    WITH token AS MATERIALIZED (SELECT nextval('tokens') AS token)
    UPDATE work w SET token = token.token, leased_until = clock_timestamp() + interval '15 seconds', holder = coalesce(:run, 0)
    FROM token, unnest(CAST(:subjects AS uuid[]), CAST(:leased_too AS boolean[])) AS s (subject, leased_too)
    WHERE w.subject = s.subject AND (s.leased_too OR w.leased_until IS NULL OR w.leased_until <= (SELECT clock_timestamp()))
    RETURNING w.job, w.subject, w.token, w.claims, w.tries, w.waiting_since""")


def seize(tx: Tx, subjects: Mapping[UUID, bool], *, run: int | None) -> list[Held]:
    """Give the rows of `subjects` a new token in this transaction; whoever held them is fenced.

    A row under a live lease is taken only where its subject says True. The rows are locked by a
    statement of their own: one that was handed to another job while we waited for it has another key
    than this statement's snapshot knows, and would be missed.
    """
    tx.rows(_FREEZE, subjects=list(subjects))
    rows = tx.rows(_SEIZE, subjects=list(subjects), leased_too=list(subjects.values()), run=run)
    return list(map(Held._make, rows))


_RECALL: Final = sa.text("""
    WITH token AS MATERIALIZED (SELECT nextval('tokens') AS token)
    INSERT INTO work (job, subject, token, leased_until, holder)
    SELECT :job, s.subject, token.token, clock_timestamp() + interval '15 seconds', coalesce(:run, 0)
    FROM token, unnest(CAST(:subjects AS uuid[])) AS s (subject)
    WHERE NOT EXISTS (SELECT FROM work w WHERE w.subject = s.subject)
    RETURNING job, subject, token, claims, tries, waiting_since""")


def recall(tx: Tx, job: str, subjects: Sequence[UUID], *, run: int | None) -> list[Held]:
    """Make a row of `job`, held from its birth, for those of `subjects` that wait for nothing.

    The caller has locked the subjects: whoever else would make work for them waits for that lock.
    """
    rows = tx.rows(_RECALL, job=job, subjects=list(subjects), run=run)
    return list(map(Held._make, rows))


def _columns(held: Sequence[Held]) -> dict[str, object]:
    return {
        "jobs": [h.job for h in held],
        "subjects": [h.subject for h in held],
        "tokens": [h.token for h in held],
    }

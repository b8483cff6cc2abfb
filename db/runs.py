"""Runs: one execution of a job by one holder; also the outbox, since a committed row *is* the message.

A wake run is made by whoever sees due work (sweep, committer, fan-out) in a transaction of its own,
at most one waiting per job. Any other run carries a request key: asking twice returns the same run.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from db.tx import Tx
from domain.runs import Origin, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A job this process knows: what it may start, and how wide it may run."""

    job: str
    queue: str
    version: int
    width_max: int
    more_gates: Sequence[str] = ()
    """Switches of its own that hold it back, such as its provider's brake."""

    @property
    def gates(self) -> tuple[str, ...]:
        """Every switch any of which, when on, lets nothing of this job be claimed."""
        return (
            "maintenance",
            "restored",
            f"queue:{self.queue}",
            f"job:{self.job}",
            *self.more_gates,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A run somebody asks for. `due_at` None means at once; `key` makes it the same run for ever."""

    job: str
    queue: str
    version: int
    origin: Origin
    scope: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    due_at: datetime | None = None
    requested_by: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A run this process holds under the lease `run:<id>` with `token`."""

    id: int
    job: str
    queue: str
    origin: Origin
    scope: Mapping[str, Any]
    cursor: Mapping[str, Any] | None
    attempt: int
    token: int
    started_at: datetime
    late_seconds: float
    """From due to started."""


_ENQUEUE: Final = sa.text("""
    WITH asked AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:jobs AS text[]), CAST(:queues AS text[]), CAST(:versions AS int[]), CAST(:origins AS text[]),
                           CAST(:scopes AS jsonb[]), CAST(:keys AS text[]), CAST(:dues AS timestamptz[]), CAST(:bys AS text[]),
                           CAST(:whys AS text[]))
        WITH ORDINALITY AS a (job, queue, version, origin, scope, request_key, due_at, requested_by, why, n)),
    -- Maintenance holds new runs back; turning it off queues them.
    gate AS (SELECT EXISTS (SELECT FROM switches WHERE name = 'maintenance' AND is_on) AS held),
    made AS (
      INSERT INTO runs (job, queue, version, origin, scope, request_key, due_at, requested_by, why, state)
      SELECT a.job, a.queue, a.version, a.origin, a.scope, a.request_key, coalesce(a.due_at, clock_timestamp()),
             a.requested_by, a.why, CASE WHEN gate.held AND a.origin <> 'watch' THEN 'held' ELSE 'queued' END
      FROM asked a CROSS JOIN gate ORDER BY a.n
      ON CONFLICT (job, request_key) WHERE request_key IS NOT NULL DO NOTHING
      RETURNING id, job, request_key)
    SELECT id, job, request_key, true AS is_new FROM made
    UNION ALL
    SELECT r.id, r.job, r.request_key, false FROM runs r JOIN asked a ON a.job = r.job AND a.request_key = r.request_key
    ORDER BY id""")


_TWINS: Final = sa.text("""
    SELECT r.id, r.job, r.request_key, false AS is_new
    FROM unnest(CAST(:jobs AS text[]), CAST(:keys AS text[])) AS k (job, key)
    JOIN runs r ON r.job = k.job AND r.request_key = k.key ORDER BY r.id""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """The run a request became, and whether it was made now."""

    id: int
    job: str
    key: str | None
    is_new: bool


def enqueue(tx: Tx, requests: Sequence[Request]) -> list[Enqueued]:
    """Put runs on record, in one statement; a repeated (job, key) returns the old run.

    Raises `RuleBrokenError` for a scope beyond 64 KiB.
    """
    parameters: dict[str, object] = {
        "jobs": [r.job for r in requests],
        "queues": [r.queue for r in requests],
        "versions": [r.version for r in requests],
        "origins": [r.origin.value for r in requests],
        "scopes": [json.dumps(dict(r.scope)) for r in requests],
        "keys": [r.key for r in requests],
        "dues": [r.due_at for r in requests],
        "bys": [r.requested_by for r in requests],
        "whys": [r.why for r in requests],
    }
    rows = tx.rows(_ENQUEUE, **parameters)
    wanted = {(r.job, r.key) for r in requests if r.key is not None}
    if wanted - {(row.job, row.request_key) for row in rows}:
        # A twin committed while this statement waited for it: a second look sees its run.
        keyless = [row for row in rows if row.request_key is None]
        rows = [
            *keyless,
            *tx.rows(_TWINS, jobs=[j for j, _ in wanted], keys=[k for _, k in wanted]),
        ]
    return [
        Enqueued(id=row.id, job=row.job, key=row.request_key, is_new=row.is_new) for row in rows
    ]


def state_of(tx: Tx, run: int) -> str:
    """The state of a run that is on record."""
    return str(tx.scalar(sa.text("SELECT state FROM runs WHERE id = :id"), id=run))


_START: Final = sa.text("""
    WITH started AS (
      UPDATE runs r SET state = 'running', attempts = attempts + 1, reason = NULL, ended_at = NULL,
             started_at = clock_timestamp()
      WHERE r.id = :id AND r.state = 'queued' AND r.due_at <= (SELECT clock_timestamp())
        AND EXISTS (SELECT FROM unnest(CAST(:jobs AS text[]), CAST(:versions AS int[])) AS k (job, version)
                    WHERE k.job = r.job AND r.version <= k.version)
        -- The watch goes on whatever is held back: its silence would read as the system's.
        AND (r.origin = 'watch'
             OR NOT EXISTS (SELECT FROM switches s WHERE s.is_on AND s.name IN ('maintenance', 'queue:' || r.queue, 'restored')))
      RETURNING r.*),
    leased AS (
      INSERT INTO leases AS l (name, token, holder, worker, leased_until)
      SELECT 'run:' || id, nextval('tokens'), id, :worker, clock_timestamp() + make_interval(secs => :lease) FROM started
      ON CONFLICT (name) DO UPDATE SET token = excluded.token, worker = excluded.worker, leased_until = excluded.leased_until,
        acquired_at = clock_timestamp()
      RETURNING l.holder, l.token),
    noted AS (
      INSERT INTO run_attempts (run, attempt, token, worker)
      SELECT s.id, s.attempts, l.token, :worker FROM started s JOIN leased l ON l.holder = s.id)
    SELECT s.*, l.token FROM started s JOIN leased l ON l.holder = s.id""")


def start(
    tx: Tx, run: int, known: Sequence[Known], *, worker: str, lease_seconds: float
) -> Started | None:
    """Take the queued run `run` under its lease, or None: taken, not due, held back, or not known here."""
    row = tx.row(
        _START,
        id=run,
        jobs=[k.job for k in known],
        versions=[k.version for k in known],
        worker=worker,
        lease=lease_seconds,
    )
    if row is None:
        return None
    return Started(
        id=row.id,
        job=row.job,
        queue=row.queue,
        origin=Origin(row.origin),
        scope=row.scope,
        cursor=row.cursor,
        attempt=row.attempts,
        token=row.token,
        started_at=row.started_at,
        late_seconds=(row.started_at - row.due_at).total_seconds(),
    )


_END: Final = sa.text("""
    WITH mine AS (DELETE FROM leases WHERE name = 'run:' || :id AND token = :token RETURNING holder),
    ended AS (
      UPDATE runs r SET state = :state, reason = :reason, tally = CAST(:tally AS jsonb), ended_at = clock_timestamp()
      FROM mine WHERE r.id = mine.holder AND r.state = 'running' RETURNING r.id, r.attempts)
    UPDATE run_attempts a SET ended_at = clock_timestamp(), outcome = :state
    FROM ended e WHERE a.run = e.id AND a.attempt = e.attempts AND a.ended_at IS NULL""")


def end(
    tx: Tx, run: Started, state: RunState, *, tally: Mapping[str, int], reason: str | None
) -> bool:
    """End a run this process holds; False when its lease was lost (the run is somebody else's to judge)."""
    return (
        tx.run(
            _END,
            id=run.id,
            token=run.token,
            state=state.value,
            tally=json.dumps(dict(tally)),
            reason=reason,
        )
        == 1
    )


_SAVE: Final = sa.text("""
    UPDATE runs r SET cursor = CAST(:cursor AS jsonb), tally = CAST(:tally AS jsonb)
    FROM leases l WHERE r.id = :id AND l.name = 'run:' || r.id AND l.token = :token""")


def save_cursor(tx: Tx, run: Started, cursor: Mapping[str, Any], tally: Mapping[str, int]) -> bool:
    """Keep how far a sweep has come, in the transaction of its page; False when the lease was lost."""
    return (
        tx.run(
            _SAVE,
            id=run.id,
            token=run.token,
            cursor=json.dumps(dict(cursor)),
            tally=json.dumps(dict(tally)),
        )
        == 1
    )

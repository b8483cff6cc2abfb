"""Processes that run jobs: what each knows, and that it still lives and takes work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from db.tx import Rows, Tx
from domain.listings import WorkerState

LIVE_SECONDS: Final = 15.0
"""A process that has not been heard of for this long is not counted on."""
FORGET_SECONDS: Final = 86_400.0
"""How long the row of a process that died without a word is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One process: `id` is `host:pid:life`, `jobs` the names of what it can run."""

    id: str
    host: str
    pid: int
    version: str
    jobs: Sequence[str]
    versions: Sequence[int] = ()
    """Up to which version it knows each job; 1 where nothing is said."""


_REGISTER: Final = sa.text("""
    WITH forgotten AS (
      DELETE FROM workers WHERE beat_at < clock_timestamp() - make_interval(secs => :forget) AND id <> :id)
    INSERT INTO workers AS w (id, host, pid, version, jobs, versions)
    VALUES (:id, :host, :pid, :version, CAST(:jobs AS text[]), CAST(:versions AS integer[]))
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, jobs = excluded.jobs, versions = excluded.versions, beat_at = clock_timestamp(),
      stopping = false""")


def register(tx: Tx, worker: Worker) -> None:
    """Write a process down as it starts; rows of those dead for a day are dropped."""
    tx.run(
        _REGISTER,
        id=worker.id,
        host=worker.host,
        pid=worker.pid,
        version=worker.version,
        jobs=list(worker.jobs),
        versions=list(worker.versions),
        forget=FORGET_SECONDS,
    )


_BEAT: Final = sa.text("""
    UPDATE workers SET beat_at = clock_timestamp(), stopping = stopping OR :stopping,
           last_claim_at = CASE WHEN :claimed THEN clock_timestamp() ELSE last_claim_at END
    WHERE id = :id""")


def beat(tx: Tx, worker: str, *, claimed: bool = False, stopping: bool = False) -> bool:
    """Say that `worker` lives, and whether it claimed since; False when its row is gone (register again)."""
    return tx.run(_BEAT, id=worker, claimed=claimed, stopping=stopping) == 1


def gone(tx: Tx, worker: str) -> None:
    """Drop the row of a process that ends in order."""
    tx.run(sa.text("DELETE FROM workers WHERE id = :id"), id=worker)


_LISTING: Final = sa.text("""
    SELECT * FROM (
      SELECT id, host, pid, version,
           CASE WHEN beat_at < clock_timestamp() - make_interval(secs => :live) THEN 'silent'
                WHEN stopping THEN 'stopping' ELSE 'live' END AS state,
           jobs, started_at, beat_at, last_claim_at,
           (SELECT count(*) FROM leases l WHERE l.worker = w.id AND l.leased_until > clock_timestamp()) AS leases
      FROM workers w) w
    WHERE (CAST(:state AS text) IS NULL OR state = :state) AND (CAST(:after AS text) IS NULL OR id > :after)
    ORDER BY id LIMIT :limit""")


def listing(
    tx: Tx, *, state: WorkerState | None = None, after: str | None = None, limit: int = 50
) -> Rows:
    """A page of the processes on record, by id, each with its `state`."""
    return tx.page(_LISTING, live=LIVE_SECONDS, state=state, after=after, limit=limit)


_KNOWING: Final = sa.text("""
    SELECT count(*) FROM workers
    WHERE :job = ANY(jobs) AND NOT stopping AND beat_at >= clock_timestamp() - make_interval(secs => :live)""")


def knowing(tx: Tx, job: str) -> int:
    """How many live processes can run `job`."""
    return int(tx.scalar(_KNOWING, job=job, live=LIVE_SECONDS))

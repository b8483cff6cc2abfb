"""Leases on named things (`job:<name>`): at most one live holder, a new token for each.

A holder may act while its monotonic clock says the lease has time left; writes compare the token.
Taking over an expired lease needs no permission of its holder: the token in its hands is stale.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from db.tx import Rows, Tx
from domain.listings import LeaseState

_ACQUIRE: Final = sa.text("""
    INSERT INTO leases AS l (name, token, holder, worker, leased_until)
    SELECT :name, nextval('tokens'), :run, :worker, clock_timestamp() + make_interval(secs => :lease)
    -- A live lease is seen without its lock, which a page of its holder may have for seconds.
    WHERE NOT EXISTS (
      SELECT FROM leases WHERE name = :name AND leased_until > clock_timestamp() AND holder IS DISTINCT FROM :run)
    ON CONFLICT (name) DO UPDATE SET token = excluded.token, holder = excluded.holder, worker = excluded.worker,
      leased_until = excluded.leased_until, acquired_at = clock_timestamp()
    WHERE l.leased_until <= clock_timestamp() OR l.holder = :run
    RETURNING l.token""")


def acquire(tx: Tx, name: str, *, run: int, worker: str, lease_seconds: float) -> int | None:
    """Take `name` unless another run's lease on it is live; returns the token, or None.

    Asked again by the same run, whose first answer was lost, it makes the first token stale.
    """
    token: int | None = tx.scalar(_ACQUIRE, name=name, run=run, worker=worker, lease=lease_seconds)
    return token


def check(tx: Tx, name: str, token: int) -> bool:
    """Lock the lease row and say whether it still carries `token`: the fence of a sweep's page."""
    return (
        tx.row(
            sa.text("SELECT FROM leases WHERE name = :name AND token = :token FOR UPDATE"),
            name=name,
            token=token,
        )
        is not None
    )


def give_back(tx: Tx, name: str, token: int) -> bool:
    """Drop the lease, by token; False when it was taken over."""
    return (
        tx.run(
            sa.text("DELETE FROM leases WHERE name = :name AND token = :token"),
            name=name,
            token=token,
        )
        == 1
    )


_HOLDERS: Final = sa.text(
    "SELECT DISTINCT worker FROM leases WHERE leased_until > clock_timestamp()"
)


def holders(tx: Tx) -> list[str]:
    """The workers that hold a live lease."""
    return [row.worker for row in tx.rows(_HOLDERS)]


_LAPSE: Final = sa.text("""
    WITH theirs AS MATERIALIZED (
      SELECT name FROM leases WHERE worker = ANY(CAST(:workers AS text[])) AND leased_until > clock_timestamp()
      ORDER BY name FOR UPDATE SKIP LOCKED),
    lapsed AS (
      UPDATE leases l SET leased_until = clock_timestamp() FROM theirs t WHERE l.name = t.name
      RETURNING l.name, l.holder),
    -- Of the index only what a lease may reach; what a transaction of theirs still has comes back by its lease.
    held AS MATERIALIZED (
      SELECT w.job, w.subject FROM lapsed e JOIN runs r ON r.id = e.holder AND e.name = 'run:' || r.id
      JOIN work w ON w.job = r.job AND w.holder = r.id
        AND coalesce(w.leased_until, w.due_at) > (SELECT clock_timestamp())
        AND coalesce(w.leased_until, w.due_at) <= (SELECT clock_timestamp() + make_interval(secs => :lease))
      ORDER BY w.subject, w.job FOR UPDATE OF w SKIP LOCKED),
    freed AS (
      UPDATE work w SET leased_until = clock_timestamp() FROM held h
      WHERE w.job = h.job AND w.subject = h.subject RETURNING w.subject)
    SELECT (SELECT count(*) FROM lapsed) AS leases, (SELECT count(*) FROM freed) AS items""")


def lapse(tx: Tx, workers: Sequence[str], *, lease_seconds: float) -> tuple[int, int]:
    """End the leases of workers that are dead, and of the work their runs hold; returns (leases, items).

    As if their time were over: tokens stay, so whoever was called dead by mistake is fenced, not obeyed.
    """
    row = tx.row(_LAPSE, workers=list(workers), lease=lease_seconds)
    if row is None:
        raise AssertionError("a row of counts is always returned")
    return row.leases, row.items


_LISTING: Final = sa.text("""
    SELECT * FROM (
      SELECT name, CASE WHEN leased_until > clock_timestamp() THEN 'live' ELSE 'ended' END AS state,
             holder, worker, token, leased_until, acquired_at
      FROM leases) l
    WHERE (CAST(:state AS text) IS NULL OR state = :state) AND (CAST(:after AS text) IS NULL OR name > :after)
    ORDER BY name LIMIT :limit""")


def listing(
    tx: Tx, *, state: LeaseState | None = None, after: str | None = None, limit: int = 50
) -> Rows:
    """A page of leases by name, each with its `state`."""
    return tx.page(_LISTING, state=state, after=after, limit=limit)


def exists(tx: Tx, name: str) -> bool:
    """Say whether there is a lease of this name, live or ended."""
    return tx.row(sa.text("SELECT FROM leases WHERE name = :name"), name=name) is not None


def break_expired(tx: Tx, name: str) -> bool:
    """Drop a lease whose time is over; a live one is never broken."""
    return (
        tx.run(
            sa.text("DELETE FROM leases WHERE name = :name AND leased_until <= clock_timestamp()"),
            name=name,
        )
        == 1
    )

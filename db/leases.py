"""Leases on named things (`job:<name>`): at most one live holder, a new token for each.

A holder may act while its monotonic clock says the lease has time left; writes compare the token.
Taking over an expired lease needs no permission of its holder: the token in its hands is stale.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Tx

_ACQUIRE: Final = sa.text("""
    INSERT INTO leases AS l (name, token, holder, worker, leased_until)
    SELECT :name, nextval('tokens'), :run, :worker, clock_timestamp() + make_interval(secs => :lease)
    -- A live lease is seen without its lock, which a page of its holder may have for seconds.
    WHERE NOT EXISTS (SELECT FROM leases WHERE name = :name AND leased_until > clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET token = excluded.token, holder = excluded.holder, worker = excluded.worker,
      leased_until = excluded.leased_until, acquired_at = clock_timestamp()
    WHERE l.leased_until <= clock_timestamp()
    RETURNING l.token""")


def acquire(tx: Tx, name: str, *, run: int, worker: str, lease_seconds: float) -> int | None:
    """Take `name` unless somebody's lease on it is live; returns the token, or None."""
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


def listing(tx: Tx) -> Sequence[Row]:
    """Every lease, with `is_live`."""
    return tx.rows(
        sa.text("SELECT *, leased_until > clock_timestamp() AS is_live FROM leases ORDER BY name")
    )


def break_expired(tx: Tx, name: str) -> bool:
    """Drop a lease whose time is over; a live one is never broken."""
    return (
        tx.run(
            sa.text("DELETE FROM leases WHERE name = :name AND leased_until <= clock_timestamp()"),
            name=name,
        )
        == 1
    )

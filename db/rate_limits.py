"""A provider's rate limit as a row: exact with any number of processes, alive without Redis.

A GCRA: `full_at` is when the bucket is full again, so permits left are the burst less what is still
to refill. Permits are taken before the claim, in a transaction of their own, for the whole set: what
is granted is claimed, and no leased row ever waits for one.
"""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """How many permits were granted, and how long until the next is likely."""

    permits: int
    wait_seconds: float
    is_limited: bool = True
    """False where nobody limits this name: there is nothing to ask for again, or to give back."""


def configure(tx: Tx, name: str, rate_per_second: float) -> None:
    """Set the limit of `name`: a tenth of a second's worth may be taken at once, at least one."""
    tx.run(
        sa.text("""
        INSERT INTO rate_limits AS l (name, rate_per_second, burst) VALUES (:name, :rate, :burst)
        ON CONFLICT (name) DO UPDATE SET rate_per_second = excluded.rate_per_second, burst = excluded.burst
        WHERE (l.rate_per_second, l.burst) <> (excluded.rate_per_second, excluded.burst)"""),
        name=name,
        rate=rate_per_second,
        burst=max(1, round(rate_per_second / 10)),
    )


def lift(tx: Tx, name: str) -> None:
    """Drop the limit of `name`: no setting asks for one any more."""
    tx.run(sa.text("DELETE FROM rate_limits WHERE name = :name"), name=name)


_TAKE: Final = sa.text(
    """
    WITH now AS MATERIALIZED (SELECT clock_timestamp() AS at),
    bucket AS MATERIALIZED (
      SELECT l.name, now.at, greatest(l.full_at, now.at) AS full_at, l.burst,
             CASE WHEN l.cut_until > now.at THEN l.rate_per_second / 2 ELSE l.rate_per_second END AS rate,
             greatest(extract(epoch FROM l.stopped_until - now.at), 0) AS stopped
      FROM rate_limits l CROSS JOIN now WHERE l.name = :name FOR UPDATE OF l),
    grant_ AS MATERIALIZED (
      SELECT *, CASE WHEN stopped > 0 THEN 0
                ELSE least(:wanted, greatest(0, floor(burst - extract(epoch FROM full_at - at) * rate + 0.000001)))::int END AS permits
      FROM bucket)
    UPDATE rate_limits l SET full_at = g.full_at + make_interval(secs => g.permits / g.rate)
    FROM grant_ g WHERE l.name = g.name
    RETURNING g.permits, greatest(g.stopped, CASE WHEN g.permits > 0 THEN 0 ELSE 1 / g.rate END) AS wait_seconds""".replace(
        "::int", "\\:\\:int"
    )
)


def take(tx: Tx, name: str, wanted: int) -> Grant:
    """Take up to `wanted` permits; a name without a limit grants them all."""
    row = tx.row(_TAKE, name=name, wanted=wanted)
    return (
        Grant(permits=wanted, wait_seconds=0, is_limited=False)
        if row is None
        else Grant(permits=row.permits, wait_seconds=float(row.wait_seconds))
    )


def give_back(tx: Tx, name: str, permits: int) -> None:
    """Return permits that were granted and not used."""
    tx.run(
        sa.text(
            """UPDATE rate_limits
               SET full_at = full_at - make_interval(secs => :n /
                 CASE WHEN cut_until > clock_timestamp() THEN rate_per_second / 2 ELSE rate_per_second END)
               WHERE name = :name"""
        ),
        name=name,
        n=permits,
    )


def cut(tx: Tx, name: str, retry_after_seconds: float) -> None:
    """After a 429: nothing for as long as the provider asks, then half the rate for ten times as long (1 min at least)."""
    tx.run(
        sa.text("""
        UPDATE rate_limits SET stopped_until = greatest(stopped_until, clock_timestamp() + make_interval(secs => :wait)),
          cut_until = greatest(cut_until, clock_timestamp() + make_interval(secs => greatest(:wait * 10, 60)))
        WHERE name = :name"""),
        name=name,
        wait=retry_after_seconds,
    )

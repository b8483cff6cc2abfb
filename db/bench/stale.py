"""Seats that nobody paid for in two days, one in ten of them kept by a payment; a bare loop that releases them; the proof."""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from db.bench.hosting import host, run_all
from db.tx import Tx
from domain.bookings import PlanKind
from domain.errors import BrokenError

KEPT_ONE_IN: Final = 10
PLACES: Final = 20
"""Seats of one appointment, where it is shared."""

_SEED: Final = (
    """INSERT INTO customers (id, external_id, name)
       SELECT CAST(md5('c' || n) AS uuid), 'c' || n, 'Mira ' || n FROM generate_series(0, :items / 100) n""",
    # One after another they are of different appointments, as customers come.
    """INSERT INTO appointments (id, external_id, plan, capacity, taken, starts_at, ends_at, state)
       SELECT CAST(md5('a' || n) AS uuid), CASE WHEN :places > 1 THEN 'a' || n END, CAST(md5('plan') AS uuid), :places, :places,
              clock_timestamp() + interval '90 days', clock_timestamp() + interval '91 days',
              CASE WHEN :places > 1 THEN 'PLANNED' ELSE 'TENTATIVE' END
       FROM generate_series(0, :items / :places - 1) n""",
    """INSERT INTO bookings (id, external_id, customer, plan, state)
       SELECT CAST(md5('b' || n) AS uuid), 'b' || n, CAST(md5('c' || n / 100) AS uuid), CAST(md5('plan') AS uuid),
              'APPROVED_PENDING_PAYMENT' FROM generate_series(1, :items) n""",
    """INSERT INTO seats (id, appointment, booking, customer, places, created_at, updated_at)
       SELECT CAST(md5('s' || n) AS uuid), CAST(md5('a' || n % (:items / :places)) AS uuid), CAST(md5('b' || n) AS uuid),
              CAST(md5('c' || n / 100) AS uuid), 1, at, at
       FROM generate_series(1, :items) n, LATERAL (SELECT timestamptz '2026-01-01Z' + n * interval '1 ms') AS g (at)""",
    """INSERT INTO payments (id, booking, customer, scope, actor, key, request_hash, amount, currency, expires_at, state, paid_at)
       SELECT CAST(md5('p' || n) AS uuid), CAST(md5('b' || n) AS uuid), CAST(md5('c' || n / 100) AS uuid), 'checkout', 'c',
              CAST(n AS text), '', 1000, 'INR', clock_timestamp(),
              CASE n % (2 * :one_in) WHEN 0 THEN 'PENDING' WHEN :one_in THEN 'SUCCEEDED' ELSE 'EXPIRED' END,
              CASE n % (2 * :one_in) WHEN :one_in THEN clock_timestamp() END
       FROM generate_series(1, :items) n""",
    """INSERT INTO work (job, subject, due_at)
       SELECT 'bookings.release_tentative', id, created_at + interval '1 day' FROM seats ORDER BY created_at""",
)


def hold(tx: Tx, items: int, *, private: bool) -> None:
    """Hold so many seats, long ago: each of a private appointment, or 20 of a shared one."""
    kind = PlanKind.CONSULTATION if private else PlanKind.WEBINAR
    host(tx, kind.value)
    run_all(tx, _SEED, items=items, places=1 if private else PLACES, one_in=KEPT_ONE_IN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Part of the seats: those numbered above `after`, up to `until`."""

    after: int
    until: int


_BARE: Final = sa.text("""
    WITH released AS (
      UPDATE seats s SET state = 'RELEASED', updated_at = clock_timestamp()
      WHERE s.created_at > timestamptz '2026-01-01Z' + :after * interval '1 ms'
        AND s.created_at <= timestamptz '2026-01-01Z' + :until * interval '1 ms'
        AND s.state = 'TENTATIVE' AND s.updated_at <= clock_timestamp() - interval '1 day'
        AND NOT EXISTS (SELECT FROM payments p WHERE p.booking = s.booking
                          AND (p.state = 'PENDING' OR p.state = 'SUCCEEDED' AND NOT p.orphaned))
      RETURNING s.appointment, s.places),
    held AS MATERIALIZED (
      SELECT a.id, a.state, g.places
      FROM (SELECT appointment, sum(places) AS places FROM released GROUP BY appointment) g
      JOIN appointments a ON a.id = g.appointment ORDER BY a.id FOR UPDATE OF a)
    UPDATE appointments a SET taken = a.taken - h.places, updated_at = clock_timestamp(),
           state = CASE WHEN h.state = 'TENTATIVE' THEN 'CANCELLED' ELSE h.state END
    FROM held h WHERE a.id = h.id""")


def release_bare(tx: Tx, part: Window) -> None:
    """Release a part of the seats with nothing around it: no work, no history, nobody told."""
    tx.run(_BARE, after=part.after, until=part.until)


_COUNTS: Final = sa.text("""
    SELECT (SELECT count(*) FROM seats WHERE state = 'RELEASED') AS "seats released",
      (SELECT count(*) FROM seats s JOIN payments p ON p.booking = s.booking
       WHERE s.state = 'RELEASED' AND p.state IN ('PENDING', 'SUCCEEDED')) AS "of them kept by a payment",
      (SELECT sum(capacity - taken) FROM appointments) AS "places given back",
      (SELECT count(*) FROM appointments WHERE state = 'CANCELLED') AS "private appointments cancelled",
      (SELECT count(*) FROM moves WHERE kind = 'seat' AND target = 'RELEASED') AS "moves of seats",
      (SELECT count(*) FROM moves WHERE kind = 'appointment' AND target = 'CANCELLED') AS "moves of appointments",
      (SELECT count(*) FROM work w JOIN seats s ON s.id = w.subject AND s.state = 'TENTATIVE' WHERE w.due_at > clock_timestamp())
        AS "seats to be looked at again",
      (SELECT count(*) FROM work) AS "work rows" """)


def prove(tx: Tx, items: int, *, private: bool, bare: bool = False) -> None:
    """Raise `BrokenError` unless exactly the seats without a payment were released."""
    kept = items // KEPT_ONE_IN
    freed = items - kept
    told = 0 if bare else freed
    wanted = {
        "seats released": freed,
        "of them kept by a payment": 0,
        "places given back": freed,
        "private appointments cancelled": freed if private else 0,
        "moves of seats": told,
        "moves of appointments": told if private else 0,
        "seats to be looked at again": 0 if bare else kept,
        "work rows": items if bare else kept,
    }
    found = tx.row(_COUNTS)
    if found is None:
        raise AssertionError("an aggregate has one row")
    wrong = {name: int(n) for name, n in found._mapping.items() if n != wanted[name]}  # noqa: SLF001 - a row's public mapping
    if wrong:
        raise BrokenError(f"of {items} seats, after the run: {wrong}")

"""The rows of bookings that were brought in: their private appointments, themselves, their seats, what paid for them."""

from typing import Final

import sqlalchemy as sa

SCOPE: Final = "take-over"
"""What such a payment was asked for in."""

PRIVATE: Final = sa.text("""
    WITH made AS (
      INSERT INTO appointments (id, plan, capacity, starts_at, ends_at, state)
      SELECT g.id, g.plan, 1, g.starts_at, g.ends_at, g.state
      FROM unnest(CAST(:ids AS uuid[]), CAST(:plans AS uuid[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]),
                  CAST(:states AS text[])) AS g (id, plan, starts_at, ends_at, state)
      RETURNING id, state, ends_at),
    awaited AS (
      INSERT INTO work (job, subject, due_at)
      SELECT c.job, m.id, m.ends_at FROM made m
      JOIN called_work c ON c.kind = 'appointment' AND c.state = m.state AND c.outcome = '' AND c.job IS NOT NULL)
    INSERT INTO moves (kind, subject, source, target, actor, reason)
    SELECT 'appointment', id, 'TENTATIVE', state, :actor, :reason FROM made""")
BOOKINGS: Final = sa.text("""
    WITH made AS (
      INSERT INTO bookings (id, external_id, customer, plan, state, note, created_at)
      SELECT g.id, g.external_id, g.customer, g.plan, g.state, g.note,
             coalesce(g.created_at, clock_timestamp()) + g.place * interval '1 microsecond'
      FROM unnest(CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:customers AS uuid[]), CAST(:plans AS uuid[]),
                  CAST(:states AS text[]), CAST(:notes AS text[]), CAST(:created AS timestamptz[]), CAST(:places AS int[]))
        AS g (id, external_id, customer, plan, state, note, created_at, place)
      RETURNING id, state, updated_at),
    awaited AS (
      INSERT INTO work (job, subject, due_at)
      SELECT c.job, m.id, m.updated_at + CAST(:wish_for AS interval) FROM made m
      JOIN called_work c ON c.kind = 'booking' AND c.state = m.state AND c.outcome = '' AND c.job IS NOT NULL)
    INSERT INTO moves (kind, subject, source, target, actor, reason)
    SELECT 'booking', id, 'PENDING', state, :actor, :reason FROM made WHERE state <> 'PENDING'""")
SEATS: Final = sa.text("""
    WITH made AS (
      INSERT INTO seats (id, appointment, booking, customer, places, state)
      SELECT gen_random_uuid(), g.appointment, g.booking, g.customer, g.places, 'CONFIRMED'
      FROM unnest(CAST(:appointments AS uuid[]), CAST(:bookings AS uuid[]), CAST(:customers AS uuid[]), CAST(:places AS smallint[]))
        AS g (appointment, booking, customer, places)
      RETURNING appointment, places)
    UPDATE appointments a SET taken = a.taken + m.places, updated_at = clock_timestamp()
    FROM (SELECT appointment, sum(places) AS places FROM made GROUP BY appointment) m WHERE a.id = m.appointment""")
PAYMENTS: Final = sa.text("""
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:orders AS uuid[]), CAST(:bookings AS uuid[]), CAST(:customers AS uuid[]),
                           CAST(:keys AS text[]), CAST(:records AS text[]), CAST(:amounts AS bigint[]), CAST(:currencies AS text[]),
                           CAST(:paid AS timestamptz[]), CAST(:gateways AS text[]), CAST(:order_ids AS text[]), CAST(:captures AS text[]))
        AS g (id, "order", booking, customer, key, record, amount, currency, paid_at, provider, gateway_id, captured_as)),
    made AS (
      INSERT INTO payments (id, booking, customer, scope, actor, key, request_hash, amount, currency, state, taken_over,
                            expires_at, paid_at, created_at)
      SELECT id, booking, customer, :scope, :actor, key, sha256(convert_to(record, 'UTF8')), amount, currency, 'SUCCEEDED', true,
             paid_at, paid_at, paid_at
      FROM given),
    legs AS (
      INSERT INTO payment_legs (payment, kind, amount) SELECT id, 'gateway', amount FROM given),
    closed AS (
      INSERT INTO orders (id, payment, amount, currency, state, provider, gateway_id, captured_as, created_at)
      SELECT "order", id, amount, currency, 'CLOSED', provider, gateway_id, captured_as, paid_at FROM given)
    INSERT INTO moves (kind, subject, source, target, actor, reason)
    SELECT 'payment', id, 'PENDING', 'SUCCEEDED', :actor, :reason FROM given
    UNION ALL
    SELECT 'order', "order", 'NEW', 'CLOSED', :actor, :reason FROM given""")

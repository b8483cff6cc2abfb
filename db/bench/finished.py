"""What is long over: bookings that took place, as many payments, seats, waitlist entries and mails."""

from typing import Final

from db.bench.hosting import host, run_all
from db.tx import Tx
from domain.bookings import PlanKind

_FEW: Final = (
    """INSERT INTO customers (id, external_id, name)
       SELECT CAST(md5('c' || n) AS uuid), 'c' || n, 'Mira ' || n FROM generate_series(0, :items / 100) n""",
    """INSERT INTO appointments (id, external_id, plan, capacity, taken, starts_at, ends_at, state)
       SELECT CAST(md5('a' || n) AS uuid), 'a' || n, CAST(md5('plan') AS uuid), 100, 100,
              clock_timestamp() - interval '91 days', clock_timestamp() - interval '90 days', 'OVER'
       FROM generate_series(0, :items / 100) n""",
)
_MANY: Final = {
    "bookings": """INSERT INTO bookings (id, external_id, customer, plan, state)
       SELECT CAST(md5('b' || n) AS uuid), 'b' || n, CAST(md5('c' || n / 100) AS uuid), CAST(md5('plan') AS uuid), 'COMPLETED'
       FROM generate_series(1, :items) n""",
    "payments": """INSERT INTO payments (id, booking, customer, scope, actor, key, request_hash, amount, currency, expires_at, state, paid_at)
       SELECT CAST(md5('p' || n) AS uuid), CAST(md5('b' || n) AS uuid), CAST(md5('c' || n / 100) AS uuid), 'checkout', 'c',
              CAST(n AS text), '', 1000, 'INR', clock_timestamp(), 'SUCCEEDED', clock_timestamp() FROM generate_series(1, :items) n""",
    "seats": """INSERT INTO seats (id, appointment, booking, customer, places, state)
       SELECT CAST(md5('s' || n) AS uuid), CAST(md5('a' || n / 100) AS uuid), CAST(md5('b' || n) AS uuid),
              CAST(md5('c' || n / 100) AS uuid), 1, 'CONFIRMED' FROM generate_series(1, :items) n""",
    "waitlist": """INSERT INTO waitlist (id, external_id, appointment, customer, state, expires_at)
       SELECT CAST(md5('w' || n) AS uuid), 'w' || n, CAST(md5('a' || n / 100) AS uuid), CAST(md5('c' || n / 100) AS uuid),
              'EXPIRED', clock_timestamp() FROM generate_series(1, :items) n""",
    "mails": """INSERT INTO mails (id, kind, subject, recipient, facts, effect_key, state)
       SELECT CAST(md5('m' || n) AS uuid), 'waitlist.offered', CAST(md5('w' || n) AS uuid), 'mira@example.org', '{}',
              CAST(md5('e' || n) AS uuid), 'SENT' FROM generate_series(1, :items) n""",
}
TABLES: Final = tuple(_MANY)
"""Each has an equal part of the rows, the ones below hanging on those above."""


def begin(tx: Tx, rows: int) -> None:
    """Make the few rows that `rows` finished ones hang on."""
    host(tx, PlanKind.WEBINAR.value)
    run_all(tx, _FEW, items=rows // len(TABLES))


def fill(tx: Tx, table: str, rows: int) -> None:
    """Make the part of `table` of `rows` finished ones."""
    run_all(tx, (_MANY[table],), items=rows // len(TABLES))

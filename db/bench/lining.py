"""A long line for webinars that were all given up, time that passes for it, and the proof of what became of it."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from db.bench.hosting import host, run_all
from db.tx import Tx

LINE: Final = 1_000
"""Who wait for one webinar; as many places of it were freed."""

_SEED: Final = (
    """INSERT INTO appointments (id, external_id, plan, capacity, starts_at, ends_at)
       SELECT CAST(md5('a' || n) AS uuid), 'a' || n, CAST(md5('plan') AS uuid), :line, clock_timestamp() + interval '90 days',
              clock_timestamp() + interval '91 days' FROM generate_series(0, (:items - 1) / :line) n""",
    """INSERT INTO customers (id, external_id, name, email)
       SELECT CAST(md5('c' || n) AS uuid), 'c' || n, 'Mira ' || n, 'c' || n || '@example.org' FROM generate_series(1, :items) n""",
    """INSERT INTO waitlist (id, external_id, appointment, customer)
       SELECT CAST(md5('w' || n) AS uuid), 'w' || n, CAST(md5('a' || (n - 1) / :line) AS uuid), CAST(md5('c' || n) AS uuid)
       FROM generate_series(1, :items) n""",
    """WITH freed AS (
         UPDATE appointments SET state = 'FREED' RETURNING id),
       told AS (
         INSERT INTO moves (kind, subject, source, target, actor) SELECT 'appointment', id, 'PLANNED', 'FREED', 'bench' FROM freed)
       INSERT INTO work (job, subject) SELECT 'waitlist.offer', id FROM freed""",
)


def line_up(tx: Tx, items: int) -> None:
    """Let so many customers wait for webinars, all of whose places were just freed."""
    host(tx, "webinar")
    run_all(tx, _SEED, items=items, line=LINE)


_PASS: Final = (
    """UPDATE work SET due_at = due_at - CAST(:by AS interval) WHERE job LIKE 'waitlist.%'""",
    """UPDATE waitlist SET expires_at = expires_at - CAST(:by AS interval) WHERE expires_at IS NOT NULL""",
)


def pass_time(tx: Tx, hours: int) -> None:
    """Let hours pass for whoever has an offer."""
    run_all(tx, _PASS, by=f"{hours} hours")


_STATES: Final = sa.text("SELECT state, count(*) AS n FROM waitlist GROUP BY state ORDER BY state")
_MAILS: Final = sa.text("SELECT count(*) FROM mails WHERE state = 'SENT'")


def states(tx: Tx) -> Sequence[tuple[str, int]]:
    """How many entries are where."""
    return [(row.state, row.n) for row in tx.rows(_STATES)]


def mails_sent(tx: Tx) -> int:
    """How many mails were taken over."""
    return int(tx.scalar(_MAILS))

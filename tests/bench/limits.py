"""What the database does by itself: pgbench with the least that the work needs, one by one and in sets."""

from typing import Final, LiteralString

import psycopg

from db.bench.script import Script
from tests.bench import tables
from tests.bench.effects import Rate
from tests.bench.stands import world
from workers.bench import limit
from workers.bench.stand import Stand

_WORK: Final[tuple[LiteralString, ...]] = (
    """CREATE TABLE work (payout bigint PRIMARY KEY, ready_at timestamptz NOT NULL, token bigint)
       WITH (fillfactor = 50)""",
    "CREATE INDEX work_ready ON work (ready_at)",
    "INSERT INTO work SELECT id, now() FROM payouts",
)
_SCRIPT: Final = """
\\set stripe :client_id % 16
WITH due AS MATERIALIZED (
  SELECT payout FROM work WHERE ready_at <= (SELECT clock_timestamp())
  ORDER BY ready_at LIMIT :size FOR UPDATE SKIP LOCKED),
leased AS (
  UPDATE work w SET token = :client_id, ready_at = clock_timestamp() + interval '15 s'
  FROM due WHERE w.payout = due.payout RETURNING w.payout),
claimed AS (
  UPDATE payouts p SET status = 2 FROM leased
  WHERE p.id = leased.payout AND p.status = 1 RETURNING p.id)
SELECT coalesce(array_agg(id), '{}') AS ids FROM claimed \\gset
WITH done AS (
  DELETE FROM work USING unnest(CAST(:ids AS bigint[])) i
  WHERE payout = i AND token = :client_id RETURNING payout),
paid AS (
  UPDATE payouts p SET status = 3, settled_at = clock_timestamp() FROM done
  WHERE p.id = done.payout AND p.status = 2 RETURNING p.id, p.amount),
booked AS (
  INSERT INTO ledger (payout, account, amount)
  SELECT id, 1, -amount FROM paid UNION ALL SELECT id, 2, amount FROM paid
  RETURNING account, amount),
sums AS (SELECT account, sum(amount) AS amount, count(*) AS entries FROM booked GROUP BY account),
locked AS (SELECT account FROM totals WHERE stripe = :stripe ORDER BY account FOR UPDATE)
UPDATE totals t SET amount = t.amount + s.amount, entries = t.entries + s.entries
FROM sums s JOIN locked USING (account)
WHERE t.account = s.account AND t.stripe = :stripe;
"""


def of_pgbench(stand: Stand, *, items: int, clients: int, size: int) -> Rate:
    """Let `clients` connections claim and settle sets of `size`. Raises `BrokenError` unless each is paid once."""
    turns = max(1, items // (clients * size))
    total = turns * clients * size
    with world(stand) as made:
        tables.make(made, total)
        with psycopg.connect(made.conninfo, autocommit=True) as connection:
            for statement in (*_WORK, "ANALYZE"):
                connection.execute(statement)
        script = Script(text=_SCRIPT, constants={"size": str(size)})
        options = made.libpq | {"options": ""}
        sets = limit._pgbench(stand, script, options, clients=clients, turns=turns)
        tables.prove(made, total, called=False)
    return Rate(items=total, per_second=sets * size, whole_per_second=sets * size)

"""The tables of the peers' work: payouts to pay, a ledger, running totals; and the proof of what came of them."""

from typing import Final, LiteralString

import psycopg

from domain.errors import BrokenError
from tests.bench import gateway
from tests.bench.body import STRIPES
from tests.bench.world import World

_TABLES: Final[tuple[LiteralString, ...]] = (
    """CREATE TABLE payouts (
         id bigint PRIMARY KEY, amount bigint NOT NULL, status smallint NOT NULL DEFAULT 1,
         settled_at timestamptz)
       WITH (fillfactor = 50)""",
    """CREATE TABLE ledger (
         payout bigint NOT NULL, account integer NOT NULL, amount bigint NOT NULL,
         UNIQUE (payout, account))""",
    """CREATE TABLE totals (
         account integer NOT NULL, stripe smallint NOT NULL, amount bigint NOT NULL DEFAULT 0,
         entries bigint NOT NULL DEFAULT 0, PRIMARY KEY (account, stripe))
       WITH (fillfactor = 50)""",
    "CREATE TABLE calls (payout bigint NOT NULL, at float8 NOT NULL)",
)
_FILL: Final = (
    "INSERT INTO payouts (id, amount) SELECT n, 1000 + n FROM generate_series(1, %s::bigint) n"
)
_STRIPES: Final = """
    INSERT INTO totals (account, stripe)
    SELECT a, s FROM generate_series(1, 2) a, generate_series(0, %s::int - 1) s"""
_DONE: Final = "SELECT count(*) FROM payouts WHERE status = 3"
_COUNTS: Final = """
    SELECT
      (SELECT count(*) FROM calls) AS "calls",
      (SELECT count(DISTINCT payout) FROM calls) AS "distinct calls",
      (SELECT count(*) FROM payouts) AS "payouts",
      (SELECT count(*) FROM payouts WHERE status = 3) AS "payouts paid",
      (SELECT count(*) FROM ledger) / 2.0 AS "pairs of ledger rows",
      (SELECT sum(entries) FROM totals) / 2.0 AS "pairs in the totals" """
_WRONG: Final = """
    SELECT
      (SELECT coalesce(sum(amount), 0) FROM ledger) AS "sum of the ledger",
      (SELECT count(*) FROM (SELECT account, sum(amount) FROM ledger GROUP BY account
        EXCEPT SELECT account, sum(amount) FROM totals GROUP BY account)) AS "totals unlike the ledger",
      (SELECT count(*) FROM payouts p LEFT JOIN ledger l ON l.payout = p.id AND l.account = 2
        WHERE l.amount IS DISTINCT FROM p.amount) AS "payouts booked wrongly" """
_SPAN: Final = """
    SELECT CAST(extract(epoch FROM max(settled_at)) AS float8) - (SELECT min(at) FROM calls),
           (SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY at) -
                   percentile_disc(0.1) WITHIN GROUP (ORDER BY at) FROM calls)
    FROM payouts"""


def make(world: World, items: int) -> None:
    """Make the tables, with `items` payouts to pay."""
    with psycopg.connect(world.conninfo) as connection:
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(_FILL, (items,))
        connection.execute(_STRIPES, (STRIPES,))
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        connection.execute("ANALYZE")


def paid(world: World) -> int:
    """How many payouts are paid by now."""
    with psycopg.connect(world.conninfo) as connection:
        found = connection.execute(_DONE).fetchone()
    return int(found[0]) if found else 0


def prove(world: World, items: int, *, called: bool = True) -> None:
    """Raise `BrokenError` unless each of `items` payouts was paid, booked and summed up once.

    Where a gateway was called, also unless it was called once for each.
    """
    with psycopg.connect(world.conninfo, row_factory=psycopg.rows.dict_row) as connection:
        connection.execute("TRUNCATE calls")
        with connection.cursor() as cursor, cursor.copy("COPY calls FROM STDIN") as copy:
            for row in gateway.read(world.notes):
                copy.write_row(row)
        counts = connection.execute(_COUNTS).fetchone() or {}
        faults = connection.execute(_WRONG).fetchone() or {}
    expected = {name: items if called or "calls" not in name else 0 for name in counts}
    wrong = {name: n for name, n in counts.items() if n != expected[name]}
    wrong |= {name: n for name, n in faults.items() if n}
    if wrong:
        raise BrokenError(f"of {items} payouts, after the run: {wrong}")


def span(world: World) -> tuple[float, float]:
    """Return two times, after `prove`: first call to last settle, and first to last tenth of the calls."""
    with psycopg.connect(world.conninfo) as connection:
        found = connection.execute(_SPAN).fetchone()
    if found is None:
        raise BrokenError("nothing was paid")
    return float(found[0]), float(found[1])

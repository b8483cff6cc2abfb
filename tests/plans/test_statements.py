"""EXPLAIN guards: holding a statement against the books costs by its lines, however much is matched or over."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from db.statements import balance, matching, missing, outcome, taking
from db.statements.account import Account
from db.statements.listing import Page, listing
from domain.statements import LineState, Side, Source, StatementLine
from tests.operating import opened
from tests.plans.explaining import Plans, explained
from tests.plans.load import LOAD
from tests.servers import Databases

SET = 200
WHOSE = Account(provider="razorpayx", account="1")
BIG = {"statement_lines", "payouts", "effects", "effect_payments"}
THIS_MONTH = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
NEXT_MONTH = (THIS_MONTH + timedelta(days=32)).replace(day=1)
"""Where the load lies in time: its partition is made ahead, and all of it is there on any day."""

HISTORY = [
    "ALTER TABLE statement_lines SET (autovacuum_enabled = false)",
    """INSERT INTO statement_lines (provider, account, line_id, occurred_at, side, amount, currency, balance,
                                    utr, source, source_id, payout, matched_by, state)
       SELECT 'razorpayx', '1', 'old ' || n, timestamptz '2020-01-01Z' + make_interval(secs => n), 'debit', 1,
              'INR', -n, 'U' || n, 'payout', 'gone ' || n, gen_random_uuid(), 'provider_id', 'matched'
       FROM generate_series(1, 200000) n""",
    """INSERT INTO moves (kind, subject, source, target, actor, at)
       SELECT 'payout', CAST('a' || lpad(to_hex(n), 31, '0') AS uuid), 'PROCESSING', 'REVERSED', 'bursar',
              :month + make_interval(secs => n * 10)
       FROM generate_series(1, 200000) n""",
]

ENDED = [s for s in LOAD if not s.startswith(("ALTER", "INSERT INTO work", "INSERT INTO runs"))]
"""Of the load what a statement is about: payouts that are over, and their effects."""

HOT = {
    "take over": ("INSERT INTO statement_lines", 60 * SET),
    "meet": ("AS amount_minor, l.fee AS fee_minor", 20 * SET),
    "name": ("WITH unnamed AS", 10 * SET),
    "judge": ("judged AS MATERIALIZED", 60 * SET),
    "returns": ("WITH back AS", 60 * SET),
    "by utr": ("JOIN statement_lines l ON l.utr = e.utr", 60 * SET),
    "missing": ("ended AS MATERIALIZED", 60 * SET),
    "gaps": ("loose AS MATERIALIZED", 20 * SET),
    "summary": ("AS debits_minor", 20 * SET),
    "open lines": ("has an index of its own", 20 * SET),
    "all lines": ("IS NULL OR l.state", 20 * SET),
}
"""A piece of each statement, and the pages that a set of 200 may touch."""


def lines(first: int) -> list[StatementLine]:
    """A hundred payouts of the load, debited and given back."""
    return [
        StatementLine(
            line_id=f"new {first}-{n}",
            account="1",
            occurred_at=datetime(2021, 1, 1, tzinfo=UTC) + timedelta(days=first, seconds=n),
            side=(Side.DEBIT, Side.CREDIT)[n % 2],
            amount_minor=1,
            fee_minor=0,
            currency="INR",
            balance_minor=-1 if n % 2 == 0 else 0,
            utr=None,
            source=Source.PAYOUT,
            source_id=f"old {first + n // 2 + 40_000}",
        )
        for n in range(SET)
    ]


def held(url: str, first: int) -> Plans:
    """Hold one set of lines against the load, and return how."""
    start = datetime(2021, 1, 1, tzinfo=UTC) + timedelta(days=first)
    end = start + timedelta(hours=1)
    ended = NEXT_MONTH + timedelta(days=20)
    with opened(url) as database, explained(database) as plans:
        for _ in range(2):
            with database.begin(60) as tx:
                taking.take_over(tx, WHOSE, lines(first), str)
        with database.begin(60) as tx:
            matching.name(tx, 0)
            matching.name_returns(tx, 0)
            seen = matching.judge(tx, 0, young_after=datetime.now(UTC))
            assert (seen.looked_at, seen.findings) == (SET, [])
            stretch = missing.Stretch(
                start=ended, end=ended + timedelta(seconds=10 * SET), at=ended
            )
            long_ago = datetime(2000, 1, 1, tzinfo=UTC)
            missing.look(tx, WHOSE, stretch, first_line_at=long_ago, settled_before=stretch.end)
            balance.check(tx, WHOSE, balance.before(tx, WHOSE, start), end=end)
            outcome.summary(tx, WHOSE, start=start, end=end)
            listing(tx, Page(state=LineState.UNMATCHED))
            listing(tx, Page(after=150_000))
    return plans


@pytest.fixture(scope="module")
def plans(databases: Databases, template: str, addresses: object) -> Iterator[dict[str, Plans]]:
    """The plans with statistics that were never gathered, and with fresh ones."""
    with databases.database(template) as name:
        url = databases.url(name)
        admin = sa.make_url(addresses.admin_url).set(database=name)  # type: ignore[attr-defined]  # an Addresses
        engine = sa.create_engine(admin, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in ENDED:
                connection.exec_driver_sql(statement)
            for statement in HISTORY:
                connection.execute(
                    sa.text(statement), {"month": NEXT_MONTH} if ":month" in statement else {}
                )
            # As the vacuum of a table that only grows does.
            connection.exec_driver_sql(
                "SELECT brin_summarize_new_values(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
                " JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'brin' AND c.relkind = 'i'"
            )
            never = held(url, 1)
            connection.exec_driver_sql("ANALYZE")
        yield {"never": never, "fresh": held(url, 200)}


@pytest.mark.parametrize("statistics", ["never", "fresh"])
@pytest.mark.parametrize("what", list(HOT))
def test_a_statement_reads_by_index_and_touches_few_pages(
    plans: dict[str, Plans], statistics: str, what: str
) -> None:
    """200,000 matched lines, and as many moves before what ended in the statement's time, are never visited."""
    piece, blocks_max = HOT[what]
    found = plans[statistics].of(piece)
    assert found, "the statement was not executed"
    for plan in found:
        scanned = {t for t in plan.scanned if t in BIG or t.startswith("moves_")}
        assert scanned == set(), plan.statement
        assert plan.blocks <= blocks_max

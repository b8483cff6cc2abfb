"""No page of the audit reads a large table more than once, whatever the planner's statistics say."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from db.audit import INVARIANTS, Invariant
from db.invariant import statement
from db.payouts.promises import WALK
from tests.driving import claim, process
from tests.fakes.bank import FakeBank
from tests.operating import opened, samples, take
from tests.servers import Databases

LARGE = ("postings", "entries", "payouts", "moves", "effects", "work", "balances", "runs", "ticks")
PAGE = 500
STATISTICS = ("none", "entries", "payouts", "leaves", "all", "nested")
LEAVES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'bursar'::regnamespace AND relkind = 'r'"
)


@pytest.fixture(scope="module", params=STATISTICS)
def connection(
    request: pytest.FixtureRequest, databases: Databases, template: str
) -> Iterator[sa.Connection]:
    """3,000 payouts in a database whose statistics are missing, misleading, or right."""
    with databases.database(template) as name:
        url = databases.url(name)
        with opened(url) as operator:
            take(operator, samples(3000), approve=True)
            claim(operator, process(FakeBank()), limit=200)
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("SET search_path = bursar, pg_temp")
            connection.exec_driver_sql("SET ROLE bursar_owner")
            # Autovacuum never analyzes a partitioned table, only its partitions.
            leaves = connection.exec_driver_sql(LEAVES).scalars().all()
            tables = {"none": [], "all": LARGE, "nested": LARGE, "leaves": leaves}.get(
                request.param, [request.param]
            )
            for table in tables:
                connection.exec_driver_sql(f"ANALYZE {table}")
            if request.param == "nested":
                # The worst a planner can be led to: whatever can be joined by loops is.
                connection.exec_driver_sql("SET enable_hashjoin = off")
                connection.exec_driver_sql("SET enable_mergejoin = off")
            yield connection
        engine.dispose()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def read_again(connection: sa.Connection, invariant: Invariant) -> list[tuple[str, str, int]]:
    """Reads of whole large tables that one page repeats: (how, table, times)."""
    asked = statement(invariant)
    given = {"after": None, "page": PAGE, "most": 100, "deep": True}
    explain = sa.text(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked.text}")
    wanted = {name: given[name] for name in asked.compile().params}
    (found,) = connection.execute(explain, wanted).scalar_one()
    return [
        (node["Node Type"], node["Relation Name"], node["Actual Loops"])
        for node in nodes(found["Plan"])
        if node.get("Relation Name", "").startswith(LARGE)
        and is_whole(node)
        and node["Actual Loops"] > 1
    ]


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda i: i.name)
def test_a_page_reads_no_large_table_again_and_again(
    connection: sa.Connection, invariant: Invariant
) -> None:
    assert read_again(connection, invariant) == []


def test_a_statement_that_does_is_noticed(connection: sa.Connection) -> None:
    careless = """
      SELECT p.external_id AS subject, p.state AS detail FROM page p
      WHERE (SELECT count(*) FROM moves m WHERE m.reason = p.narration) > 0"""
    found = read_again(connection, replace(INVARIANTS[-4], walk=WALK, offences=careless))
    assert {(how, times) for how, _, times in found} == {("Seq Scan", PAGE)}


def is_whole(node: dict[str, Any]) -> bool:
    """Whether a node reads all of its table, or ranges of it that an index by blocks gives; empty ones are free."""
    if node["Actual Rows"] == 0 and node.get("Rows Removed by Filter", 0) == 0:
        return False
    by_blocks = any("entry" in child.get("Index Name", "") for child in node.get("Plans", []))
    return node["Node Type"] == "Seq Scan" or (
        node["Node Type"] == "Bitmap Heap Scan" and by_blocks
    )

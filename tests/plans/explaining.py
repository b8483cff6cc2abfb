"""Explain every statement a database runs, just before it runs, by the plan that runs it.

Our sessions ask for generic plans: made once, for whatever the parameters are. EXPLAIN of a statement
with its parameters would show the plan for those, which nobody uses; EXPLAIN EXECUTE shows ours.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from psycopg._queries import PostgresQuery
from psycopg.adapt import Transformer
from psycopg.sql import Literal

from db.engine import Database

if TYPE_CHECKING:
    import psycopg

PREFIX = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) "


@dataclass
class Plan:
    """One statement as it was executed."""

    statement: str
    tree: dict[str, Any]

    def nodes(self, node: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Every node of the plan."""
        node = node or self.tree
        yield node
        for child in node.get("Plans", ()):
            yield from self.nodes(child)

    @property
    def scanned(self) -> set[str]:
        """Tables read from end to end."""
        return {n["Relation Name"] for n in self.nodes() if n["Node Type"] == "Seq Scan"}

    @property
    def blocks(self) -> int:
        """Pages touched."""
        return int(self.tree["Shared Hit Blocks"] + self.tree["Shared Read Blocks"])

    @property
    def removed(self) -> int:
        """Rows read in vain by any one scan."""
        return max(int(n.get("Rows Removed by Filter", 0)) for n in self.nodes())


@dataclass
class Plans:
    """The plans seen, by a piece of their statement."""

    seen: list[Plan] = field(default_factory=list)

    def of(self, piece: str) -> list[Plan]:
        """The plans of statements that hold `piece`."""
        return [plan for plan in self.seen if piece in plan.statement]


@contextmanager
def explained(database: Database) -> Iterator[Plans]:
    """Keep the plan of every statement that reads or writes rows; what explaining did is undone."""
    plans = Plans()

    def explain(
        connection: sa.Connection, _cursor: object, statement: str, parameters: object, *_: object
    ) -> None:
        if not statement.strip().startswith(("WITH", "SELECT", "INSERT", "UPDATE", "DELETE", "--")):
            return
        driver = connection.connection.driver_connection
        assert driver is not None
        tree = _explain(cast("psycopg.Connection[Any]", driver), statement, parameters)
        plans.seen.append(Plan(statement=statement, tree=tree))

    sa.event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", explain)


def _explain(driver: "psycopg.Connection[Any]", statement: str, parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - as the driver has them
    query = PostgresQuery(Transformer(driver))
    query.convert(re.sub(r"%\((\w+)\)s", r"%(\1)t", statement), parameters)  # as text
    values = [
        "NULL" if value is None else Literal(bytes(value).decode()).as_string(driver)
        for value in query.params or ()
    ]
    with driver.transaction(force_rollback=True), driver.cursor() as cursor:
        types = [
            cursor.execute("SELECT CAST(%s AS regtype)::text", [oid or "unknown"]).fetchone()[0]  # type: ignore[index]  # a row it has
            for oid in query.types or ()
        ]
        given, asked = (f"({', '.join(x)})" if x else "" for x in (values, types))
        cursor.execute(f"PREPARE guarded{asked} AS {query.query.decode()}".encode())
        try:
            [[document]] = cursor.execute(f"{PREFIX}EXECUTE guarded{given}".encode()).fetchall()
        finally:
            cursor.execute("DEALLOCATE guarded")
    tree: dict[str, Any] = document[0]["Plan"]
    return tree

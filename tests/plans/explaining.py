"""Explain every statement a database runs, just before it runs, with its own parameters."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from db.engine import Database

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
        with driver.transaction(force_rollback=True), driver.cursor() as cursor:
            cursor.execute(PREFIX + statement, parameters)
            [[document]] = cursor.fetchall()
        plans.seen.append(Plan(statement=statement, tree=document[0]["Plan"]))

    sa.event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", explain)

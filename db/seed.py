"""The domain's frozen tables as rows, so that SQL callers obey the same ones; rewritten by migrate."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from domain.families import AGGREGATES, MACHINES
from domain.ledger import Side
from domain.ledger_rules import ENTRY_RULES


def rules(connection: sa.Connection) -> None:
    """Write aggregates, legal moves, called work, entry rules and the installation's row."""
    connection.execute(
        sa.text("INSERT INTO installation DEFAULT VALUES ON CONFLICT (one) DO NOTHING")
    )
    for table in ("aggregates", "legal_moves", "called_work", "entry_rules"):
        connection.execute(sa.text(f"DELETE FROM {table}"))
    kinds = [(machine.kind, machine.table) for machine in AGGREGATES]
    _insert(connection, "aggregates (kind, subjects)", kinds)
    moves = [
        (m.kind, v.source, v.target, v.guard.value, v.when, v.by_hand)
        for m in MACHINES
        for v in m.moves
    ]
    _insert(connection, 'legal_moves (kind, source, target, guard, "when", by_hand)', moves)
    calls = [
        (m.kind, c.state, c.outcome or "", c.variant or "", c.job, c.due)
        for m in MACHINES
        for c in m.calls
    ]
    _insert(connection, "called_work (kind, state, outcome, variant, job, due)", calls)
    entry_rules = [
        (kind.value, side.value, account.value)
        for kind, sides in ENTRY_RULES.items()
        for side, accounts in zip((Side.DEBIT, Side.CREDIT), sides, strict=True)
        for account in sorted(accounts)
    ]
    _insert(connection, "entry_rules (type, side, kind)", entry_rules)


def catalog(connection: sa.Connection, jobs: Iterable[tuple[str, str, str, int, str]]) -> None:
    """Write what jobs exist: (job, queue, shape, version, summary) each; a newer version stays."""
    connection.execute(
        sa.text("""
        INSERT INTO catalog AS c (job, queue, shape, version, summary)
        SELECT * FROM unnest(CAST(:a AS text[]), CAST(:b AS text[]), CAST(:c AS text[]), CAST(:d AS int[]), CAST(:e AS text[]))
        ON CONFLICT (job) DO UPDATE SET queue = excluded.queue, shape = excluded.shape, version = excluded.version,
          summary = excluded.summary WHERE c.version <= excluded.version"""),
        dict(zip("abcde", map(list, zip(*jobs, strict=True)), strict=True)),
    )


def _insert(
    connection: sa.Connection, into: str, rows: Sequence[tuple[str | bool | None, ...]]
) -> None:
    kinds = ["boolean" if isinstance(value, bool) else "text" for value in rows[0]]
    source = ", ".join(f"CAST(:c{place} AS {kind}[])" for place, kind in enumerate(kinds))
    columns = {f"c{place}": list(column) for place, column in enumerate(zip(*rows, strict=True))}
    connection.execute(sa.text(f"INSERT INTO {into} SELECT * FROM unnest({source})"), columns)

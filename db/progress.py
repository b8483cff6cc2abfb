"""How many of each aggregate are where: for the demo's table. Small sets only."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from db.tx import Tx
from domain.machines import Machine


def states(tx: Tx, machines: Sequence[Machine]) -> Mapping[str, Mapping[str, int]]:
    """Subjects by table and state, in the order their states are listed in; reads the whole tables."""
    statement = " UNION ALL ".join(
        f"SELECT '{m.table}' AS name, state, count(*) AS n FROM {m.table} GROUP BY state"
        for m in machines
    )
    found = {(row.name, row.state): row.n for row in tx.rows(sa.text(statement))}
    return {
        m.table: {call.state: n for call in m.calls if (n := found.get((m.table, call.state)))}
        for m in machines
    }

"""What was divided long ago: obligations with their receivables and calculation runs, whose fee took all."""

from typing import Final

from db.bench.hosting import run_all
from db.tx import Tx

_FEW: Final = (
    """INSERT INTO mortgages (id, external_id)
       SELECT CAST(md5('m' || n) AS uuid), 'm' || n FROM generate_series(0, :items / 100) n""",
)
_MANY: Final = {
    "accounts": """INSERT INTO accounts (kind, owner, currency, normal, stripes, bounded)
       SELECT 'borrower_receivable', CAST(CAST(md5('o' || n) AS uuid) AS text), 'INR', 'D', 1, true FROM generate_series(1, :items) n""",
    "balances": """INSERT INTO balances (account, stripe, floor, debits, credits)
       SELECT id, 0, 'D', 1000, 1000 FROM accounts WHERE kind = 'borrower_receivable'""",
    "obligations": """INSERT INTO obligations (id, external_id, mortgage, borrower, kind, amount, currency, due_on, principal, fee_rate_ppm,
                                frequency, receivable, settled_on, method, state, content_hash)
       SELECT CAST(a.owner AS uuid), 'o' || a.id, CAST(md5('m' || a.id % (1 + :items / 100)) AS uuid), 'Mira', 'regular_interest', 1000,
              'INR', '2026-03-20', 1000000, 12000, 'monthly', a.id, '2026-03-20', 'manual', 'DISPERSED', ''
       FROM accounts a WHERE a.kind = 'borrower_receivable'""",
    "calculation_runs": """INSERT INTO calculation_runs (obligation, generation, received, fee_due, fee_applied, distributable, shares,
                                     settled_on, eligible_on, inputs)
       SELECT id, 1, 1000, 1000, 1000, 0, 0, settled_on, settled_on, '{}' FROM obligations""",
}
TABLES: Final = tuple(_MANY)
"""Each has a row of every obligation, the ones below hanging on those above."""


def begin(tx: Tx, rows: int) -> None:
    """Make the mortgages of `rows` obligations."""
    run_all(tx, _FEW, items=rows)


def fill(tx: Tx, table: str, rows: int) -> None:
    """Make the rows of `table` of `rows` obligations."""
    run_all(tx, (_MANY[table],), items=rows)

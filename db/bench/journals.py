"""Obligations that were received and divided among five lenders each, with the entries that a reconciliation reads."""

from typing import Final

import sqlalchemy as sa

from db.bench.hosting import run_all
from db.tx import Tx

_FEW: Final = (
    # Behind every rule of the books: what is made here is right, and each rule looks at the whole set once more.
    "ALTER TABLE postings DISABLE TRIGGER postings_keep_the_rules",
    """INSERT INTO mortgages (id, external_id)
       SELECT CAST(md5('m' || n) AS uuid), 'm' || n FROM generate_series(0, :items / 10) n""",
    """WITH account AS (
         INSERT INTO accounts (kind, owner, currency, normal, stripes, bounded)
         SELECT 'payee_payable', CAST(CAST(md5('l' || n) AS uuid) AS text), 'INR', 'C', 1, true FROM generate_series(0, 299) n
         RETURNING id, owner),
       balance AS (INSERT INTO balances (account, stripe, floor) SELECT id, 0, 'C' FROM account)
       INSERT INTO payees (id, name, payable) SELECT CAST(owner AS uuid), 'lender ' || id, id FROM account""",
    "INSERT INTO lenders (payee, external_id) SELECT id, name FROM payees",
    """INSERT INTO accounts (kind, owner, currency, normal, stripes, bounded)
       SELECT 'lender_payable', CAST(payee AS text), 'INR', 'C', 1, true FROM lenders
       UNION ALL SELECT 'trust_cash', '', 'INR', 'D', 1, true
       UNION ALL SELECT kind, '', 'INR', 'C', 1, false FROM unnest(ARRAY['control_accrual', 'control_settlement', 'control_allocation']) kind
       UNION ALL SELECT 'control_waiver', '', 'INR', 'D', 1, false""",
    """INSERT INTO balances (account, stripe)
       SELECT id, 0 FROM accounts WHERE kind IN ('lender_payable', 'trust_cash') OR kind LIKE 'control%'""",
)
_MANY: Final = {
    "accounts": """INSERT INTO accounts (kind, owner, currency, normal, stripes, bounded)
       SELECT 'borrower_receivable', CAST(CAST(md5('o' || n) AS uuid) AS text), 'INR', 'D', 1, true FROM generate_series(1, :items) n""",
    "balances": """INSERT INTO balances (account, stripe, floor, debits, credits)
       SELECT id, 0, 'D', 1000, 1000 FROM accounts WHERE kind = 'borrower_receivable'""",
    "obligations": """INSERT INTO obligations (id, external_id, mortgage, borrower, kind, amount, currency, due_on, principal, fee_rate_ppm,
                                frequency, receivable, settled_on, method, state, content_hash)
       SELECT CAST(a.owner AS uuid), 'o' || a.id, CAST(md5('m' || a.id % (1 + :items / 10)) AS uuid), 'Mira', 'late_fee', 1000,
              'INR', '2026-03-20', 0, 0, 'monthly', a.id, '2026-03-20', 'manual', 'DISPERSED', ''
       FROM accounts a WHERE a.kind = 'borrower_receivable'""",
    "calculation_runs": """INSERT INTO calculation_runs (obligation, generation, received, fee_due, fee_applied, distributable, shares,
                                     settled_on, eligible_on, inputs)
       SELECT id, 1, 1000, 0, 0, 1000, 5, settled_on, settled_on, '{}' FROM obligations""",
    "dispersals": """INSERT INTO dispersals (id, obligation, generation, lender, amount, currency, eligible_on)
       SELECT CAST(md5(o.id || '.' || n) AS uuid), o.id, 1, CAST(md5('l' || (o.receivable + n) % 300) AS uuid), 200, 'INR', o.settled_on
       FROM obligations o CROSS JOIN generate_series(1, 5) n""",
    "entries": """INSERT INTO entries (id, type, key, currency, effective_on, actor)
       SELECT 3 * o.receivable + k.n, k.type, k.name || '.' || o.id, 'INR', o.settled_on, 'bench'
       FROM obligations o
       CROSS JOIN (VALUES (0, 'OBLIGATION_ACCRUED', 'accrued'), (1, 'CASH_RECEIVED', 'received'), (2, 'LENDER_PAYABLE_CREATED', 'allocated'))
         AS k (n, type, name)""",
    "postings": """INSERT INTO postings (entry, debit, credit, amount)
       SELECT 3 * o.receivable, o.receivable, k.id, 1000 FROM obligations o, accounts k WHERE k.kind = 'control_accrual'
       UNION ALL
       SELECT 3 * o.receivable + 1, k.id, o.receivable, 1000 FROM obligations o, accounts k WHERE k.kind = 'trust_cash'
       UNION ALL
       SELECT 3 * o.receivable + 2, k.id, p.id, d.amount
       FROM dispersals d
       JOIN obligations o ON o.id = d.obligation
       JOIN accounts p ON p.kind = 'lender_payable' AND p.owner = CAST(d.lender AS text)
       CROSS JOIN accounts k WHERE k.kind = 'control_allocation'""",
    "ledger_totals": """INSERT INTO ledger_totals (type, currency, stripe, entries, amount)
       SELECT 'OBLIGATION_ACCRUED', 'INR', 0, count(*), 1000 * count(*) FROM obligations""",
}
TABLES: Final = tuple(_MANY)
"""The ones below hang on those above."""


def begin(tx: Tx, rows: int) -> None:
    """Make the mortgages of `rows` obligations, ten each, their lenders, and the accounts they share."""
    run_all(tx, _FEW, items=rows)


def fill(tx: Tx, table: str, rows: int) -> None:
    """Make the rows of `table` of `rows` obligations."""
    run_all(tx, (_MANY[table],), items=rows)


def found(tx: Tx) -> int:
    """How many findings there are: what is made here is as it should be."""
    return int(tx.scalar(sa.text("SELECT count(*) FROM findings")))

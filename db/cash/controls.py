"""The control accounts of obligations: money passes through them, and what is in them is what is under way."""

from dataclasses import replace
from typing import Final

from db.invariant import Invariant, Walk
from db.obligations.facts import JOURNAL
from domain.findings import FindingKind

CONTROLS_FIT: Final = Invariant(
    name="controls-are-what-is-under-way",
    promise="In each currency the control accounts hold what is accrued, being settled and being divided, and nothing else.",
    walk=Walk(
        paged=False,
        page="""
    SELECT DISTINCT currency AS at, currency FROM accounts WHERE :deep AND kind = 'control_accrual'""",
    ),
    finding=FindingKind.BOOKS_DRIFT,
    offences=f"""
      WITH held AS MATERIALIZED (
        SELECT p.currency, k.kind,
               (SELECT coalesce(sum(CASE a.normal WHEN 'D' THEN b.debits - b.credits ELSE b.credits - b.debits END), 0)
                FROM accounts a JOIN balances b ON b.account = a.id WHERE a.kind = k.kind AND a.currency = p.currency) AS minor
        FROM page p CROSS JOIN (VALUES ('control_accrual'), ('control_settlement'), ('control_allocation'), ('control_waiver')) k (kind)),
      owed AS MATERIALIZED (
        SELECT o.currency, sum(b.debits - b.credits) AS open,
               sum(o.amount - (b.debits - b.credits)) FILTER (WHERE o.state = 'PARTIALLY_SETTLED') AS settling
        FROM obligations o JOIN balances b ON b.account = o.receivable WHERE EXISTS (SELECT FROM page) GROUP BY o.currency),
      dividing AS MATERIALIZED (
        SELECT o.currency, sum(j.received) AS minor FROM obligations o {JOURNAL}
        WHERE EXISTS (SELECT FROM page) AND o.state IN ('SETTLED', 'STALLED', 'ESCALATED') GROUP BY o.currency),
      wanted AS (
        SELECT p.currency, 'control_accrual' AS kind,
               coalesce(o.open, 0) + (SELECT minor FROM held h WHERE h.currency = p.currency AND h.kind = 'control_waiver')
               + coalesce((SELECT sum(t.amount) FROM ledger_totals t WHERE t.type = 'OBLIGATION_WRITTEN_OFF' AND t.currency = p.currency), 0)
                 AS minor
        FROM page p LEFT JOIN owed o ON o.currency = p.currency
        UNION ALL SELECT p.currency, 'control_settlement', coalesce(o.settling, 0) FROM page p LEFT JOIN owed o ON o.currency = p.currency
        UNION ALL SELECT p.currency, 'control_allocation', coalesce(d.minor, 0) FROM page p LEFT JOIN dividing d ON d.currency = p.currency)
      SELECT concat_ws(' ', h.kind, h.currency) AS subject, format('it holds %s minor units, under way are %s', h.minor, w.minor) AS detail
      FROM wanted w JOIN held h ON h.currency = w.currency AND h.kind = w.kind WHERE h.minor <> w.minor""",
)
"""Summed over every obligation: part of a deep audit."""

CONTROLS_ARE_WHAT_IS_UNDER_WAY: Final = replace(CONTROLS_FIT, finding=FindingKind.CONTROLS_DRIFT)
"""The same, told by its own name."""

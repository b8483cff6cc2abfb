"""What is looked at each day of the cash of obligations: a promise each, independent of the others, a page at a time.

Each statement is one snapshot. The clock is a parameter: all checks of one reconciliation judge by the same moment.
"""

from dataclasses import dataclass
from typing import Final

from db.aggregates import walk
from db.cash.controls import CONTROLS_ARE_WHAT_IS_UNDER_WAY
from db.invariant import Invariant, Walk
from db.obligations.facts import JOURNAL
from domain.findings import FindingKind
from domain.obligations import OBLIGATIONS
from domain.payouts import FOLLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise; how much of its table one page takes, and how many offences have findings of their own."""

    promise: Invariant
    page: int
    named_max: int = 100


def _accounts(kind: str) -> Walk:
    """The accounts of a kind, by their owners."""
    return Walk(
        page=f"""
    SELECT concat_ws(' ', owner, currency) AS at, a.* FROM accounts a
    WHERE kind = '{kind}' AND (owner, currency) > (split_part(coalesce(CAST(:after AS text), ''), ' ', 1),
                                                   split_part(coalesce(CAST(:after AS text), ''), ' ', 2))
    ORDER BY owner, currency LIMIT :page"""
    )


UNAPPLIED_CASH: Final = Invariant(
    name="cash-is-applied",
    promise="What was received for a mortgage is applied to its obligations.",
    walk=_accounts("unapplied_cash"),
    finding=FindingKind.UNAPPLIED_CASH,
    offences="""
      SELECT concat_ws(' ', 'mortgage', a.owner, a.currency) AS subject,
             format('%s minor units of %s are applied to no obligation of mortgage %s', b.credits - b.debits, a.currency,
                    coalesce(m.external_id, a.owner)) AS detail
      FROM page a JOIN balances b ON b.account = a.id LEFT JOIN mortgages m ON CAST(m.id AS text) = a.owner
      WHERE b.credits > b.debits""",
)

PAYABLES_ARE_NOT_NEGATIVE: Final = Invariant(
    name="lenders-owe-nothing",
    promise="No lender was paid more than what they were owed.",
    walk=_accounts("lender_payable"),
    finding=FindingKind.PAYABLE_NEGATIVE,
    offences="""
      SELECT concat_ws(' ', 'lender', a.owner, a.currency) AS subject,
             format('was paid %s minor units of %s more than was owed', b.debits - b.credits, a.currency) AS detail
      FROM page a JOIN balances b ON b.account = a.id WHERE b.debits > b.credits""",
)

OBLIGATIONS_ARE_THEIR_JOURNAL: Final = Invariant(
    name="obligations-are-their-journal",
    promise="An obligation's account, its amount and its state are what its postings say.",
    walk=Walk(
        page="""
    SELECT receivable AS at, o.* FROM obligations o WHERE receivable > coalesce(CAST(:after AS bigint), 0)
    ORDER BY receivable LIMIT :page"""
    ),
    finding=FindingKind.OBLIGATION_DRIFT,
    offences="""
      SELECT 'obligation ' || o.id AS subject,
             format('%s is %s; %s of %s are open, its postings say %s of %s', o.external_id, o.state, b.debits - b.credits, o.amount,
                    d.debited - c.credited, d.accrued) AS detail
      FROM page o
      JOIN balances b ON b.account = o.receivable
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.amount), 0) AS debited, coalesce(sum(p.amount) FILTER (WHERE e.type = 'OBLIGATION_ACCRUED'), 0) AS accrued
        FROM postings p JOIN entries e ON e.id = p.entry WHERE p.debit = o.receivable) d
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.amount), 0) AS credited FROM postings p WHERE p.credit = o.receivable) c
      WHERE d.accrued <> o.amount OR d.debited - c.credited <> b.debits - b.credits
         OR NOT CASE o.state
              WHEN 'DUE' THEN d.debited - c.credited = o.amount
              WHEN 'PARTIALLY_SETTLED' THEN d.debited - c.credited BETWEEN 1 AND o.amount - 1
              ELSE d.debited - c.credited BETWEEN 0 AND o.amount END""",
)

SETTLED_ARE_DIVIDED: Final = Invariant(
    name="settled-are-divided",
    promise="What is settled is divided within an hour, or somebody is told why not: nothing waits for nobody.",
    walk=walk(OBLIGATIONS),
    finding=FindingKind.OBLIGATION_ORPHANED,
    offences="""
      -- One that no lender had a share of has its calculation run, and is no orphan.
      SELECT 'obligation ' || o.id AS subject,
             format('%s is SETTLED since %s and not divided; it waits for %s', o.external_id, to_char(o.updated_at, 'YYYY-MM-DD HH24:MI'),
                    coalesce((SELECT string_agg(w.job, ', ') FROM work w WHERE w.subject = o.id), 'nothing')) AS detail
      FROM page o
      WHERE o.state = 'SETTLED' AND o.updated_at < CAST(:now AS timestamptz) - interval '1 hour'
        AND NOT EXISTS (SELECT FROM calculation_runs c WHERE c.obligation = o.id AND c.generation = o.generation)""",
)

SUSPENSE_IS_EMPTY: Final = Invariant(
    name="suspense-is-empty",
    promise="No money is set apart whose right home nobody knows.",
    walk=Walk(
        page="""
    SELECT id AS at, a.* FROM accounts a WHERE kind = 'suspense' AND bounded AND id > coalesce(CAST(:after AS bigint), 0)
    ORDER BY id LIMIT :page"""
    ),
    finding=FindingKind.SUSPENSE_OPEN,
    offences="""
      SELECT concat_ws(' ', CASE WHEN r.id IS NULL THEN 'obligation' ELSE 'receipt' END, a.owner) AS subject,
             format('%s minor units of %s are open, of %s; set apart on %s, %s days ago', b.debits - b.credits, a.currency, b.debits,
                    to_char(e.created_at, 'YYYY-MM-DD'), floor(extract(epoch FROM CAST(:now AS timestamptz) - e.created_at) / 86400)) AS detail
      FROM page a
      JOIN balances b ON b.account = a.id
      LEFT JOIN receipts r ON CAST(r.id AS text) = a.owner
      LEFT JOIN LATERAL (
        SELECT x.created_at FROM postings p JOIN entries x ON x.id = p.entry
        WHERE p.debit = a.id AND x.type IN ('SUSPENSE_ESCALATED', 'SUSPENSE_ROUTED') ORDER BY p.entry DESC LIMIT 1) e ON true
      WHERE b.debits > b.credits""",
)

CASH_IS_CONSERVED: Final = Invariant(
    name="cash-is-conserved",
    promise="What lenders and the fee have of an obligation is what the journal says it received; so in each mortgage and month.",
    walk=Walk(
        page="""
    SELECT id AS at, m.* FROM mortgages m
    WHERE id > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT :page"""
    ),
    finding=FindingKind.CASH_NOT_CONSERVED,
    offences=f"""
      WITH divided AS MATERIALIZED (
        SELECT o.id, o.external_id, o.mortgage, o.currency, to_char(o.settled_on, 'YYYY-MM') AS settled_in, j.received AS came_in,
               to_char(c.settled_on, 'YYYY-MM') AS divided_in, c.received, c.fee_applied,
               (SELECT coalesce(sum(d.amount), 0) FROM dispersals d WHERE d.obligation = o.id AND d.generation = o.generation) AS shared
        FROM page m
        JOIN obligations o ON o.mortgage = m.id
        JOIN calculation_runs c ON c.obligation = o.id AND c.generation = o.generation {JOURNAL}),
      monthly AS (
        SELECT mortgage, currency, month, sum(came_in) AS came_in, sum(given) AS given
        FROM (
          SELECT mortgage, currency, settled_in AS month, came_in, 0 AS given FROM divided
          UNION ALL SELECT mortgage, currency, divided_in, 0, fee_applied + shared FROM divided) x
        GROUP BY mortgage, currency, month)
      SELECT 'obligation ' || o.id AS subject,
             format('%s received %s by the journal; %s was divided: fee %s, lenders %s', o.external_id, o.came_in, o.received, o.fee_applied,
                    o.shared) AS detail
      FROM divided o WHERE o.came_in <> o.received OR o.received <> o.fee_applied + o.shared
      UNION ALL
      SELECT format('mortgage %s in %s %s', y.mortgage, y.month, y.currency),
             format('%s: obligations settled then received %s minor units of %s, lenders and the fee have %s of it', m.external_id, y.came_in,
                    y.currency, y.given)
      FROM monthly y JOIN page m ON m.id = y.mortgage WHERE y.came_in <> y.given""",
)

CONFIRMED_ARE_BOOKED: Final = Invariant(
    name="confirmed-are-booked",
    promise="A transfer that was confirmed five minutes ago has its entry. None is posted anew: somebody looks why it is missing.",
    walk=Walk(
        page=f"""
    -- What was paid is followed for some days still; older ones were looked at then.
    SELECT w.subject AS at, w.last_error, p.* FROM work w JOIN payouts p ON p.id = w.subject
    WHERE w.job = '{FOLLOW}' AND w.subject > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000')
    ORDER BY w.subject LIMIT :page"""
    ),
    finding=FindingKind.TRANSFER_WITHOUT_ENTRY,
    offences="""
      SELECT 'payout ' || p.id AS subject,
             format('%s of %s %s was confirmed at %s, and no entry says so', p.external_id, p.amount, p.currency,
                    to_char(p.completed_at, 'YYYY-MM-DD HH24:MI')) AS detail
      FROM page p
      WHERE p.state = 'COMPLETED' AND p.completed_at < CAST(:now AS timestamptz) - interval '5 minutes'
        AND NOT EXISTS (SELECT FROM takeovers t WHERE t.payout = p.id AND t.state = 'COMPLETED')
        AND (NOT EXISTS (
            SELECT FROM entries e
            WHERE e.key IN (concat_ws(':', 'payout', p.id, p.generation, 'completed'), concat_ws(':', 'payout', p.id, p.generation, 'paid_late')))
          -- Where it is what paid a lender's share, the cash of the mortgage has left too.
          OR EXISTS (SELECT FROM dispersals d WHERE d.id = p.dispersal AND d.payout = p.id)
            AND NOT EXISTS (SELECT FROM entries e WHERE e.key = 'disbursement:' || regexp_replace(p.external_id, '^dispersal:', '')))
      UNION ALL
      -- State and entry are one transaction: what the books refuse leaves both as they were, and only the answer is kept.
      SELECT 'payout ' || p.id,
             format('%s of %s %s is PROCESSING: what its provider said at %s is in no book. %s', p.external_id, p.amount, p.currency,
                    to_char(a.at, 'YYYY-MM-DD HH24:MI'), p.last_error)
      FROM page p
      CROSS JOIN LATERAL (SELECT min(x.at) AS at FROM effect_answers x WHERE x.key = p.effect_key AND x.answer = 'reported' AND NOT x.moved) a
      WHERE p.state = 'PROCESSING' AND starts_with(p.last_error, 'could not be settled')
        AND a.at < CAST(:now AS timestamptz) - interval '5 minutes'""",
)

CHECKS: Final = (
    Check(promise=UNAPPLIED_CASH, page=10_000),
    Check(promise=PAYABLES_ARE_NOT_NEGATIVE, page=10_000),
    Check(promise=SUSPENSE_IS_EMPTY, page=5_000, named_max=1_000),
    Check(promise=CONFIRMED_ARE_BOOKED, page=5_000),
    Check(promise=CONTROLS_ARE_WHAT_IS_UNDER_WAY, page=100),
    Check(promise=SETTLED_ARE_DIVIDED, page=20_000),
    Check(promise=OBLIGATIONS_ARE_THEIR_JOURNAL, page=10_000),
    Check(promise=CASH_IS_CONSERVED, page=200),
)

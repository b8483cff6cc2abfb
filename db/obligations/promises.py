"""What obligations promise beyond their machine: states and books agree, and what was divided is whole."""

from typing import Final

from db.aggregates import walk
from db.invariant import Invariant, Walk
from db.obligations.facts import JOURNAL
from domain.findings import FindingKind
from domain.obligations import OBLIGATIONS

OPEN_FITS_THE_STATE: Final = Invariant(
    name="obligations-open-fits-the-state",
    promise="All of an obligation that is DUE is open, a part of one that is PARTIALLY_SETTLED, nothing of one that ended.",
    walk=walk(OBLIGATIONS),
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      SELECT 'obligation ' || o.id AS subject, format('it is %s, and %s of %s is open', o.state, b.debits - b.credits, o.amount) AS detail
      FROM page o JOIN balances b ON b.account = o.receivable
      WHERE NOT CASE
        WHEN o.state = 'DUE' THEN b.debits - b.credits = o.amount
        WHEN o.state = 'PARTIALLY_SETTLED' THEN b.debits - b.credits BETWEEN 1 AND o.amount - 1
        -- Settled as another system says: its receipts may not be here yet.
        WHEN o.state IN ('SETTLED', 'STALLED', 'ESCALATED', 'RETURNED') THEN b.debits - b.credits BETWEEN 0 AND o.amount
        -- Of one that was divided as another system said it was settled, the rest may come in later, or never.
        WHEN o.state = 'DISPERSED' THEN b.debits - b.credits BETWEEN 0 AND o.amount - 1
        ELSE b.debits = b.credits END""",
)

DIVIDED_WHOLE: Final = Invariant(
    name="obligations-are-divided-whole",
    promise="A DISPERSED obligation, and no other, has its calculation run; shares, fee and entries add up to what it received.",
    walk=walk(OBLIGATIONS),
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH shared AS (
        SELECT o.id, count(*) AS shares, sum(d.amount) AS amount
        FROM page o JOIN dispersals d ON d.obligation = o.id AND d.generation = o.generation GROUP BY o.id),
      wanted AS (
        SELECT o.id, CASE WHEN o.generation > 1 THEN ':' || o.generation ELSE '' END AS ending FROM page o),
      posted AS (
        SELECT w.id, sum(p.amount) FILTER (WHERE e.type = 'LENDER_PAYABLE_CREATED') AS allocated,
               sum(p.amount) FILTER (WHERE e.type = 'SERVICING_FEE_RECOGNIZED') AS fee
        FROM wanted w
        JOIN entries e ON e.key IN ('allocation:' || w.id || w.ending, 'servicing-fee:' || w.id || w.ending)
        JOIN postings p ON p.entry = e.id GROUP BY w.id)
      SELECT 'obligation ' || o.id AS subject,
             format('it is %s; its run divides %s: fee %s, %s to %s lenders; there are %s to %s, posted are fee %s and %s',
                    o.state, coalesce(c.received, 0), coalesce(c.fee_applied, 0), coalesce(c.distributable, 0), coalesce(c.shares, 0),
                    coalesce(s.amount, 0), coalesce(s.shares, 0), coalesce(p.fee, 0), coalesce(p.allocated, 0)) AS detail
      FROM page o
      LEFT JOIN calculation_runs c ON c.obligation = o.id AND c.generation = o.generation
      LEFT JOIN shared s ON s.id = o.id
      LEFT JOIN posted p ON p.id = o.id
      WHERE (c.obligation IS NOT NULL) <> (o.state = 'DISPERSED')
         OR coalesce(c.distributable, 0) <> coalesce(s.amount, 0) OR coalesce(c.shares, 0) <> coalesce(s.shares, 0)
         OR coalesce(c.distributable, 0) <> coalesce(p.allocated, 0) OR coalesce(c.fee_applied, 0) <> coalesce(p.fee, 0)""",
)

ESCALATED_IS_IN_SUSPENSE: Final = Invariant(
    name="obligations-escalated-are-in-suspense",
    promise="What an ESCALATED obligation received went to suspense, once; no other has anything there.",
    walk=walk(OBLIGATIONS),
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH held AS (
        SELECT o.id, sum(b.debits - b.credits) AS amount
        FROM page o
        JOIN accounts a ON a.kind = 'suspense' AND a.owner = CAST(o.id AS text) AND a.currency = o.currency
        JOIN balances b ON b.account = a.id GROUP BY o.id),
      wanted AS (
        SELECT o.id, concat('suspense-escalation:', o.id, CASE WHEN o.generation > 1 THEN ':' || o.generation END) AS key FROM page o)
      SELECT 'obligation ' || o.id AS subject,
             format('it is %s, %s; %s of it is in suspense', o.state,
                    CASE WHEN e.id IS NULL THEN 'never escalated' ELSE 'escalated' END, coalesce(h.amount, 0)) AS detail
      FROM page o
      JOIN wanted w ON w.id = o.id
      LEFT JOIN entries e ON e.key = w.key
      LEFT JOIN held h ON h.id = o.id
      WHERE CASE WHEN o.state = 'ESCALATED' THEN e.id IS NULL OR coalesce(h.amount, 0) = 0 ELSE h.amount > 0 END""",
)

CASH_IS_ACCOUNTED_FOR: Final = Invariant(
    name="mortgage-cash-is-accounted-for",
    promise="The cash of a mortgage is what its obligations received and what nobody applied, less what lenders were paid and what is set "
    "apart; what we bear of that is there.",
    walk=Walk(
        page="""
    SELECT id AS at, id, external_id, CAST(id AS text) AS owner FROM mortgages
    WHERE id > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT :page"""
    ),
    finding=FindingKind.BOOKS_DRIFT,
    offences=f"""
      WITH held AS MATERIALIZED (
        SELECT m.id AS mortgage, a.id AS account, a.kind, a.currency, CASE a.normal WHEN 'D' THEN b.debits - b.credits ELSE b.credits - b.debits END AS minor
        FROM page m
        JOIN accounts a ON a.owner = m.owner AND a.kind IN ('trust_cash', 'unapplied_cash')
        JOIN balances b ON b.account = a.id),
      owed AS MATERIALIZED (
        SELECT o.mortgage, o.currency, o.id, j.received + g.given_back AS received FROM page m JOIN obligations o ON o.mortgage = m.id {JOURNAL}),
      -- What two people corrected is beside it: they say why.
      corrected AS (
        SELECT h.mortgage, h.currency, h.kind, x.minor
        FROM held h
        CROSS JOIN LATERAL (
          SELECT sum(CASE h.kind WHEN 'trust_cash' THEN p.debited - p.credited ELSE p.credited - p.debited END) AS minor
          FROM (
            SELECT q.entry, q.amount AS debited, 0 AS credited FROM postings q WHERE q.debit = h.account
            UNION ALL SELECT q.entry, 0, q.amount FROM postings q WHERE q.credit = h.account) p
          JOIN entries e ON e.id = p.entry
          LEFT JOIN entries c ON c.id = e.cause AND e.type = 'REVERSAL'
          WHERE coalesce(c.type, e.type) = 'CORRECTION') x
        WHERE EXISTS (SELECT FROM ledger_totals t WHERE t.type = 'CORRECTION')),
      -- Of an item what came out of the mortgage's cash, less what went back into it, or was written off: that we bear.
      apart AS (
        SELECT o.mortgage, o.currency,
               (SELECT coalesce(sum(p.amount), 0) FROM postings p JOIN entries e ON e.id = p.entry
                LEFT JOIN entries c ON c.id = e.cause AND e.type = 'REVERSAL'
                WHERE p.debit = s.id AND p.credit = h.account AND coalesce(c.type, e.type) <> 'CORRECTION')
               - (SELECT coalesce(sum(p.amount), 0) FROM postings p JOIN entries e ON e.id = p.entry JOIN accounts d ON d.id = p.debit
                  LEFT JOIN entries c ON c.id = e.cause AND e.type = 'REVERSAL'
                  WHERE p.credit = s.id AND (p.debit = h.account OR d.kind = 'write_off')
                    AND coalesce(c.type, e.type) <> 'CORRECTION') AS minor
        FROM owed o
        JOIN accounts s ON s.kind = 'suspense' AND s.owner = CAST(o.id AS text) AND s.currency = o.currency
        LEFT JOIN held h ON h.mortgage = o.mortgage AND h.currency = o.currency AND h.kind = 'trust_cash'),
      told AS (
        SELECT mortgage, currency, minor AS held, 0 AS received, 0 AS unapplied, 0 AS paid, 0 AS apart FROM held WHERE kind = 'trust_cash'
        UNION ALL SELECT mortgage, currency, 0, 0, minor, 0, 0 FROM held WHERE kind = 'unapplied_cash'
        UNION ALL SELECT mortgage, currency, CASE kind WHEN 'trust_cash' THEN -minor ELSE 0 END, 0, CASE kind WHEN 'trust_cash' THEN 0 ELSE -minor END, 0, 0
          FROM corrected
        UNION ALL SELECT mortgage, currency, 0, received, 0, 0, 0 FROM owed
        UNION ALL SELECT mortgage, currency, 0, 0, 0, 0, minor FROM apart
        UNION ALL SELECT o.mortgage, d.currency, 0, 0, 0, d.amount, 0 FROM owed o JOIN dispersals d ON d.obligation = o.id WHERE d.state = 'DISBURSED'),
      summed AS (
        SELECT mortgage, currency, sum(held) AS held, sum(received) AS received, sum(unapplied) AS unapplied, sum(paid) AS paid, sum(apart) AS apart
        FROM told GROUP BY mortgage, currency)
      SELECT concat_ws(' ', 'mortgage', s.mortgage, s.currency) AS subject,
             format('%s has %s of %s by the books; received are %s, unapplied %s, paid to lenders %s, set apart %s', m.external_id, s.held,
                    s.currency, s.received, s.unapplied, s.paid, s.apart) AS detail
      FROM summed s JOIN page m ON m.id = s.mortgage
      WHERE s.held <> s.received + s.unapplied - s.paid - s.apart""",
)

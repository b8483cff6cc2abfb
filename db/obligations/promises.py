"""What obligations promise beyond their machine: states and books agree, and what was divided is whole."""

from typing import Final

from db.aggregates import walk
from db.invariant import Invariant
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

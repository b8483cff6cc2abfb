"""Payouts and the books: each state has the entries, the seal and the earnings that lead to it."""

from typing import Final

from db import aggregates
from db.invariant import Invariant
from db.walks import CURRENCIES
from domain.findings import FindingKind
from domain.payouts import PAYOUTS

WALK: Final = aggregates.walk(PAYOUTS)

STATE_HAS_ITS_ENTRIES: Final = Invariant(
    name="state-has-its-entries",
    promise="Every payout's entries are those of its state: as many submissions and put-backs, one end or none.",
    walk=WALK,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH asked AS MATERIALIZED (
        SELECT p.id, p.state, p.generation, coalesce(e.put_backs, 0) AS put_backs,
               p.source <> 'import' AS made, p.tds_deducted,
               -- What another system did of it is no entry here, and counts as done: up to the state it was taken over in.
               t.generation AS taken_over, t.state AS found, t.generation = p.generation AS is_newest
        FROM page p LEFT JOIN effects e ON e.key = p.effect_key LEFT JOIN takeovers t ON t.payout = p.id),
      -- Each key such an entry would have, one more of each than there may be.
      possible AS (
        SELECT a.id, 'ended' AS kind, concat_ws(':', 'payout', a.id, a.generation, s.short) AS key, s.short
        FROM asked a CROSS JOIN (VALUES ('completed'), ('failed'), ('paid_late'), ('reversed')) s (short)
        UNION ALL
        SELECT a.id, 'submitted', concat_ws(':', 'payout', a.id, a.generation, 'submitted', nullif(n, 0)), 'submitted'
        FROM asked a CROSS JOIN LATERAL generate_series(0, a.put_backs + 1) n
        UNION ALL
        SELECT a.id, 'put_back', concat_ws(':', 'payout', a.id, a.generation, 'put_back', n), 'put_back'
        FROM asked a CROSS JOIN LATERAL generate_series(1, a.put_backs + 1) n
        UNION ALL
        SELECT a.id, 'earlier', concat_ws(':', 'payout', a.id, n, 'failed'), 'earlier'
        FROM asked a CROSS JOIN LATERAL generate_series(1, a.generation - 1) n
        UNION ALL
        SELECT a.id, 'imported', concat_ws(':', 'payout', a.id, 1, 'imported'), 'imported' FROM asked a
        UNION ALL
        SELECT a.id, 'opened', concat_ws(':', 'payout', a.id, a.taken_over, 'opened'), 'opened' FROM asked a),
      counted AS (
        SELECT x.id,
               count(*) FILTER (WHERE x.short = 'submitted') AS submitted,
               count(*) FILTER (WHERE x.short = 'put_back') AS put_back,
               count(*) FILTER (WHERE x.short = 'completed') AS completed,
               count(*) FILTER (WHERE x.short = 'failed') AS failed,
               count(*) FILTER (WHERE x.short = 'paid_late') AS paid_late,
               count(*) FILTER (WHERE x.short = 'reversed') AS reversed,
               count(*) FILTER (WHERE x.short = 'earlier') AS earlier,
               count(*) FILTER (WHERE x.short = 'imported') AS imported,
               count(*) FILTER (WHERE x.short = 'opened') AS opened
        FROM possible x JOIN entries n ON n.key = x.key GROUP BY x.id),
      judged AS (
        SELECT a.*, coalesce(c.submitted, 0) + coalesce(f.open, 0) AS submitted, coalesce(c.put_back, 0) AS put_back,
               coalesce(c.completed, 0) + coalesce(f.completed, 0) AS completed, coalesce(c.failed, 0) + coalesce(f.failed, 0) AS failed,
               coalesce(c.paid_late, 0) AS paid_late, coalesce(c.reversed, 0) + coalesce(f.reversed, 0) AS reversed,
               coalesce(c.earlier, 0) + coalesce(a.taken_over - CASE WHEN a.found = 'FAILED' AND NOT a.is_newest THEN 0 ELSE 1 END, 0) AS earlier,
               coalesce(c.imported, 0) AS imported, coalesce(c.opened, 0) AS opened
        FROM asked a LEFT JOIN counted c ON c.id = a.id
        LEFT JOIN (VALUES ('PROCESSING', 1, 0, 0, 0), ('COMPLETED', 1, 1, 0, 0), ('FAILED', 1, 0, 1, 0), ('CANCELLED', 1, 0, 1, 0),
                          ('REVERSED', 1, 1, 0, 1)) f (state, open, completed, failed, reversed)
          ON f.state = a.found AND a.is_newest)
      SELECT 'payout ' || j.id AS subject,
             format('%s of generation %s, put back %s times: entries imported %s, opened %s, submitted %s, put_back %s, completed %s, '
                    'failed %s, paid_late %s, reversed %s, failed before %s', j.state, j.generation, j.put_backs, j.imported, j.opened, j.submitted,
                    j.put_back, j.completed, j.failed, j.paid_late, j.reversed, j.earlier) AS detail
      FROM judged j
      -- What was owed less than approved failed without a send: only payouts that a batch made can.
      WHERE j.earlier > j.generation - 1 OR j.earlier < j.generation - 1 AND NOT j.made
         OR j.imported <> CASE WHEN j.made OR j.found IS NOT NULL THEN 0 ELSE 1 END
         OR j.opened <> CASE
              WHEN j.found = 'PROCESSING' OR j.found = 'COMPLETED' AND j.tds_deducted > 0 THEN 1
              WHEN j.found IN ('PENDING', 'APPROVED', 'FAILED') AND NOT j.made THEN 1
              ELSE 0 END
         OR j.put_back <> j.put_backs
         OR (j.submitted - j.put_backs, j.completed, j.failed, j.paid_late, j.reversed) NOT IN (
              SELECT f.open, f.completed, f.failed, f.paid_late, f.reversed
              FROM (VALUES ('PENDING', 0, 0, 0, 0, 0), ('APPROVED', 0, 0, 0, 0, 0), ('PROCESSING', 1, 0, 0, 0, 0),
                           ('COMPLETED', 1, 1, 0, 0, 0), ('FAILED', 1, 0, 1, 0, 0),
                           ('REVERSED', 1, 1, 0, 0, 1),
                           -- Withdrawn before a send, or cancelled at the provider.
                           ('CANCELLED', 0, 0, 0, 0, 0), ('CANCELLED', 1, 0, 1, 0, 0),
                           -- Paid after it had failed or been cancelled.
                           ('COMPLETED', 1, 0, 1, 1, 0), ('REVERSED', 1, 0, 1, 1, 1))
                   f (state, open, completed, failed, paid_late, reversed)
              WHERE f.state = j.state
              UNION ALL SELECT 0, 0, 0, 0, 0 WHERE j.state = 'FAILED' AND j.made)""",
)

SEAL_FITS: Final = Invariant(
    name="seal-fits",
    promise="No payout that may be sent was changed after its approval: amount, beneficiary and key fit its seal.",
    walk=WALK,
    finding=FindingKind.PAYOUT_CHANGED_AFTER_APPROVAL,
    offences="""
      SELECT 'payout ' || p.id AS subject, 'amount, beneficiary or key do not fit the seal of its approval' AS detail
      FROM page k JOIN payouts p ON p.id = k.id
      WHERE p.state IN ('APPROVED', 'PROCESSING')
        AND (p.effect_key IS DISTINCT FROM effect_key('payout.submit', p.id, p.generation)
             OR p.approval_seal IS DISTINCT FROM payout_seal(p, p.generation, p.effect_key))""",
)

EARNINGS_ARE_LIVE_ONCE: Final = Invariant(
    name="earnings-link-to-live-payouts",
    promise="An earning is held only by a payout that pays it: one that ended unpaid holds none.",
    walk=WALK,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'payout ' || p.id AS subject, format('it is %s and still holds earning %s', p.state, l.earning) AS detail
      FROM page p JOIN payout_earnings l ON l.payout = p.id
      WHERE l.live AND p.state IN ('FAILED', 'CANCELLED', 'REVERSED')""",
)

IN_TRANSIT_IS_PROCESSING: Final = Invariant(
    name="in-transit-is-processing",
    promise="In each currency what is in transit is the sum of the payouts that are PROCESSING, less what was kept back of them.",
    walk=CURRENCIES,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      -- Whatever is PROCESSING has a work row (work-fits-state): no reading through history here.
      SELECT 'currency ' || c.currency AS subject,
             format('in transit %s, payouts PROCESSING %s', coalesce(b.balance, 0), coalesce(p.amount, 0)) AS detail
      FROM page c
      LEFT JOIN (
        SELECT a.currency, sum(b.credits - b.debits) AS balance FROM accounts a JOIN balances b ON b.account = a.id
        WHERE a.kind = 'payouts_in_transit' GROUP BY a.currency) b ON b.currency = c.currency
      LEFT JOIN (
        SELECT p.currency, sum(p.amount - p.recovered) AS amount FROM payouts p
        WHERE p.state = 'PROCESSING' AND p.id IN (SELECT w.subject FROM work w WHERE w.job LIKE 'payouts.%')
        GROUP BY p.currency) p ON p.currency = c.currency
      WHERE coalesce(b.balance, 0) <> coalesce(p.amount, 0)""",
)

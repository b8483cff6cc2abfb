"""What refunds promise beyond their machine: never more than was paid, each in the books once, what they wait for."""

from typing import Final

from db.aggregates import walk
from db.invariant import Invariant
from domain.findings import FindingKind
from domain.payments import PAYMENTS
from domain.refunds import REFUNDS

NO_MORE_THAN_PAID: Final = Invariant(
    name="refunds-no-more-than-paid",
    promise="Of every leg of a payment its live refunds take exactly what it counts as given back, never more than it paid, "
    "and nothing of what an orphan's checkout gave back when it ended.",
    walk=walk(PAYMENTS),
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH live AS (
        SELECT r.payment, sum(r.gateway) AS gateway, sum(r.wallet) AS wallet, sum(r.referral_credit) AS referral_credit
        FROM page p JOIN refunds r ON r.payment = p.id
        -- What is given again was taken from its leg before.
        WHERE r.state NOT IN ('FAILED', 'REJECTED') AND r.origin <> 'again' GROUP BY r.payment)
      SELECT 'payment ' || p.id AS subject,
             format('its %s leg of %s counts %s as given back, its refunds take %s; its checkout gave it back itself: %s', l.kind, l.amount,
                    l.given_back, t.taken, is_owed_to_nobody(l, y)) AS detail
      FROM page p JOIN payments y ON y.id = p.id JOIN payment_legs l ON l.payment = p.id LEFT JOIN live v ON v.payment = p.id
      CROSS JOIN LATERAL (
        SELECT coalesce(CASE l.kind WHEN 'gateway' THEN v.gateway WHEN 'wallet' THEN v.wallet ELSE v.referral_credit END, 0) AS taken) t
      WHERE l.given_back <> t.taken OR l.given_back > l.amount OR is_owed_to_nobody(l, y)""",
)

GIVEN_BACK_WHOLE: Final = Invariant(
    name="payments-given-back-whole",
    promise="A payment is marked as given back exactly when refunds in the books are all that can be given back of it.",
    walk=walk(PAYMENTS),
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH done AS (
        SELECT r.payment, sum(r.amount) AS amount FROM page p JOIN refunds r ON r.payment = p.id
        WHERE r.state = 'CASCADED' AND r.origin <> 'again' GROUP BY r.payment)
      SELECT 'payment ' || p.id AS subject,
             format('marked: %s; %s of %s are in the books as given back', p.given_back, coalesce(d.amount, 0), refundable(y)) AS detail
      FROM page p JOIN payments y ON y.id = p.id LEFT JOIN done d ON d.payment = p.id
      WHERE p.given_back <> (coalesce(d.amount, 0) >= greatest(refundable(y), 1))""",
)

IN_THE_BOOKS_ONCE: Final = Invariant(
    name="refunds-are-in-the-books",
    promise="Every refund that is CASCADED has one entry, of its amount and of each of its legs; no other refund has one.",
    walk=walk(REFUNDS),
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH booked AS (
        SELECT r.id, e.id AS entry, sum(p.amount) AS amount,
               coalesce(sum(p.amount) FILTER (WHERE c.kind = 'gateway_clearing'), 0) AS gateway,
               coalesce(sum(p.amount) FILTER (WHERE c.kind = 'wallet'), 0) AS wallet,
               coalesce(sum(p.amount) FILTER (WHERE c.kind = 'referral_credit'), 0) AS referral_credit,
               coalesce(sum(p.amount) FILTER (WHERE d.kind IN ('payee_payable', 'payee_receivable')), 0) AS part
        FROM page r JOIN entries e ON e.key = 'refund:' || r.id JOIN postings p ON p.entry = e.id
        JOIN accounts c ON c.id = p.credit JOIN accounts d ON d.id = p.debit GROUP BY r.id, e.id)
      SELECT 'refund ' || r.id AS subject,
             format('%s of %s: gateway %s, wallet %s, credit %s, payee %s; its entry has %s, %s, %s, %s', r.state, r.amount, r.gateway,
                    r.wallet, r.referral_credit, r.payee_part, b.gateway, b.wallet, b.referral_credit, b.part) AS detail
      FROM page r LEFT JOIN booked b ON b.id = r.id
      WHERE CASE WHEN r.state = 'CASCADED'
                 THEN (r.amount, r.gateway, r.wallet, r.referral_credit, r.payee_part)
                      IS DISTINCT FROM (b.amount, b.gateway, b.wallet, b.referral_credit, b.part)
                 ELSE b.entry IS NOT NULL OR r.payee_part IS NOT NULL END""",
)

RECORDED: Final = Invariant(
    name="refunds-are-recorded",
    promise="Every refund in the books that credited a wallet has one record of it, with the owner of the account that was credited; "
    "and one of what its payee owes back.",
    walk=walk(REFUNDS),
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH told AS (
        SELECT r.id, w.amount AS wallet, c.amount AS clawback, coalesce(CAST(w.owner AS text) = a.owner, true) AS is_theirs
        FROM page r
        LEFT JOIN refund_records w ON w.refund = r.id AND w.action = 'wallet_refund'
        LEFT JOIN accounts a ON a.id = w.account
        LEFT JOIN refund_records c ON c.refund = r.id AND c.action = 'payout_clawback'),
      owed AS (
        SELECT r.id, sum(p.amount) AS amount FROM page r JOIN entries e ON e.key = 'refund:' || r.id JOIN postings p ON p.entry = e.id
        JOIN accounts d ON d.id = p.debit AND d.kind = 'payee_receivable' GROUP BY r.id)
      SELECT 'refund ' || r.id AS subject,
             format('%s, wallet %s, recorded %s, its owner''s: %s; owed back %s, recorded %s', r.state, r.wallet, t.wallet, t.is_theirs,
                    o.amount, t.clawback) AS detail
      FROM page r JOIN told t ON t.id = r.id LEFT JOIN owed o ON o.id = r.id
      WHERE NOT t.is_theirs OR o.amount IS DISTINCT FROM t.clawback
         OR t.wallet IS DISTINCT FROM CASE WHEN r.state = 'CASCADED' AND r.wallet > 0 THEN r.wallet END""",
)

EARNINGS_FOLLOW: Final = Invariant(
    name="refunds-reduce-earnings",
    promise="Of the earning of a payment no less was given back than its refunds in the books took from its payee.",
    walk=walk(PAYMENTS),
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH taken AS (
        SELECT r.payment, sum(r.payee_part) AS part FROM page p JOIN refunds r ON r.payment = p.id
        WHERE r.payee_part IS NOT NULL GROUP BY r.payment)
      SELECT 'payment ' || p.id AS subject,
             format('its refunds took %s from its payee; of the earning %s were given back', t.part, e.refunded) AS detail
      FROM page p JOIN taken t ON t.payment = p.id LEFT JOIN earnings e ON e.id = p.id
      WHERE coalesce(e.refunded, 0) < t.part""",
)

WORK_FITS_STATE: Final = Invariant(
    name="refunds-work-fits-state",
    promise="Every refund has exactly the one work row that its state and its newest effect call for, or none.",
    walk=walk(REFUNDS),
    finding=FindingKind.WORK_MISSING,
    offences="""
      WITH waiting AS (
        SELECT w.subject, string_agg(w.job, ', ' ORDER BY w.job) AS jobs FROM page p JOIN work w ON w.subject = p.id GROUP BY w.subject)
      SELECT 'refund ' || p.id AS subject,
             format('%s with its effect %s calls for %s, there is %s', p.state, coalesce(e.state, 'not begun'),
                    coalesce(c.job, d.job, 'nothing'), coalesce(w.jobs, 'nothing')) AS detail
      FROM page p
      LEFT JOIN effects e ON e.key = p.effect_key
      LEFT JOIN called_work c ON c.kind = 'refund' AND c.state = p.state AND c.outcome = coalesce(e.state, '')
      -- A state listed without outcomes calls for the same whatever its effect says.
      LEFT JOIN called_work d ON d.kind = 'refund' AND d.state = p.state AND d.outcome = '' AND NOT EXISTS (
        SELECT FROM called_work o WHERE o.kind = 'refund' AND o.state = p.state AND o.outcome <> '')
      LEFT JOIN waiting w ON w.subject = p.id
      WHERE coalesce(c.job, d.job) IS DISTINCT FROM w.jobs
        -- What was being sent as its worker died is asked about first.
        AND NOT (p.state = 'PROCESSING' AND e.state = 'intended' AND w.jobs = 'refunds.recover')""",
)

STATE_FITS_EFFECT: Final = Invariant(
    name="refunds-state-fits-effect",
    promise="What the gateway gave back was asked of it and named by it; nothing is under way that nobody asked for.",
    walk=walk(REFUNDS),
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'refund ' || p.id AS subject,
             format('it is %s, its effect is %s, the gateway calls it %s', p.state, coalesce(e.state, 'none'), coalesce(p.given_as, 'nothing')) AS detail
      FROM page p LEFT JOIN effects e ON e.key = p.effect_key
      WHERE p.gateway > 0 AND CASE
        WHEN p.state = 'PROCESSING' THEN coalesce(e.state, '') NOT IN ('intended', 'unknown', 'accepted')
        WHEN p.state IN ('SUCCEEDED', 'CASCADED') THEN p.given_as IS NULL OR p.origin IN ('asked', 'orphan', 'again') AND e.state IS DISTINCT FROM 'accepted'
        ELSE false END""",
)

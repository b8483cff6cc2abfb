"""Payouts and the outside: work and effects are what the state says."""

from typing import Final

from db.invariant import Invariant
from db.payouts.promises import WALK
from domain.findings import FindingKind

WORK_FITS_STATE: Final = Invariant(
    name="work-fits-state",
    promise="Every payout has exactly the one work row that its state and newest effect call for, or none.",
    walk=WALK,
    finding=FindingKind.WORK_MISSING,
    offences="""
      WITH called AS (
        SELECT p.id, p.state, p.completed_at, p.payee_kind, e.state AS outcome, c.state IS NOT NULL AS fits, c.job
        FROM page p
        LEFT JOIN effects e ON e.key = p.effect_key
        -- A state listed with no outcome alone calls for the same whatever its effect says.
        LEFT JOIN called_work c ON c.kind = 'payout' AND c.state = p.state AND c.variant IN ('', p.payee_kind) AND c.outcome = CASE
          WHEN EXISTS (SELECT FROM called_work l WHERE l.kind = 'payout' AND l.state = p.state AND l.outcome <> '')
          THEN coalesce(e.state, '') ELSE '' END),
      waiting AS (
        SELECT w.subject, count(*) AS rows, string_agg(w.job, ', ' ORDER BY w.job) AS jobs,
               bool_or(w.parked_reason IS NOT NULL) AS parked
        FROM page p JOIN work w ON w.subject = p.id GROUP BY w.subject),
      judged AS (
        SELECT c.*, w.jobs, CASE
          WHEN w.rows > 1 THEN 'it waits for more than one job'
          -- Parked: a person looks at it already, whatever job it was parked by.
          WHEN w.parked AND c.job IS NOT NULL THEN NULL
          WHEN NOT c.fits AND NOT coalesce(w.parked, false) THEN 'its state and its effect do not fit'
          WHEN c.fits AND c.job IS NULL AND w.rows > 0 THEN 'its state calls for no work'
          -- After the days in which a reversal may come nothing waits any more; until then it must.
          WHEN c.job IS NOT NULL AND w.rows IS NULL
            AND NOT (c.state = 'COMPLETED' AND c.completed_at < clock_timestamp() - interval '5 days')
            THEN 'it waits for nothing'
          -- A claim that ended with its key too old, or too often, is looked up instead of sent.
          WHEN c.state = 'PROCESSING' AND c.outcome = 'intended' AND w.jobs = 'payouts.recover' THEN NULL
          WHEN c.job IS NOT NULL AND w.jobs <> c.job THEN 'it waits for another job' END AS wrong
        FROM called c LEFT JOIN waiting w ON w.subject = c.id)
      SELECT 'payout ' || j.id AS subject,
             format('%s: state %s, effect %s, payee a %s call for %s, there is %s', j.wrong, j.state, coalesce(j.outcome, 'none'), j.payee_kind,
                    coalesce(j.job, 'nothing'), coalesce(j.jobs, 'nothing')) AS detail
      FROM judged j WHERE j.wrong IS NOT NULL""",
)

SENDS_ARE_COUNTED: Final = Invariant(
    name="sends-are-counted",
    promise="A payout is PROCESSING only with an effect that a claim may have sent, or that was released unsent.",
    walk=WALK,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'payout ' || p.id AS subject,
             CASE WHEN e.key IS NULL THEN 'it is PROCESSING without an effect'
                  ELSE 'it is leased with no send counted' END AS detail
      FROM page p LEFT JOIN effects e ON e.key = p.effect_key
      WHERE p.state = 'PROCESSING' AND (e.key IS NULL
        OR e.sends < 1 AND EXISTS (SELECT FROM work w WHERE w.subject = p.id AND w.token IS NOT NULL))""",
)

COMPLETED_WAS_ACCEPTED: Final = Invariant(
    name="completed-was-accepted",
    promise="What was paid was accepted by its provider, under the provider's own id.",
    walk=WALK,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'payout ' || p.id AS subject, format('it is %s, its effect is %s', p.state, coalesce(e.state, 'none')) AS detail
      FROM page p LEFT JOIN effects e ON e.key = p.effect_key
      WHERE p.state IN ('COMPLETED', 'REVERSED') AND e.state IS DISTINCT FROM 'accepted'""",
)

REJECTED_IS_NOT_PROCESSING: Final = Invariant(
    name="rejected-is-not-processing",
    promise="What its provider refused is not waiting for it any more.",
    walk=WALK,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'payout ' || p.id AS subject, format('it is %s, its effect was rejected', p.state) AS detail
      FROM page p JOIN effects e ON e.key = p.effect_key
      WHERE e.state = 'rejected' AND p.state IN ('APPROVED', 'PROCESSING')""",
)

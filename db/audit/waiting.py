"""Work: what waits is exactly what the states call for."""

from typing import Final

from db.audit import walks
from db.audit.invariant import Invariant
from domain.findings import FindingKind

WORK_FITS_STATE: Final = Invariant(
    name="work-fits-state",
    promise="Every payout has exactly the one work row that its state and newest effect call for, or none.",
    walk=walks.PAYOUTS,
    finding=FindingKind.WORK_MISSING,
    offences="""
      WITH called AS (
        SELECT p.id, p.state, p.completed_at, e.state AS outcome, c.state IS NOT NULL AS fits, c.job
        FROM page p
        LEFT JOIN effects e ON e.key = p.effect_key
        -- A state listed with no outcome alone calls for the same whatever its effect says.
        LEFT JOIN called_work c ON c.kind = 'payout' AND c.state = p.state AND c.outcome = CASE
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
             format('%s: state %s, effect %s call for %s, there is %s', j.wrong, j.state, coalesce(j.outcome, 'none'),
                    coalesce(j.job, 'nothing'), coalesce(j.jobs, 'nothing')) AS detail
      FROM judged j WHERE j.wrong IS NOT NULL""",
)

WORK_HAS_A_SUBJECT: Final = Invariant(
    name="work-has-a-subject",
    promise="Every work row is about something that exists.",
    walk=walks.WORK,
    finding=FindingKind.WORK_MISSING,
    offences="""
      SELECT concat_ws(' ', 'work', w.job, w.subject) AS subject, 'no such payout' AS detail
      FROM page w WHERE w.job LIKE 'payouts.%' AND NOT EXISTS (SELECT FROM payouts p WHERE p.id = w.subject)""",
)

RUNNING_IS_LEASED: Final = Invariant(
    name="running-is-leased",
    promise="Every run that is running is held under its lease.",
    walk=walks.RUNNING,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT concat_ws(' ', 'run', r.id) AS subject, format('%s runs since %s under no lease', r.job, r.started_at) AS detail
      FROM page r WHERE NOT EXISTS (SELECT FROM leases l WHERE l.name = concat_ws(':', 'run', r.id))""",
)

TICKS_HAVE_THEIR_RUN: Final = Invariant(
    name="ticks-have-their-run",
    promise="Every tick that became a run has it, for as long as ended runs are kept.",
    walk=walks.TICKS,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'tick ' || t.at AS subject, format('run %s does not exist', t.run) AS detail
      FROM page t
      -- A run is pruned 90 days after its end, which is after its tick was recorded.
      WHERE t.outcome = 'run' AND t.recorded_at > clock_timestamp() - interval '90 days'
        AND NOT EXISTS (SELECT FROM runs r WHERE r.id = t.run)""",
)

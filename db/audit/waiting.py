"""Work: what waits is exactly what the states call for."""

from typing import Final

from db import aggregates, walks
from db.invariant import Invariant
from domain.families import AGGREGATES
from domain.findings import FindingKind

WORK_HAS_A_SUBJECT: Final = Invariant(
    name="work-has-a-subject",
    promise="Every work row is about something that exists.",
    walk=walks.WORK,
    finding=FindingKind.WORK_MISSING,
    offences=aggregates.work_without_subject(AGGREGATES),
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

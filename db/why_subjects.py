"""The facts behind `bursar why KIND ID` for every aggregate: its state, its last move, what it waits for."""

from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from db.why import AHEAD_MAX, around, place_of
from domain.errors import NotFoundError
from domain.machines import Machine
from domain.why_subjects import SubjectFacts


def subject(tx: Tx, machine: Machine, id_: UUID) -> SubjectFacts:
    """The facts about one subject. Raises `NotFoundError`."""
    row = tx.row(_statement(machine), id=id_, kind=machine.kind, most=AHEAD_MAX)
    if row is None:
        raise NotFoundError(f"there is no {machine.kind} {id_}")
    return SubjectFacts(
        kind=machine.kind,
        id=str(row.id),
        state=row.state,
        awaited=None if (call := machine.call_for(row.state, None)) is None else call.job,
        last_move=row.last_move,
        findings=tuple(row.findings),
        place=place_of(row) if row.job else None,
        around=around(tx, row.job or ""),
    )


def _statement(machine: Machine) -> sa.TextClause:
    return sa.text(f"""
    SELECT s.id, s.state, m.source || ' -> ' || m.target || ' by ' || m.actor || coalesce(': ' || m.reason, '') AS last_move,
           ARRAY(SELECT f.severity || ' ' || f.kind || ': ' || f.detail FROM findings f
                 WHERE f.resolved_at IS NULL AND f.subject = :kind || ' ' || s.id ORDER BY f.severity LIMIT 10) AS findings,
           w.job, NULLIF(w.due_at, 'infinity') AS due_at, w.holder, w.leased_until, w.parked_reason, w.last_error, w.tries,
           w.leased_until > clock_timestamp() AS is_leased, w.due_at > clock_timestamp() AS is_later,
           (SELECT count(*) FROM (
              SELECT FROM work o WHERE o.job = w.job AND coalesce(o.leased_until, o.due_at) < w.due_at LIMIT :most) a) AS ahead
    FROM {machine.table} s
    LEFT JOIN work w ON w.subject = s.id
    LEFT JOIN LATERAL (SELECT * FROM moves WHERE subject = s.id AND kind = :kind ORDER BY at DESC LIMIT 1) m ON true
    WHERE s.id = :id""")

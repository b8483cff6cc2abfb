"""What follows from a machine alone: how its table is gone through, and the promises every aggregate keeps.

The table of an aggregate has at least `id uuid`, `state text`, `created_at` and `updated_at`.
"""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from db.invariant import Invariant, Walk
from db.tx import Tx
from domain.findings import FindingKind
from domain.machines import Machine


def states_of(tx: Tx, machine: Machine, subjects: Sequence[UUID]) -> dict[UUID, str]:
    """Where each of `subjects` is; those that there are."""
    if not subjects:
        return {}
    statement = sa.text(
        f"SELECT id, state FROM {machine.table} WHERE id = ANY(CAST(:ids AS uuid[]))"
    )
    return {row.id: row.state for row in tx.rows(statement, ids=list(subjects))}


def walk(machine: Machine) -> Walk:
    """All rows of its table, in the order of their ids."""
    return Walk(
        page=f"""
    SELECT id AS at, p.* FROM {machine.table} p
    WHERE id > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT :page"""
    )


def promises(machine: Machine) -> tuple[Invariant, ...]:
    """What every aggregate promises whose work depends on its state alone."""
    return (last_move_is_the_state(machine), _work_fits_state(machine))


def last_move_is_the_state(machine: Machine, name: str | None = None) -> Invariant:
    """Whoever wrote the state wrote its history."""
    kind, initial = machine.kind, _listed(machine.initial)
    return Invariant(
        name=name or f"{machine.table}-last-move-is-the-state",
        promise=f"Every {kind}'s state is where its last recorded move led; one without a move is new.",
        walk=walk(machine),
        finding=FindingKind.INVARIANT_BROKEN,
        offences=f"""
      SELECT '{kind} ' || p.id AS subject, format('it is %s, its last move led to %s', p.state, coalesce(m.target, 'none')) AS detail
      FROM page p
      LEFT JOIN LATERAL (
        SELECT m.target FROM moves m WHERE m.subject = p.id AND m.kind = '{kind}' ORDER BY m.at DESC LIMIT 1) m ON true
      WHERE CASE WHEN m.target IS NULL THEN p.state NOT IN ({initial}) ELSE m.target <> p.state END""",
    )


def _work_fits_state(machine: Machine) -> Invariant:
    kind = machine.kind
    return Invariant(
        name=f"{machine.table}-work-fits-state",
        promise=f"Every {kind} has exactly the one work row that its state calls for, or none.",
        walk=walk(machine),
        finding=FindingKind.WORK_MISSING,
        offences=f"""
      WITH waiting AS (
        SELECT w.subject, string_agg(w.job, ', ' ORDER BY w.job) AS jobs FROM page p JOIN work w ON w.subject = p.id
        GROUP BY w.subject)
      SELECT '{kind} ' || p.id AS subject,
             format('%s calls for %s, there is %s', p.state, coalesce(c.job, 'nothing'), coalesce(w.jobs, 'nothing')) AS detail
      FROM page p
      LEFT JOIN called_work c ON c.kind = '{kind}' AND c.state = p.state AND c.outcome = ''
      LEFT JOIN waiting w ON w.subject = p.id
      WHERE c.job IS DISTINCT FROM w.jobs""",
    )


def work_without_subject(machines: Sequence[Machine]) -> str:
    """Offences of work (the page) whose subject is not in the table its job works on."""
    return " UNION ALL ".join(
        f"""
      SELECT concat_ws(' ', 'work', w.job, w.subject) AS subject, 'no such {machine.kind}' AS detail
      FROM page w WHERE w.job IN ({_listed(machine.jobs)})
        AND NOT EXISTS (SELECT FROM {machine.table} p WHERE p.id = w.subject)"""
        for machine in machines
        if machine.jobs
    )


def _listed(words: frozenset[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))

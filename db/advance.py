"""From one state to the next, as the machine has it: the move, and the work the new state calls for.

For aggregates whose work depends on their state alone. A chore is `claim`, `advance`, and done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import transitions
from db.aggregates import states_of
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import Next
from domain.machines import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move for a set of held subjects; `delay` is how long its work then waits."""

    source: str
    target: str
    delay: timedelta = timedelta(0)
    delays: Mapping[UUID, timedelta] = field(default_factory=dict)
    """Of those that wait for another time than the others."""
    reason: str | None = None
    words: Mapping[UUID, str] | None = None
    """What came of each subject, where the machine `says` it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """What became of the subjects: those that moved, and those that had been moved by others."""

    moved: list[UUID]
    lost: list[UUID]


def advance(tx: LeasedTx, machine: Machine, subjects: Sequence[UUID], step: Step) -> Advanced:
    """Move held subjects, and hand their work to the job that their state waits for.

    Subjects that are elsewhere are handed over by where they are, never just dropped.
    """
    moved = transitions.move(
        tx,
        machine,
        subjects,
        source=step.source,
        target=step.target,
        reason=step.reason,
        words=step.words,
    )
    lost = sorted(set(subjects) - set(moved))
    follows = _waits_for(machine, step.target)
    nexts = [
        Next(subject=subject, job=follows, delay=step.delays.get(subject, step.delay))
        for subject in moved
    ]
    where = states_of(tx, machine, lost)
    nexts += [Next(subject=s, job=_waits_for(machine, where.get(s))) for s in lost]
    tx.settle(nexts)
    return Advanced(moved=moved, lost=lost)


def begin(tx: Tx, machine: Machine, state: str, due: Mapping[UUID, datetime]) -> None:
    """Insert the work that new subjects in `state` wait for, in the transaction that made them."""
    if (job := _waits_for(machine, state)) is not None and due:
        tx.run(_BEGIN, job=job, subjects=list(due), dues=list(due.values()))


_BEGIN: Final = sa.text("""
    INSERT INTO work (job, subject, due_at)
    SELECT :job, subject, due FROM unnest(CAST(:subjects AS uuid[]), CAST(:dues AS timestamptz[])) AS n (subject, due)""")


def _waits_for(machine: Machine, state: str | None) -> str | None:
    call = None if state is None else machine.call_for(state, None)
    return None if call is None else call.job

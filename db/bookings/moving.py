"""Moves within an operation: a set changes its state, and its work becomes that of the new one."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from db import transitions
from db.advance import begin
from db.clock import now
from db.transitions import LeasedTx
from db.work import Next
from domain.machines import Machine

ThingT = TypeVar("ThingT")


def shift(
    tx: LeasedTx,
    machine: Machine,
    states: Mapping[UUID, str],
    target: str,
    *,
    reason: str | None = None,
    due: Mapping[UUID, datetime] | None = None,
) -> None:
    """Move subjects, each from the state its row is in, which this transaction has locked.

    `due` is when the work of `target` is due, at once unless it says so. Raises `AssertionError` where
    a subject is elsewhere: somebody wrote it without its lock.
    """
    for source in sorted(set(states.values())):
        subjects = [subject for subject, state in states.items() if state == source]
        moved = transitions.move(tx, machine, subjects, source=source, target=target, reason=reason)
        if len(moved) != len(subjects):
            raise AssertionError(f"a locked {machine.kind} is not {source}")
    _wait(tx, machine, list(states), target, due or {})


def _wait(
    tx: LeasedTx,
    machine: Machine,
    subjects: Sequence[UUID],
    target: str,
    due: Mapping[UUID, datetime],
) -> None:
    call = machine.call_for(target, None)
    job = None if call is None else call.job
    held = [subject for subject in subjects if subject in tx.held]
    if job is None:
        tx.settle([Next(subject=subject, job=None) for subject in held])
        return
    at = now(tx)
    tx.settle(
        [Next(subject=s, job=job, delay=max(timedelta(0), due.get(s, at) - at)) for s in held]
    )
    begin(tx, machine, target, {s: due.get(s, at) for s in subjects if s not in tx.held})

"""Proposals: actions that move or free money, written down by one person and approved by another."""

import json
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from db.tx import Row, Rows, Tx
from domain.errors import NotFoundError, RefusedError
from domain.listings import ProposalState

_PROPOSE: Final = sa.text("""
    INSERT INTO proposals (action, subject, arguments, proposed_by, why)
    VALUES (:action, :subject, CAST(:arguments AS jsonb), :by, :why)
    ON CONFLICT (action, subject) WHERE approved_at IS NULL AND withdrawn_at IS NULL DO NOTHING
    RETURNING id""")


def propose(
    tx: Tx, action: str, subject: str, arguments: Mapping[str, Any], *, by: str, why: str
) -> int:
    """Write an action down for a second person; returns its number.

    Raises `RefusedError` while the same action on the same thing waits already.
    """
    made: int | None = tx.scalar(
        _PROPOSE,
        action=action,
        subject=subject,
        arguments=json.dumps(dict(arguments)),
        by=by,
        why=why,
    )
    if made is None:
        waiting = tx.scalar(_WAITING, action=action, subject=subject)
        raise RefusedError(
            f"{action} of {subject} is proposed already, as number {waiting}: approve or withdraw it"
        )
    return made


_WAITING: Final = sa.text("""
    SELECT id FROM proposals
    WHERE action = :action AND subject = :subject AND approved_at IS NULL AND withdrawn_at IS NULL""")

_APPROVE: Final = sa.text("""
    UPDATE proposals SET approved_by = :by, approved_at = clock_timestamp()
    WHERE id = :id AND approved_at IS NULL AND withdrawn_at IS NULL AND proposed_by <> :by
    RETURNING *""")


def approve(tx: Tx, number: int, *, by: str) -> Row:
    """Approve a waiting proposal; the action is to be carried out in this very transaction.

    Raises `NotFoundError`, or `RefusedError` where it waits no more or `by` proposed it.
    """
    row = tx.row(_APPROVE, id=number, by=by)
    if row is None:
        raise _refusal(get(tx, number), number, by)
    return row


def _refusal(row: Row | None, number: int, by: str) -> NotFoundError | RefusedError:
    if row is None:
        return NotFoundError(f"there is no proposal {number}")
    if row.approved_at is not None:
        return RefusedError(f"proposal {number} was approved by {row.approved_by}: {row.outcome}")
    if row.withdrawn_at is not None:
        return RefusedError(f"proposal {number} was withdrawn")
    return RefusedError(f"proposal {number} is {by}'s own: another operator must approve it")


def finish(tx: Tx, number: int, outcome: str) -> None:
    """Write down what came of an approved action."""
    statement = sa.text("UPDATE proposals SET outcome = :outcome WHERE id = :id")
    tx.run(statement, id=number, outcome=outcome)


def withdraw(tx: Tx, number: int, *, by: str, why: str) -> bool:
    """Take back a waiting proposal, whoever made it; False when it waits no more."""
    statement = sa.text("""
    UPDATE proposals SET withdrawn_at = clock_timestamp(), outcome = 'withdrawn by ' || :by || ': ' || :why
    WHERE id = :id AND approved_at IS NULL AND withdrawn_at IS NULL""")
    return tx.run(statement, id=number, by=by, why=why) == 1


def get(tx: Tx, number: int) -> Row | None:
    """One proposal, whole."""
    return tx.row(sa.text("SELECT * FROM proposals WHERE id = :id"), id=number)


_LISTING: Final = sa.text("""
    SELECT * FROM (
      SELECT id, action, subject, arguments,
           CASE WHEN approved_at IS NOT NULL THEN 'approved' WHEN withdrawn_at IS NOT NULL THEN 'withdrawn'
                ELSE 'waiting' END AS state,
           proposed_by, why, proposed_at, approved_by, approved_at, outcome
      FROM proposals) p
    WHERE (CAST(:state AS text) IS NULL OR state = :state)
      AND (CAST(:after AS bigint) IS NULL OR id < :after)
    ORDER BY id DESC LIMIT :limit""")


def listing(
    tx: Tx, *, state: ProposalState | None = None, after: int | None = None, limit: int = 50
) -> Rows:
    """A page of proposals, newest first, each with its `state`."""
    return tx.page(_LISTING, state=state, after=after, limit=limit)

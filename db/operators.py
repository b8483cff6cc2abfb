"""Operators: people who may decide about money, known by a token of which only the hash is kept."""

from typing import Final

import sqlalchemy as sa

from db import tokens
from db.tx import Rows, Tx
from domain.errors import NotFoundError, RefusedError
from domain.listings import OperatorState

_ADD: Final = sa.text("""
    INSERT INTO operators AS o (name, token_hash, added_by) VALUES (:name, :hash, :by)
    -- Who was removed may come back, with a new token; who is there keeps theirs.
    ON CONFLICT (name) DO UPDATE SET token_hash = excluded.token_hash, added_by = excluded.added_by,
      added_at = clock_timestamp(), removed_at = NULL
    WHERE o.removed_at IS NOT NULL
    RETURNING name""")


def add(tx: Tx, name: str, token: str, *, by: str) -> None:
    """Make `name` an operator who proves it by `token`.

    Raises `BadInputError` for a name or token that is none, `RefusedError` where the name is taken.
    """
    tokens.check("operator", name, token)
    if tx.row(_ADD, name=name, hash=tokens.hash_of(token), by=by) is None:
        raise RefusedError(f"operator {name} exists: remove it first to give it another token")


def identify(tx: Tx, token: str) -> str | None:
    """The operator whose token this is, or None."""
    name: str | None = tx.scalar(
        sa.text("SELECT name FROM operators WHERE token_hash = :hash AND removed_at IS NULL"),
        hash=tokens.hash_of(token),
    )
    return name


_REMOVE: Final = sa.text("""
    -- All rows are locked, in order: of the last two, only one may go.
    WITH present AS MATERIALIZED (
      SELECT name FROM operators WHERE removed_at IS NULL ORDER BY name FOR UPDATE)
    UPDATE operators o SET removed_at = clock_timestamp() FROM present p
    WHERE o.name = :name AND p.name = o.name AND (SELECT count(*) FROM present) > 1""")


def remove(tx: Tx, name: str) -> None:
    """Take an operator's rights away; the row stays, since history names it.

    Raises `NotFoundError`, or `RefusedError` for the last one: then nobody could add another.
    """
    if tx.run(_REMOVE, name=name) == 1:
        return
    statement = sa.text("SELECT FROM operators WHERE name = :name AND removed_at IS NULL")
    if tx.row(statement, name=name) is not None:
        raise RefusedError(f"{name} is the last operator: add another one first")
    raise NotFoundError(f"there is no operator {name}")


def is_first(tx: Tx) -> bool:
    """Say whether there was never an operator here."""
    return not tx.scalar(sa.text("SELECT EXISTS (SELECT FROM operators)"))


_LISTING: Final = sa.text("""
    SELECT * FROM (
      SELECT name, CASE WHEN removed_at IS NULL THEN 'present' ELSE 'removed' END AS state,
             added_by, added_at, removed_at
      FROM operators) o
    WHERE (CAST(:state AS text) IS NULL OR state = :state) AND (CAST(:after AS text) IS NULL OR name > :after)
    ORDER BY name LIMIT :limit""")


def listing(
    tx: Tx, *, state: OperatorState | None = None, after: str | None = None, limit: int = 50
) -> Rows:
    """A page of operators by name, also those removed; no hashes."""
    return tx.page(_LISTING, state=state, after=after, limit=limit)

"""Applications: programs that may ask for runs over HTTP, each for its own jobs, known by a token's hash."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from db import tokens
from db.tx import Rows, Tx
from domain.errors import NotFoundError, RefusedError
from domain.listings import OperatorState


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Who asks, and the jobs it may ask for."""

    name: str
    scopes: frozenset[str]


_ADD: Final = sa.text("""
    INSERT INTO applications AS a (name, token_hash, scopes, added_by)
    VALUES (:name, :hash, CAST(:scopes AS text[]), :by)
    -- What was removed may come back, with a new token; what is there keeps its own.
    ON CONFLICT (name) DO UPDATE SET token_hash = excluded.token_hash, scopes = excluded.scopes,
      added_by = excluded.added_by, added_at = clock_timestamp(), removed_at = NULL
    WHERE a.removed_at IS NOT NULL
    RETURNING name""")


def add(tx: Tx, name: str, token: str, scopes: Sequence[str], *, by: str) -> None:
    """Let whoever shows `token` ask for runs of `scopes`, as `name`.

    Raises `BadInputError` for a name or token that is none, `RefusedError` where the name is taken.
    """
    tokens.check("application", name, token)
    wanted = sorted(set(scopes))
    if tx.row(_ADD, name=name, hash=tokens.hash_of(token), scopes=wanted, by=by) is None:
        raise RefusedError(f"application {name} exists: remove it first to give it another token")


_OF: Final = sa.text("SELECT name, scopes, known FROM application_of(:hash)")


def identify(tx: Tx, token: str) -> tuple[Application | None, bool]:
    """The application whose token this is, or None; and whether there is any at all."""
    row = tx.row(_OF, hash=tokens.hash_of(token))
    if row is None:
        raise AssertionError("the function returns one row")
    if row.name is None:
        return None, row.known
    return Application(name=row.name, scopes=frozenset(row.scopes)), True


def remove(tx: Tx, name: str) -> None:
    """Let a token open nothing from now on; the row stays, since history names it. Raises `NotFoundError`."""
    statement = sa.text(
        "UPDATE applications SET removed_at = clock_timestamp() WHERE name = :name AND removed_at IS NULL"
    )
    if tx.run(statement, name=name) != 1:
        raise NotFoundError(f"there is no application {name}")


_LISTING: Final = sa.text("""
    SELECT * FROM (
      SELECT name, CASE WHEN removed_at IS NULL THEN 'present' ELSE 'removed' END AS state,
             scopes, added_by, added_at, removed_at
      FROM applications) a
    WHERE (CAST(:state AS text) IS NULL OR state = :state) AND (CAST(:after AS text) IS NULL OR name > :after)
    ORDER BY name LIMIT :limit""")


def listing(
    tx: Tx, *, state: OperatorState | None = None, after: str | None = None, limit: int = 50
) -> Rows:
    """A page of applications by name, also those removed; no hashes."""
    return tx.page(_LISTING, state=state, after=after, limit=limit)


_PRESENT: Final = sa.text(
    "SELECT name, scopes FROM applications WHERE removed_at IS NULL ORDER BY name"
)


def present(tx: Tx) -> list[Application]:
    """Every application that may ask for something."""
    return [Application(name=r.name, scopes=frozenset(r.scopes)) for r in tx.rows(_PRESENT)]

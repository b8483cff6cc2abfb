"""The subjects of any family, read: pages by age, one with its history and its work, and by their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.families import FAMILIES
from db.family import Family
from db.tx import Row, Rows, Tx
from domain.errors import BadInputError
from domain.ids import uuid_of
from domain.nouns import with_article


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which subjects to list; None does not narrow. `after` is the id the last page ended with."""

    state: str | None = None
    after: UUID | None = None
    limit: int = 50


def listing(tx: Tx, family: Family, page: Page) -> Rows:
    """One page, newest first, with the family's columns.

    Raises `BadInputError` for a state there is not, or where `after` is none of them.
    """
    states = sorted(family.machine.states)
    if page.state is not None and page.state not in states:
        raise BadInputError("--state", page.state, f"must be one of {', '.join(states)}")
    table = family.machine.table
    if page.after is not None and not _known(tx, family, [page.after]):
        raise BadInputError(
            "--after", str(page.after), f"must be the id of {with_article(family.machine.kind)}"
        )
    statement = sa.text(f"""
        SELECT {", ".join(family.columns)} FROM {table}
        WHERE (CAST(:state AS text) IS NULL OR state = :state) AND (created_at, id) < (
          coalesce((SELECT a.created_at FROM {table} a WHERE a.id = CAST(:after AS uuid)), 'infinity'),
          coalesce(CAST(:after AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
        ORDER BY created_at DESC, id DESC LIMIT :limit""")
    return tx.page(statement, state=page.state, after=page.after, limit=page.limit)


def show(tx: Tx, family: Family, id_: UUID) -> Row | None:
    """One subject: its columns and details, and what it waits for."""
    columns = ", ".join(f"s.{column}" for column in (*family.columns, *family.details))
    statement = sa.text(f"""
        SELECT {columns}, w.job AS waits_for, NULLIF(w.due_at, 'infinity') AS due_at, w.leased_until, w.holder AS held_by_run,
               w.tries, w.parked_reason, w.last_error
        FROM {family.machine.table} s LEFT JOIN work w ON w.subject = s.id WHERE s.id = :id""")
    return tx.row(statement, id=id_)


_HISTORY: Final = sa.text("""
    SELECT at, source || ' -> ' || target AS move, reason, actor, run FROM moves WHERE subject = :id ORDER BY at LIMIT :limit""")


def history(tx: Tx, id_: UUID, limit: int = 1_000) -> Sequence[Row]:
    """The moves of one subject, oldest first."""
    return tx.rows(_HISTORY, id=id_, limit=limit)


def find(tx: Tx, names: Sequence[str], families: Sequence[Family] = FAMILIES) -> dict[str, UUID]:
    """The subject that each name stands for: its id, or what another system calls it.

    Raises `BadInputError` for the first name of none.
    """
    found: dict[str, UUID] = {}
    for family in families:
        statement = sa.text(f"""
            SELECT n.name, s.id FROM unnest(CAST(:names AS text[])) AS n (name)
            JOIN {family.machine.table} s ON CAST(s.{family.named_by} AS text) = n.name""")
        if family.named_by != "id":
            found |= {row.name: row.id for row in tx.rows(statement, names=list(names))}
        ids = {id_: name for name in names if name not in found and (id_ := uuid_of(name))}
        found |= {ids[id_]: id_ for id_ in _known(tx, family, list(ids))}
    kinds = [family.machine.kind for family in families]
    place = "subject" if len(kinds) > 1 else kinds[0]
    for name in names:
        if name not in found:
            rule = f"must be the id or the external id of {' or '.join(map(with_article, kinds))}"
            raise BadInputError(place, name, rule)
    return found


def _known(tx: Tx, family: Family, ids: Sequence[UUID]) -> set[UUID]:
    statement = sa.text(
        f"SELECT id FROM {family.machine.table} WHERE id = ANY(CAST(:ids AS uuid[]))"
    )
    return {row.id for row in tx.rows(statement, ids=list(ids))} if ids else set()

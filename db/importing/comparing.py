"""Lines against the rows that their external ids name already: the same, or where they differ."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic
from uuid import UUID

import sqlalchemy as sa

from db.importing.order import Lines, LineT, RecordT
from db.tx import Row, Tx
from domain.errors import BadInputError

SHOWN_MAX: Final = 50
"""Lines that differ whose fields are named; the rest are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(Generic[LineT]):
    """Where the rows of one kind of line are, and how they read as lines."""

    table: str
    fields: Sequence[str]
    content: sa.TextClause
    """Selects what `line_of` needs of the rows `:ids`, and their `id`."""
    line_of: Callable[[Row], LineT]


@dataclass(slots=True, kw_only=True)
class Found:
    """What was there: rows of the same content, of other content, and of the same still PENDING."""

    same: set[UUID] = field(default_factory=set)
    other: set[UUID] = field(default_factory=set)
    pending: set[UUID] = field(default_factory=set)
    errors: list[BadInputError] = field(default_factory=list)
    more: int = 0

    @property
    def there(self) -> set[UUID]:
        """Every row that was there."""
        return self.same | self.other


def compare(tx: Tx, stored: Stored[LineT], order: Lines[LineT], ids: Mapping[UUID, int]) -> Found:
    """Compare lines with what is stored under their ids; `ids` gives each line's index."""
    found = Found()
    hashes = sa.text(
        f"SELECT id, content_hash, state FROM {stored.table} WHERE id = ANY(CAST(:ids AS uuid[]))"
    )
    for row in tx.rows(hashes, ids=list(ids)):
        if bytes(row.content_hash).hex() != order.lines[ids[row.id]].content_hash:
            found.other.add(row.id)
            continue
        found.same.add(row.id)
        if row.state == "PENDING":
            found.pending.add(row.id)
    if found.other:
        shown = sorted(found.other, key=ids.__getitem__)[:SHOWN_MAX]
        found.more = len(found.other) - len(shown)
        there = {row.id: stored.line_of(row) for row in tx.rows(stored.content, ids=shown)}
        for id_ in shown:
            line = order.lines[ids[id_]]
            found.errors += differences(stored.fields, line, there[id_], order.place(ids[id_]))
    return found


def differences(
    fields: Sequence[str], line: RecordT, there: RecordT, place: str
) -> Sequence[BadInputError]:
    """An error for each field in which a line differs from what its external id was imported with."""
    return [
        BadInputError(
            f"{place} field {name}",
            ours,
            f"external_id {line.external_id} was imported with {theirs!r}: the same id must carry "
            "the same content",
        )
        for name, ours, theirs in zip(fields, line.record, there.record, strict=True)
        if ours != theirs
    ]

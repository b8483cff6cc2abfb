"""Lines against the payouts that their external ids name already: the same, or where they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.payouts.import_order import Lines
from db.tx import Row, Tx
from domain.errors import BadInputError
from domain.money import format_major
from domain.payout_lines import PayoutLine
from domain.payout_rules import FIELDS
from domain.payouts import PayoutState

SHOWN_MAX: Final = 50
"""Lines that differ whose fields are named; the rest are counted."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What was there: payouts of the same content, of other content, and of the same still PENDING."""

    same: set[UUID] = field(default_factory=set)
    other: set[UUID] = field(default_factory=set)
    pending: set[UUID] = field(default_factory=set)
    errors: list[BadInputError] = field(default_factory=list)
    more: int = 0


_HASHES: Final = sa.text(
    "SELECT id, content_hash, state FROM payouts WHERE id = ANY(CAST(:ids AS uuid[]))"
)

_CONTENT: Final = sa.text("""
    SELECT p.id, p.external_id, y.name AS payee, a.fund_account_id, p.amount, p.currency, p.mode, p.purpose, p.narration
    FROM payouts p JOIN payees y ON y.id = p.payee JOIN payout_accounts a ON a.id = p.account
    WHERE p.id = ANY(CAST(:ids AS uuid[]))""")


def compare(tx: Tx, order: Lines, ids: Mapping[UUID, int]) -> Found:
    """Compare lines with what is stored under their payout ids; `ids` gives each line's index."""
    found = Found()
    for row in tx.rows(_HASHES, ids=list(ids)):
        if bytes(row.content_hash).hex() != order.lines[ids[row.id]].content_hash:
            found.other.add(row.id)
            continue
        found.same.add(row.id)
        if row.state == PayoutState.PENDING:
            found.pending.add(row.id)
    if found.other:
        shown = sorted(found.other, key=ids.__getitem__)[:SHOWN_MAX]
        found.more = len(found.other) - len(shown)
        stored = {row.id: row for row in tx.rows(_CONTENT, ids=shown)}
        for id_ in shown:
            found.errors += _differences(order.lines[ids[id_]], stored[id_], order.place(ids[id_]))
    return found


def _differences(line: PayoutLine, row: Row, place: str) -> Sequence[BadInputError]:
    stored = [str(getattr(row, name) or "") for name in FIELDS]
    stored[FIELDS.index("amount")] = format_major(row.amount, row.currency)
    return [
        BadInputError(
            f"{place} field {name}",
            ours,
            f"external_id {line.external_id} was imported with {theirs!r}: the same id must carry "
            "the same content",
        )
        for name, ours, theirs in zip(FIELDS, line.record, stored, strict=True)
        if ours != theirs
    ]

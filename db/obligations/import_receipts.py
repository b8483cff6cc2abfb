"""Take in receipts from lines: each external id once, received by its obligation or set apart in suspense.

A receipt is for the obligation that another system calls as its payer says, where that is owed in its
currency. All of a file is one transaction: it holds every obligation it names first, and posts last.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.importing.days import not_to_come
from db.importing.fresh import fresh
from db.importing.order import SET_MAX, Imported, Lines, Told
from db.obligations.facts import grip
from db.obligations.receive import Receipt, receive
from db.suspense import routing
from db.suspense.routing import Stray
from db.tx import Row, Tx
from domain.payout_ids import numbers
from domain.receipt_lines import FIELDS, ReceiptLine
from domain.servicing import Method

SUSPENSE: Final = "suspense"
"""What lines are counted under that match no obligation."""

_LOCK: Final = sa.text("""
    SELECT set_config('lock_timeout', '60s', true), pg_advisory_xact_lock(hashtextextended('bursar import receipts', 0))""")
_THERE: Final = sa.text("""
    SELECT external_id, reference, amount, currency, received_on, method FROM receipts
    WHERE external_id = ANY(CAST(:names AS text[]))""")
_MEANT: Final = sa.text("""
    SELECT o.external_id, o.currency, o.id
    FROM unnest(CAST(:names AS text[]), CAST(:currencies AS text[])) AS g (external_id, currency)
    JOIN obligations o USING (external_id, currency)""")
_INSERT: Final = sa.text("""
    INSERT INTO receipts (id, external_id, reference, obligation, amount, currency, received_on, method, content_hash, created_at)
    SELECT id, external_id, reference, obligation, amount, currency, received_on, method, decode(content_hash, 'hex'),
           -- A microsecond apart, so that a listing by age has the order of the file.
           transaction_timestamp() + place * interval '1 microsecond'
    FROM unnest(
      CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:references AS text[]), CAST(:obligations AS uuid[]),
      CAST(:amounts AS bigint[]), CAST(:currencies AS text[]), CAST(:days AS date[]), CAST(:methods AS text[]),
      CAST(:hashes AS text[]), CAST(:places AS int[]))
      AS g (id, external_id, reference, obligation, amount, currency, received_on, method, content_hash, place)""")

Meant = Mapping[tuple[str, str], UUID]
"""Obligations by what another system calls them, and their currency."""


def take_over(
    tx: Tx,
    installation: UUID,
    order: Lines[ReceiptLine],
    *,
    actor: str,
    told: Told = lambda _: None,
) -> Imported:
    """Import `order` in this transaction; raises `BadInputsError` as an import of payouts does."""
    tx.row(_LOCK)
    done = Imported()
    new, meant = _new(tx, order, done, told)
    leased, _ = grip(tx, set(meant.values()), run=None, actor=actor)
    strays, receipts = list[Stray](), list[Receipt]()
    names = [line.external_id for _, line in new]
    ids = [UUID(int=number) for number in numbers(installation, "receipt", names)]
    for start in range(0, len(new), SET_MAX):
        part = slice(start, start + SET_MAX)
        _insert(leased, ids[part], new[part], meant)
    for id_, (_, line) in zip(ids, new, strict=True):
        if (obligation := meant.get((line.reference, line.currency))) is None:
            strays.append(_stray(id_, line))
        else:
            receipts.append(_receipt(id_, line, obligation))
    routing.tell(leased, strays)
    receive(leased, receipts, run=None, actor=actor, also=routing.entries(strays))
    return done


def look(tx: Tx, order: Lines[ReceiptLine], *, told: Told = lambda _: None) -> Imported:
    """Say what `take_over` would do, and write nothing. Raises the same errors."""
    done = Imported()
    _new(tx, order, done, told)
    return done


def _new(
    tx: Tx, order: Lines[ReceiptLine], done: Imported, told: Told
) -> tuple[list[tuple[int, ReceiptLine]], Meant]:
    """The new lines, and the obligations they mean; `done` is told of all, and of what goes to suspense."""

    def there(part: Sequence[ReceiptLine]) -> dict[str, ReceiptLine]:
        rows = tx.rows(_THERE, names=[line.external_id for line in part])
        return {row.external_id: _stored(row) for row in rows}

    lines = fresh(order, done, FIELDS, there, told)
    new = not_to_come(tx, order, done, lines, "received_on", lambda line: line.received_on)
    asked = list({(line.reference, line.currency) for _, line in new})
    found = tx.rows(_MEANT, names=[name for name, _ in asked], currencies=[c for _, c in asked])
    meant = {(row.external_id, row.currency): row.id for row in found}
    done.created = 0
    for _, line in new:
        label = "" if (line.reference, line.currency) in meant else SUSPENSE
        done.count(label, line.currency, line.amount_minor, 1)
    return new, meant


def _stored(row: Row) -> ReceiptLine:
    return ReceiptLine(
        external_id=row.external_id,
        reference=row.reference,
        amount_minor=row.amount,
        currency=row.currency,
        received_on=row.received_on,
        method=Method(row.method),
    )


def _insert(
    tx: Tx, ids: Sequence[UUID], part: Sequence[tuple[int, ReceiptLine]], meant: Meant
) -> None:
    lines = [line for _, line in part]
    tx.run(
        _INSERT,
        ids=list(ids),
        external_ids=[line.external_id for line in lines],
        references=[line.reference for line in lines],
        obligations=[meant.get((line.reference, line.currency)) for line in lines],
        amounts=[line.amount_minor for line in lines],
        currencies=[line.currency for line in lines],
        days=[line.received_on for line in lines],
        methods=[line.method.value for line in lines],
        hashes=[line.content_hash for line in lines],
        places=[at for at, _ in part],
    )


def _receipt(id_: UUID, line: ReceiptLine, obligation: UUID) -> Receipt:
    return Receipt(
        id=id_,
        obligation=obligation,
        amount=line.amount_minor,
        received_on=line.received_on,
        method=line.method.value,
    )


def _stray(id_: UUID, line: ReceiptLine) -> Stray:
    return Stray(
        id=id_,
        external_id=line.external_id,
        reference=line.reference,
        amount=line.amount_minor,
        currency=line.currency,
        received_on=line.received_on,
    )

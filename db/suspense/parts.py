"""What of receipts that named nothing left suspense: part by part, each where it went and for which obligation."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Tx

_PARTS: Final = sa.text("""
    SELECT r.id AS receipt, r.external_id, e.key, split_part(e.key, ':', 3) AS number, d.kind AS went_to, p.amount,
           -- Where it took nothing, all of the part is unapplied cash of its mortgage.
           (SELECT CAST(b.owner AS uuid) FROM entries x
            JOIN postings q ON q.entry = x.id
            JOIN accounts b ON b.id = q.credit AND b.kind = 'borrower_receivable'
            WHERE x.key = concat_ws(':', 'receipt', r.id, 'received', split_part(e.key, ':', 3))) AS obligation
    FROM receipts r
    JOIN accounts s ON s.kind = 'suspense' AND s.owner = CAST(r.id AS text) AND s.currency = r.currency
    JOIN postings p ON p.credit = s.id
    JOIN entries e ON e.id = p.entry AND e.type = 'SUSPENSE_RESOLVED'
    JOIN accounts d ON d.id = p.debit
    WHERE r.id = ANY(CAST(:receipts AS uuid[])) ORDER BY e.id""")


def parts_of(tx: Tx, receipts: Collection[UUID]) -> Sequence[Row]:
    """The parts (receipt, external_id, key, number, went_to, amount, obligation), oldest first; `went_to` is a kind of account."""
    return tx.rows(_PARTS, receipts=list(receipts))

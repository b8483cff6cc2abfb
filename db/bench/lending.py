"""Settled obligations that wait to be divided, made by the product's own imports, and the proof of what became of them."""

from datetime import date
from typing import Final
from uuid import UUID, uuid5

import sqlalchemy as sa

from db.importing.order import Lines
from db.obligations import imports, lenders, positions
from db.obligations.receive import Receipt, receive
from db.tx import Tx
from domain.lender_lines import LenderLine
from domain.obligation_lines import ObligationLine
from domain.obligations import ObligationKind
from domain.position_lines import PositionLine
from domain.servicing import Frequency

SHARES: Final = 5
"""Lenders of each mortgage."""
LENDERS: Final = 300
OBLIGATIONS: Final = 10
"""Of each mortgage."""
_DAY: Final = date(2026, 3, 20)


def owe(tx: Tx, installation: UUID, items: int) -> None:
    """Obligations of mortgages with five lenders each, out of 300."""
    mortgages = range((items - 1) // OBLIGATIONS + 1)
    named = [LenderLine(external_id=f"L-{n}", payee=f"lender {n}") for n in range(LENDERS)]
    held = [
        PositionLine(
            external_id=f"P-{mortgage}-{place}",
            mortgage=f"M-{mortgage}",
            lender=f"L-{(mortgage * SHARES + place) % LENDERS}",
            units=1_000 + 37 * place,
        )
        for mortgage in mortgages
        for place in range(SHARES)
    ]
    owed = [
        ObligationLine(
            external_id=f"O-{n}",
            mortgage=f"M-{n // OBLIGATIONS}",
            borrower="borrower",
            kind=ObligationKind.REGULAR_INTEREST,
            amount_minor=100_000 + n,
            currency="INR",
            due_on=_DAY,
            principal_minor=10_000_000,
            fee_rate_ppm=10_000,
            frequency=Frequency.MONTHLY,
        )
        for n in range(items)
    ]
    lenders.take_over(tx, installation, Lines(lines=named))
    positions.take_over(tx, installation, Lines(lines=held))
    imports.take_over(tx, installation, Lines(lines=owed), actor="bench")


_DUE: Final = sa.text(
    "SELECT id, amount FROM obligations WHERE state = 'DUE' ORDER BY id LIMIT :most"
)


def settle(tx: Tx, most: int) -> int:
    """Let so many obligations receive all they are owed; returns how many did."""
    rows = tx.rows(_DUE, most=most)
    receipts = [
        Receipt(
            id=uuid5(row.id, "receipt"),
            obligation=row.id,
            amount=row.amount,
            received_on=_DAY,
            method="pad",
        )
        for row in rows
    ]
    receive(tx, receipts, run=None, actor="bench")
    return len(rows)


_SOUND: Final = sa.text("""
    SELECT (SELECT count(*) FROM obligations WHERE state = 'DISPERSED') AS divided,
           (SELECT count(*) FROM dispersals) AS shares,
           (SELECT sum(amount) FROM obligations) AS owed,
           (SELECT sum(b.credits - b.debits) FROM accounts a JOIN balances b ON b.account = a.id
            WHERE a.kind IN ('lender_payable', 'servicing_revenue')) AS given""")


def is_divided(tx: Tx, items: int) -> bool:
    """Whether each was divided, among five, and all of what was owed is the lenders' or the fee."""
    found = tx.row(_SOUND)
    assert found is not None
    return (found.divided, found.shares) == (items, SHARES * items) and found.owed == found.given

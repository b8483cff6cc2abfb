"""The cash of mortgages: what payouts under way are to take of it leaves by no other way.

Whoever takes of it holds the mortgage first, as `pay_dispersals` does, so that none is promised to two. Lock order:
after dispersals, before lenders and accounts; mortgages in the order of their ids.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from domain.errors import RefusedError

Cash = tuple[UUID, str]
"""A mortgage and a currency."""

_HOLD: Final = sa.text("SELECT hold_mortgages(CAST(:ids AS uuid[]))")
_SHORT: Final = sa.text("""
    SELECT m.external_id, g.currency, g.minor, h.minor AS held, s.minor AS sending
    FROM unnest(CAST(:ids AS uuid[]), CAST(:currencies AS text[]), CAST(:amounts AS bigint[])) AS g (mortgage, currency, minor)
    JOIN mortgages m ON m.id = g.mortgage
    CROSS JOIN LATERAL (
      SELECT CAST(coalesce(sum(b.debits - b.credits), 0) AS bigint) AS minor FROM accounts a JOIN balances b ON b.account = a.id
      WHERE a.kind = 'trust_cash' AND a.owner = CAST(g.mortgage AS text) AND a.currency = g.currency) h
    CROSS JOIN LATERAL (
      SELECT CAST(coalesce(sum(d.amount), 0) AS bigint) AS minor FROM obligations o JOIN dispersals d ON d.obligation = o.id
      WHERE o.mortgage = g.mortgage AND d.state = 'SENDING' AND d.currency = g.currency) s
    WHERE s.minor > 0 AND g.minor > h.minor - s.minor ORDER BY m.external_id, g.currency LIMIT 1""")


def leave(tx: Tx, leaving: Mapping[Cash, int]) -> None:
    """Hold mortgages whose cash is about to leave, so much of each (minor units).

    Raises `RefusedError` where payouts under way need some of it. What is not there at all the books refuse.
    """
    if not leaving:
        return
    ids = [mortgage for mortgage, _ in leaving]
    tx.rows(_HOLD, ids=ids)
    currencies = [currency for _, currency in leaving]
    short = tx.row(_SHORT, ids=ids, currencies=currencies, amounts=list(leaving.values()))
    if short is not None:
        raise RefusedError(
            f"{short.minor} minor units of {short.currency} cannot leave mortgage {short.external_id}: of the {short.held} it "
            f"has {short.sending} are on their way to its lenders"
        )

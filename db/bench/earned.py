"""What a batch left behind, counted: the proof of a benchmark that nothing was left out or taken twice."""

from typing import Final

import sqlalchemy as sa

from db.tx import Tx

_PAID: Final = sa.text("""
    SELECT (SELECT count(*) FROM earnings WHERE state = 'BATCHED') AS batched,
           (SELECT count(*) FROM payout_earnings WHERE live) AS linked,
           (SELECT coalesce(sum(amount), 0) FROM payouts WHERE source = 'earnings') AS paid,
           (SELECT coalesce(sum(amount - refunded), 0) FROM earnings) AS owed""")


def is_whole(tx: Tx, items: int) -> bool:
    """Whether all of `items` earnings are in payouts, each once, and the payouts are of what is owed."""
    row = tx.row(_PAID)
    return row is not None and row.batched == row.linked == items and row.paid == row.owed

"""Wallets as a batch sees them: what is left of each, and the payouts made of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.payouts.batch import Made, Order, Stretch
from db.tx import Tx
from domain.batching import Owed, Period
from domain.errors import BrokenError
from domain.payees import PayeeKind

PAGE: Final = 5_000
"""Wallets in one transaction; of a payee with several currencies, all."""

_STRETCH: Final = sa.text("""
    WITH page AS MATERIALIZED (
      SELECT w.payee FROM wallets w
      JOIN payees y ON y.id = w.payee AND y.kind = :kind
      JOIN balances b ON b.account = w.account AND b.credits > b.debits
      WHERE w.payee > :after ORDER BY w.payee LIMIT :page)
    SELECT payee, (SELECT count(*) FROM page) AS items FROM (SELECT DISTINCT payee FROM page) p ORDER BY payee DESC LIMIT 2""")

_LOCK: Final = sa.text("""
    SELECT FROM wallets w JOIN payees y ON y.id = w.payee AND y.kind = :kind
    WHERE w.payee > :after AND w.payee <= :last ORDER BY w.id FOR UPDATE OF w""")

_OWED: Final = sa.text("""
    SELECT w.id, w.payee, w.currency, l.left_minor, w.minimum, w.frequency, w.opted_out, a.verified, a.active
    FROM wallets w
    JOIN payees y ON y.id = w.payee AND y.kind = :kind
    CROSS JOIN LATERAL (SELECT wallet_left(w.id, w.account) AS left_minor) l
    LEFT JOIN payout_accounts a ON a.payee = w.payee AND a.is_default
    WHERE w.payee > :after AND w.payee <= :last AND l.left_minor > 0
    ORDER BY w.payee, w.currency""")

_MAKE: Final = sa.text("""
    SELECT * FROM pay_wallets(CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:paid AS uuid[]),
                              CAST(:most AS bigint[]), CAST(:narrations AS text[]), :actor)""")


class Wallets:
    """A `Source`: all that is left of a wallet, in its own rhythm."""

    name = "wallets"
    words = "Wallet"

    def stretch(self, tx: Tx, kind: PayeeKind, after: UUID) -> Stretch | None:
        """Whole payees, of at most `PAGE` wallets that are not empty."""
        rows = tx.rows(_STRETCH, kind=kind.value, after=after, page=PAGE)
        if not rows:
            return None
        # The page may have ended among the wallets of its last payee.
        is_last = rows[0].items < PAGE
        last = rows[0] if is_last or len(rows) == 1 else rows[1]
        return Stretch(kind=kind, after=after, last=last.payee, is_last=is_last)

    def owed(self, tx: Tx, stretch: Stretch, now: datetime, *, lock: bool) -> Sequence[Owed]:
        """What is left has no hold, so `now` says nothing. Locked first, then read: it can only grow."""
        whose = {"kind": stretch.kind.value, "after": stretch.after, "last": stretch.last}
        if lock:
            tx.rows(_LOCK, **whose)
        return [
            Owed(
                payee=row.payee,
                currency=row.currency,
                amount=row.left_minor,
                items=1,
                parts=str(row.id),
                is_verified=row.verified,
                is_active=row.active,
                minimum=row.minimum,
                period=Period(row.frequency),
                is_opted_out=row.opted_out,
            )
            for row in tx.rows(_OWED, **whose)
        ]

    def make(self, tx: Tx, orders: Sequence[Order], actor: str) -> Sequence[Made]:
        """Through the one door that makes payouts of wallets, which pays no more than is left."""
        rows = tx.rows(
            _MAKE,
            ids=[order.id for order in orders],
            external_ids=[order.external_id for order in orders],
            paid=[order.owed.parts for order in orders],
            most=[order.owed.amount for order in orders],
            narrations=[order.narration for order in orders],
            actor=actor,
        )
        owed = {order.id: order.owed for order in orders}
        for row in rows:
            if row.amount != owed[row.payout].amount:
                raise BrokenError(
                    f"payout {row.payout} would pay {row.amount} of a wallet, of which "
                    f"{owed[row.payout].amount} were left when it was locked"
                )
        return [
            Made(id=row.payout, amount=row.amount, currency=owed[row.payout].currency)
            for row in rows
        ]


WALLETS: Final = Wallets()

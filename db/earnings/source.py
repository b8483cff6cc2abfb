"""Earnings as a batch sees them: whose are READY and past their hold, and the payouts made of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.payouts.batch import Made, Order, Stretch
from db.tx import Tx
from domain.batching import Owed
from domain.errors import BrokenError
from domain.payees import PayeeKind

PAGE: Final = 20_000
"""Earnings in one transaction; of a payee with more, all."""

_STRETCH: Final = sa.text("""
    WITH page AS MATERIALIZED (
      SELECT e.payee FROM earnings e JOIN payees y ON y.id = e.payee AND y.kind = :kind
      WHERE e.state = 'READY' AND e.payee > :after ORDER BY e.payee LIMIT :page)
    SELECT payee, (SELECT count(*) FROM page) AS items FROM (SELECT DISTINCT payee FROM page) p ORDER BY payee DESC LIMIT 2""")

_READY: Final = """
      SELECT e.id, e.payee, e.currency, e.amount - e.refunded AS owed FROM earnings e JOIN payees y ON y.id = e.payee AND y.kind = :kind
      WHERE e.state = 'READY' AND NOT e.disputed AND e.ready_at <= :now AND e.refunded < e.amount
        AND e.payee > :after AND e.payee <= :last
        -- What was in a payout that only another system calls failed may have been paid by it.
        AND NOT EXISTS (SELECT FROM payout_earnings l WHERE l.earning = e.id AND NOT l.live AND failed_unproven(l.payout))"""
_OWED: Final = """
    SELECT r.payee, r.currency, r.items, r.amount, r.parts, a.verified, a.active, coalesce(d.debits - d.credits, 0) AS owing
    FROM (
      SELECT payee, currency, count(*) AS items, CAST(sum(owed) AS bigint) AS amount,
             '{' || string_agg(CAST(id AS text), ',') || '}' AS parts
      FROM ready GROUP BY payee, currency) r
    LEFT JOIN payout_accounts a ON a.payee = r.payee AND a.is_default
    LEFT JOIN accounts o ON o.kind = 'payee_receivable' AND o.owner = CAST(r.payee AS text) AND o.currency = r.currency
    LEFT JOIN balances d ON d.account = o.id
    ORDER BY r.payee, r.currency"""
_LOCKED: Final = sa.text(
    f"WITH ready AS MATERIALIZED ({_READY} ORDER BY e.id FOR UPDATE OF e) {_OWED}"
)
_SEEN: Final = sa.text(f"WITH ready AS MATERIALIZED ({_READY}) {_OWED}")

_MAKE: Final = sa.text("""
    SELECT * FROM pay_earnings(CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:payees AS uuid[]),
                               CAST(:currencies AS text[]), CAST(:parts AS text[]), CAST(:narrations AS text[]), :actor)""")


class Earnings:
    """A `Source`. A dispute, or a share given back, waits for the batch or is seen by it; so does what proves a payout unpaid."""

    name = "earnings"
    words = "Earnings"

    def stretch(self, tx: Tx, kind: PayeeKind, after: UUID) -> Stretch | None:
        """Whole payees, of at most `PAGE` earnings that are READY."""
        rows = tx.rows(_STRETCH, kind=kind.value, after=after, page=PAGE)
        if not rows:
            return None
        # The page may have ended among the earnings of its last payee.
        is_last = rows[0].items < PAGE
        last = rows[0] if is_last or len(rows) == 1 else rows[1]
        return Stretch(kind=kind, after=after, last=last.payee, is_last=is_last)

    def owed(self, tx: Tx, stretch: Stretch, now: datetime, *, lock: bool) -> Sequence[Owed]:
        """Locked in the order of their ids, as everybody locks them."""
        statement = _LOCKED if lock else _SEEN
        whose = {"kind": stretch.kind.value, "after": stretch.after, "last": stretch.last}
        return [
            Owed(
                payee=row.payee,
                currency=row.currency,
                amount=row.amount,
                items=row.items,
                parts=row.parts,
                is_verified=row.verified,
                is_active=row.active,
                owing=row.owing,
            )
            for row in tx.rows(statement, now=now, **whose)
        ]

    def make(self, tx: Tx, orders: Sequence[Order], actor: str) -> Sequence[Made]:
        """Through the one door that makes payouts of earnings, which computes their amounts itself."""
        rows = tx.rows(
            _MAKE,
            ids=[order.id for order in orders],
            external_ids=[order.external_id for order in orders],
            payees=[order.owed.payee for order in orders],
            currencies=[order.owed.currency for order in orders],
            parts=[order.owed.parts for order in orders],
            narrations=[order.narration for order in orders],
            actor=actor,
        )
        owed = {order.id: order.owed for order in orders}
        for row in rows:
            if (row.linked, row.amount) != (owed[row.payout].items, owed[row.payout].amount):
                raise BrokenError(
                    f"payout {row.payout} would pay {row.linked} earnings, {row.amount} in all, of "
                    f"{owed[row.payout].items} that were locked, {owed[row.payout].amount} in all"
                )
        return [
            Made(id=row.payout, amount=row.amount, currency=owed[row.payout].currency)
            for row in rows
        ]


EARNINGS: Final = Earnings()

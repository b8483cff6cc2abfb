"""The facts behind `bursar why earning`."""

from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Tx
from domain.earnings import EarningState
from domain.errors import NotFoundError
from domain.payees import account_fault
from domain.why_earnings import EarningFacts

_EARNING: Final = sa.text("""
    SELECT e.id, e.state, y.name AS payee, e.currency, e.amount, e.refunded, e.disputed, e.held, e.ready_at,
           e.ready_at > clock_timestamp() AS is_on_hold, s.said, a.fund_account_id, a.active, a.verified,
           p.external_id AS payout, p.state AS payout_state,
           e.contested AND EXISTS (SELECT FROM disputes d WHERE d.payment = e.id AND d.state = 'OPEN') AS is_contested,
           (SELECT min(d.external_id) FROM payout_earnings o JOIN payouts d ON d.id = o.payout
            WHERE o.earning = e.id AND NOT o.live AND failed_unproven(o.payout)) AS doubted,
           (SELECT CASE WHEN isfinite(n.next_tick_at) THEN n.next_tick_at END FROM schedule_progress n
            WHERE n.schedule = 'payouts.batch') AS next_batch,
           (SELECT CAST(coalesce(sum(o.amount - o.refunded), 0) AS bigint) FROM earnings o
            WHERE o.payee = e.payee AND o.state = 'READY' AND o.ready_at <= clock_timestamp() AND o.currency = e.currency)
             AS payable,
           (SELECT CAST(coalesce(sum(b.debits - b.credits), 0) AS bigint) FROM accounts c JOIN balances b ON b.account = c.id
            WHERE c.kind = 'payee_receivable' AND c.owner = CAST(e.payee AS text) AND c.currency = e.currency) AS owing
    FROM earnings e
    JOIN payees y ON y.id = e.payee
    LEFT JOIN payout_accounts a ON a.payee = e.payee AND a.is_default
    LEFT JOIN payout_earnings l ON l.earning = e.id AND l.live
    LEFT JOIN payouts p ON p.id = l.payout
    LEFT JOIN LATERAL (
      SELECT c.what || ' by ' || c.who || ': ' || c.why AS said FROM changes c WHERE c.subject = CAST(e.id AS text)
      ORDER BY c.id DESC LIMIT 1) s ON true
    WHERE e.id = :id""")


def earning(tx: Tx, id_: UUID) -> EarningFacts:
    """The facts about one earning. Raises `NotFoundError`."""
    row = tx.row(_EARNING, id=id_)
    if row is None:
        raise NotFoundError(f"there is no earning {id_}")
    return EarningFacts(
        id=str(row.id),
        state=EarningState(row.state),
        payee=row.payee,
        currency=row.currency,
        amount=row.amount,
        refunded=row.refunded,
        disputed=row.disputed,
        held=row.held,
        is_contested=row.is_contested,
        ready=_told(row.ready_at) or "",
        is_on_hold=row.is_on_hold,
        last_said=row.said,
        payable=row.payable,
        owing=row.owing,
        account=row.fund_account_id,
        account_fault=_fault(row),
        doubted=row.doubted,
        payout=row.payout,
        payout_state=row.payout_state,
        next_batch=_told(row.next_batch),
    )


def _fault(row: Row) -> str | None:
    if row.fund_account_id is None:
        return None
    return account_fault(is_active=row.active, is_verified=row.verified)


def _told(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"

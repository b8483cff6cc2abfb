"""The facts behind `bursar why wallet`."""

from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Tx
from domain.batching import BATCH, ORG_BATCH, Period, batch_external_id, run_key
from domain.errors import NotFoundError
from domain.payees import PayeeKind, account_fault
from domain.why_wallets import WalletFacts

_WALLET: Final = sa.text("""
    SELECT w.id, y.id AS payee_id, y.name AS payee, y.kind, w.currency, b.credits - b.debits AS balance,
           wallet_left(w.id, w.account) AS left_minor, w.frequency, w.minimum, w.opted_out,
           a.fund_account_id, a.active, a.verified, n.next_tick_at,
           ARRAY(SELECT p.external_id || ' is ' || p.state FROM payouts p
                 WHERE p.wallet = w.id AND p.state IN ('PENDING', 'APPROVED', 'PROCESSING') ORDER BY p.created_at LIMIT 10) AS under_way,
           coalesce(n.next_tick_at, clock_timestamp()) AS next
    FROM wallets w
    JOIN payees y ON y.id = w.payee
    JOIN balances b ON b.account = w.account
    LEFT JOIN payout_accounts a ON a.payee = w.payee AND a.is_default
    LEFT JOIN schedule_progress n ON n.schedule = CASE y.kind WHEN 'organisation' THEN :org_batch ELSE :batch END
      AND isfinite(n.next_tick_at)
    WHERE w.id = :id""")

_PAID: Final = sa.text("SELECT state FROM payouts WHERE external_id = :external_id")


def wallet(tx: Tx, id_: UUID) -> WalletFacts:
    """The facts about one wallet. Raises `NotFoundError`."""
    row = tx.row(_WALLET, id=id_, batch=BATCH, org_batch=ORG_BATCH)
    if row is None:
        raise NotFoundError(f"there is no wallet {id_}")
    period = Period(row.frequency)
    name = batch_external_id("wallets", run_key(period, row.next), row.payee_id, row.currency)
    return WalletFacts(
        id=str(row.id),
        payee=row.payee,
        kind=PayeeKind(row.kind),
        currency=row.currency,
        balance=row.balance,
        left=max(0, row.left_minor),
        period=period,
        minimum=row.minimum,
        is_opted_out=row.opted_out,
        account=row.fund_account_id,
        account_fault=_fault(row),
        under_way=tuple(row.under_way),
        paid_by=name if tx.scalar(_PAID, external_id=name) else None,
        next_batch=None if row.next_tick_at is None else _told(row.next_tick_at),
    )


def _fault(row: Row) -> str | None:
    if row.fund_account_id is None:
        return None
    return account_fault(is_active=row.active, is_verified=row.verified)


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"

"""One payout as its payee is told of it: the row, its books, and the earnings it pays as they stood then."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Tx
from domain.errors import NotFoundError, RefusedError
from domain.payout_ids import reference
from domain.payouts import PayoutState
from domain.remittance import Advice, AdviceLine, Posted

LINES_MAX: Final = 20_000
"""Earnings of one payout that an advice lists."""

_PAYOUT: Final = sa.text("""
    SELECT p.id, p.external_id, y.name AS payee, p.state, p.generation, p.source, p.currency, p.amount, p.tds_deducted, p.recovered,
           p.tds_base, p.tds_rate_bps, p.tds_financial_year, coalesce(p.mode, e.request ->> 'mode') AS mode,
           -- Until the claim computes it nobody knows what is sent of a payout that tax is withheld from.
           CASE WHEN p.source = 'earnings' AND p.tds_engine IS NULL AND p.state IN ('PENDING', 'APPROVED', 'CANCELLED')
                THEN p.net_amount ELSE coalesce(p.net_amount, p.amount - p.tds_deducted) END AS net,
           a.fund_account_id, e.provider, e.provider_id, e.utr, e.reference, p.created_at, e.first_sent_at, p.completed_at,
           -- What another system made of earnings has them here where they were taken over, too.
           p.source = 'earnings' AND (NOT EXISTS (SELECT FROM takeovers t WHERE t.payout = p.id)
             OR EXISTS (SELECT FROM payout_earnings o WHERE o.payout = p.id)) AS is_earned
    FROM payouts p
    JOIN payees y ON y.id = p.payee
    JOIN payout_accounts a ON a.id = p.account
    LEFT JOIN effects e ON e.key = p.effect_key
    WHERE p.id = :id""")

_POSTED: Final = sa.text("""
    SELECT CAST(coalesce(sum(s.amount) FILTER (WHERE c.kind = 'cash'), 0) AS bigint) AS paid,
           CAST(coalesce(sum(s.amount) FILTER (WHERE c.kind = 'tds_payable'), 0) AS bigint) AS paid_tax,
           CAST(coalesce(sum(s.amount) FILTER (WHERE d.kind = 'cash'), 0) AS bigint) AS returned,
           CAST(coalesce(sum(s.amount) FILTER (WHERE d.kind = 'tds_payable'), 0) AS bigint) AS returned_tax,
           CAST(coalesce(sum(s.amount) FILTER (WHERE d.kind = 'payee_receivable' AND n.type = 'payout.paid_late'), 0) AS bigint) AS overpaid,
           CAST(coalesce(sum(s.amount) FILTER (WHERE c.kind = 'payee_receivable' AND n.type = 'payout.paid_late'), 0) AS bigint) AS settled_late,
           CAST(coalesce(sum(s.amount) FILTER (WHERE c.kind = 'payee_receivable' AND n.type = 'payout.reversed'), 0) AS bigint) AS settled,
           bool_or(n.type = 'payout.paid_late') AS is_late,
           min(n.created_at) FILTER (WHERE n.type = 'payout.reversed') AS returned_at
    FROM entries n
    JOIN postings s ON s.entry = n.id
    JOIN accounts d ON d.id = s.debit
    JOIN accounts c ON c.id = s.credit
    -- The semicolon is the sign after the colon: every entry of this payout, and no other's.
    WHERE n.key >= 'payout:' || CAST(:id AS text) || ':' AND n.key < 'payout:' || CAST(:id AS text) || ';'
      AND n.type IN ('payout.completed', 'payout.paid_late', 'payout.reversed')""")

_LINES: Final = sa.text("""
    SELECT g.external_id, g.kind, g.earned_at, g.gross, g.amount, g.refunded - since.back AS refunded,
           since.back AS refunded_since, since.clawed_back
    FROM payout_earnings l
    JOIN earnings g ON g.id = l.earning
    -- While a payout is under way nothing is given back of its earnings: it is before, or after it was paid.
    CROSS JOIN LATERAL (
      SELECT CAST(coalesce(sum(s.amount), 0) AS bigint) AS back,
             CAST(coalesce(sum(s.amount) FILTER (
               WHERE d.kind = 'payee_receivable' AND n.created_at < coalesce(CAST(:returned_at AS timestamptz), 'infinity')), 0) AS bigint)
               AS clawed_back
      FROM (
        SELECT id, created_at FROM entries WHERE key >= 'earning:' || g.id || ':reduced:' AND key < 'earning:' || g.id || '\\:reduced;'
        UNION ALL
        -- The earning of a booking has its payment's id.
        SELECT e.id, e.created_at FROM refunds r JOIN entries e ON e.key = 'refund:' || r.id WHERE r.payment = g.id) n
      JOIN postings s ON s.entry = n.id
      JOIN accounts d ON d.id = s.debit
      -- Of a refund, its payee's part alone.
      WHERE d.kind IN ('payee_payable', 'payee_receivable') AND n.created_at > coalesce(CAST(:completed_at AS timestamptz), 'infinity')) since
    WHERE l.payout = :id
    ORDER BY g.earned_at, g.external_id LIMIT :limit""")


def advice(tx: Tx, payout: UUID) -> Advice:
    """What the payee of `payout` is told; `Advice.check` says whether it may be.

    Raises `NotFoundError`, and `RefusedError` for more than `LINES_MAX` earnings.
    """
    row, posted = tx.row(_PAYOUT, id=payout), tx.row(_POSTED, id=payout)
    if row is None or posted is None:
        raise NotFoundError(f"there is no payout {payout}")
    back = {"completed_at": row.completed_at, "returned_at": posted.returned_at}
    # Paid late, and twice: its earnings were paid by another payout meanwhile.
    paid_for_nothing = row.amount == _overpaid(row, posted)
    lines = () if paid_for_nothing else tx.rows(_LINES, id=payout, limit=LINES_MAX + 1, **back)
    if len(lines) > LINES_MAX:
        raise RefusedError(
            f"payout {payout} pays more than {LINES_MAX} earnings: no paper holds them"
        )
    return _advice(row, posted, lines)


def _advice(row: Row, posted: Row, lines: Sequence[Row]) -> Advice:
    return Advice(
        id=row.id,
        external_id=row.external_id,
        payee=row.payee,
        state=PayoutState(row.state),
        currency=row.currency,
        gross_minor=row.amount,
        tax_minor=row.tds_deducted,
        tax_base_minor=row.tds_base,
        tax_rate_bps=row.tds_rate_bps,
        tax_financial_year=row.tds_financial_year,
        recovered_minor=row.recovered,
        net_minor=row.net,
        clawed_back_minor=_overpaid(row, posted) + sum(line.clawed_back for line in lines),
        posted=Posted(
            paid_minor=posted.paid,
            paid_tax_minor=posted.paid_tax,
            returned_minor=posted.returned,
            returned_tax_minor=posted.returned_tax,
            overpaid_minor=_overpaid(row, posted),
            settled_minor=posted.settled,
            returned_at=posted.returned_at,
        ),
        reference=row.reference or reference(row.id, row.generation),
        provider=row.provider,
        provider_id=row.provider_id,
        utr=row.utr,
        mode=row.mode,
        fund_account_id=row.fund_account_id,
        created_at=row.created_at,
        sent_at=row.first_sent_at,
        completed_at=row.completed_at,
        is_earned=row.is_earned,
        lines=[_line(line) for line in lines],
    )


def _overpaid(row: Row, posted: Row) -> int:
    """Paid beyond what was owed; what was kept back of a debt that was settled otherwise meanwhile is so too."""
    again: int = row.recovered - posted.settled_late if posted.is_late else 0
    overpaid: int = posted.overpaid + again
    return overpaid


def _line(row: Row) -> AdviceLine:
    return AdviceLine(
        earning=row.external_id,
        kind=row.kind,
        earned_at=row.earned_at,
        sale_minor=row.gross,
        share_minor=row.amount,
        refunded_minor=row.refunded,
        refunded_since_minor=row.refunded_since,
    )

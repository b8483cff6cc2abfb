"""The facts behind `bursar why refund`."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import why_subjects
from db.tx import Tx
from domain.money import format_major
from domain.refunds import REFUNDS
from domain.why_refunds import RefundFacts

_REFUND: Final = sa.text("""
    SELECT r.payment, r.amount, r.currency, r.gateway, r.given_as, r.error, r.why, r.asked_by, e.state AS effect_state, e.status,
           o.captured_as, r.taken_back_at,
           (SELECT CAST(a.id AS text) || ', which is ' || a.state FROM refunds a WHERE a.again_of = r.id) AS again,
           (SELECT y.external_id || ', which is ' || y.state FROM payout_earnings l JOIN payouts y ON y.id = l.payout
            WHERE l.earning = r.payment AND l.live) AS payout
    FROM refunds r LEFT JOIN effects e ON e.key = r.effect_key LEFT JOIN orders o ON o.payment = r.payment
    WHERE r.id = :id""")


def refund(tx: Tx, id_: UUID) -> RefundFacts:
    """The facts about one refund. Raises `NotFoundError`."""
    subject = why_subjects.subject(tx, REFUNDS, id_)
    row = tx.row(_REFUND, id=id_)
    assert row is not None, "it was found a moment ago"
    return RefundFacts(
        subject=subject,
        payment=str(row.payment),
        amount=f"{format_major(row.amount, row.currency)} {row.currency}",
        by_gateway=row.gateway > 0,
        given_as=row.given_as,
        effect_state=row.effect_state,
        status=row.status,
        error=row.error,
        asked=f"asked for by {row.asked_by}: {row.why}",
        captured_as=row.captured_as,
        payout=row.payout,
        is_taken_back=row.taken_back_at is not None,
        again=row.again,
    )

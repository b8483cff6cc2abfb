"""Earnings and the payouts that pay them: linked live exactly while one does."""

from typing import Final

from db.invariant import Invariant, Walk
from domain.findings import FindingKind

WALK: Final = Walk(
    page="""
    SELECT id AS at, e.* FROM earnings e
    WHERE id > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT :page"""
)

HELD_WHILE_PAID: Final = Invariant(
    name="earnings-are-held-while-paid",
    promise="An earning is held by a payout exactly while that pays it: BATCHED by one that has not ended, "
    "PAID by one that was completed, any other by none.",
    walk=WALK,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'earning ' || e.id AS subject,
             CASE WHEN p.id IS NULL THEN format('it is %s, and no payout holds it', e.state)
                  ELSE format('it is %s, and payout %s, which is %s, holds it', e.state, p.id, p.state) END AS detail
      FROM page e
      LEFT JOIN payout_earnings l ON l.earning = e.id AND l.live
      LEFT JOIN payouts p ON p.id = l.payout
      WHERE NOT CASE e.state
        WHEN 'BATCHED' THEN coalesce(p.state IN ('PENDING', 'APPROVED', 'PROCESSING'), false)
        WHEN 'PAID' THEN coalesce(p.state = 'COMPLETED', false)
        ELSE l.earning IS NULL END""",
)

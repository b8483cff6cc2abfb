"""Disputes as the audit and the listings know them."""

from typing import Final

from db import aggregates
from db.family import Family
from db.invariant import Invariant
from domain import disputes
from domain.findings import FindingKind

HOLD_THEIR_EARNING: Final = Invariant(
    name="disputes-hold-their-earning",
    promise="While a dispute is open, what was earned of its payment is held by it, so that no batch pays it.",
    walk=aggregates.walk(disputes.DISPUTES),
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'dispute ' || d.id AS subject, format('it is OPEN, its earning %s is %s and no dispute holds it', e.external_id, e.state) AS detail
      FROM page d JOIN earnings e ON e.id = d.payment
      WHERE d.state = 'OPEN' AND NOT e.contested AND e.state <> 'REFUNDED'""",
)

DISPUTES: Final = Family(
    machine=disputes.DISPUTES,
    promises=(*aggregates.promises(disputes.DISPUTES), HOLD_THEIR_EARNING),
    columns=("payment", "state", "amount AS amount_minor", "currency", "name", "created_at", "id"),
    details=("provider", "updated_at"),
)

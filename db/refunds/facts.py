"""Refunds as they are under the lease they are held by, and what of payments is left to be given back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from domain.payments import LegKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One refund with the newest of its effects. Amounts in minor units."""

    id: UUID
    payment: UUID
    state: str
    generation: int
    effect_key: UUID
    gateway: int
    """What the gateway is asked for."""
    currency: str
    given_as: str | None
    captured_as: str | None
    """What the gateway calls the capture; None until it was told."""
    captured_by: str | None
    """Which gateway that is."""
    effect_state: str | None
    sends: int
    first_sent_at: datetime | None
    is_past_key: bool
    """Whether its first send is too long ago for another one under its key."""
    is_disputed: bool
    """Whether a dispute about its payment is open."""
    is_lost: bool
    """Whether one was lost, and what it took is not in the books, since it is not left of the payment."""


_READ: Final = sa.text("""
    SELECT r.id, r.payment, r.state, r.generation, r.effect_key, r.gateway, r.currency, r.given_as, o.captured_as,
           o.provider AS captured_by, e.state AS effect_state, coalesce(e.sends, 0) AS sends, e.first_sent_at,
           coalesce(e.sends > 0 AND e.first_sent_at <= clock_timestamp() - make_interval(secs => :key_seconds), false) AS is_past_key,
           EXISTS (SELECT FROM disputes d WHERE d.payment = r.payment AND d.state = 'OPEN') AS is_disputed,
           EXISTS (SELECT FROM disputes d WHERE d.payment = r.payment AND d.state = 'LOST'
                     AND NOT EXISTS (SELECT FROM refunds t WHERE t.given_as = d.name AND t.given_by = d.provider)) AS is_lost
    FROM refunds r
    LEFT JOIN orders o ON o.payment = r.payment
    LEFT JOIN effects e ON e.key = r.effect_key
    WHERE r.id = ANY(CAST(:ids AS uuid[])) ORDER BY r.id""")


def read(tx: Tx, refunds: Collection[UUID], *, key_seconds: float = 0) -> list[Refund]:
    """Refunds as they are, in the order of their ids."""
    rows = tx.rows(_READ, ids=list(refunds), key_seconds=key_seconds)
    return [Refund(**row._asdict()) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refundable:
    """A payment, and of each leg that may be given back what it paid and what is left of it."""

    id: UUID
    customer: UUID
    state: str
    currency: str
    is_disputed: bool
    legs: Mapping[LegKind, int]
    left: Mapping[LegKind, int]

    @property
    def left_minor(self) -> int:
        """What can be given back still."""
        return sum(self.left.values())


_LEFT: Final = sa.text("""
    SELECT p.id, p.customer, p.state, p.currency, coalesce(e.disputed, false)
             OR EXISTS (SELECT FROM disputes d WHERE d.payment = p.id AND d.state = 'OPEN') AS is_disputed,
           array_agg(l.kind ORDER BY l.kind) FILTER (WHERE l.kind IS NOT NULL) AS kinds,
           array_agg(l.amount ORDER BY l.kind) FILTER (WHERE l.kind IS NOT NULL) AS amounts,
           array_agg(l.amount - l.given_back ORDER BY l.kind) FILTER (WHERE l.kind IS NOT NULL) AS lefts
    FROM payments p
    LEFT JOIN earnings e ON e.id = p.id
    -- Of an orphan, what its checkout gave back when it ended is owed to nobody.
    LEFT JOIN payment_legs l ON l.payment = p.id AND (l.kind = 'gateway' OR refundable(p) = p.amount)
    WHERE p.id = ANY(CAST(:payments AS uuid[])) GROUP BY p.id, e.disputed ORDER BY p.id""")


def refundable(tx: Tx, payments: Sequence[UUID]) -> list[Refundable]:
    """Payments that exist, in the order of their ids; hold them first, so that it stays like this."""
    return [
        Refundable(
            id=row.id,
            customer=row.customer,
            state=row.state,
            currency=row.currency,
            is_disputed=row.is_disputed,
            legs=_by_kind(row.kinds, row.amounts),
            left=_by_kind(row.kinds, row.lefts),
        )
        for row in tx.rows(_LEFT, payments=list(payments))
    ]


def _by_kind(kinds: Sequence[str] | None, amounts: Sequence[int] | None) -> dict[LegKind, int]:
    return dict(zip(map(LegKind, kinds or ()), amounts or (), strict=True))

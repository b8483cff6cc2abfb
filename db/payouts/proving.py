"""What another system called FAILED, before it may be sent again: its provider is asked by the old reference.

Elsewhere a lost reply was written down as a failure. Only what the provider says, or two people, frees such a
payout for a second payment.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import clock, effects, transitions
from db.payouts import verdicts
from db.payouts.apply import apply
from db.payouts.details import one
from db.payouts.known import known
from db.tx import Tx
from domain.answers import ProviderPayout, ProviderStatus
from domain.errors import BusyError, RefusedError
from domain.payouts import FOLLOW, PAYOUTS, PayoutState


class Unproven(NamedTuple):
    """A payout that failed by another system's word alone, and what its provider would have it under."""

    payout: UUID
    key: UUID
    reference: str
    is_young: bool
    """Sent less than an hour ago: nothing found says nothing yet."""


_UNPROVEN: Final = sa.text("""
    SELECT p.id AS payout, e.key, e.reference, e.first_sent_at > clock_timestamp() - interval '1 hour' AS is_young
    FROM payouts p JOIN effects e ON e.key = p.effect_key
    WHERE p.id = ANY(CAST(:ids AS uuid[])) AND p.state = 'FAILED' AND is_unproven(e) AND e.reference IS NOT NULL
    ORDER BY p.id""")


def unproven(tx: Tx, payouts: Sequence[UUID]) -> list[Unproven]:
    """Those of `payouts` that a provider can be asked about, and must be before a retry."""
    return list(map(Unproven._make, tx.rows(_UNPROVEN, ids=list(payouts))))


UNPAID: Final = frozenset(
    {ProviderStatus.FAILED, ProviderStatus.CANCELLED, ProviderStatus.REVERSED}
)


def was_not_paid(tx: Tx, one_: Unproven, paid: ProviderPayout | None) -> None:
    """Keep that the provider has no such payment, or that it was not paid or came back: a retry may follow.

    Raises `AssertionError` for one that is neither.
    """
    if paid is not None and paid.status not in UNPAID:
        raise AssertionError(f"{paid.provider_id} is {paid.raw_status}")
    if paid is None:
        told = ("absent", f"no payment under {one_.reference}")
    else:
        told = ("unpaid", f"{paid.provider_id} is {paid.raw_status}")
    effects.keep_evidence(tx, [(one_.key, *told)], run=None)


def adopt(tx: Tx, payout: UUID, paid: ProviderPayout, *, actor: str) -> PayoutState:
    """Settle a payout that its provider has after all, by the one completion rule; returns the state it is in then.

    Raises `BusyError` where a worker holds it, `RefusedError` where the provider's payment contradicts ours.
    """
    leased = transitions.seize(tx, [payout], run=None, actor=actor, leased_too=False)
    if payout not in leased.held:
        leased = transitions.recall(leased, PAYOUTS, FOLLOW, [payout])
    row = one(tx, payout)
    if row is None or payout not in leased.held:
        raise BusyError(f"a worker holds payout {payout}: try again")
    verdict, _ = verdicts.of_report(known(leased.held[payout], row), paid, clock.now(tx))
    if verdict.outcome is None:
        raise RefusedError(f"not adopted: {verdict.next.parked}")
    apply(leased, [verdict])
    return verdict.path[-1] if verdict.path else PayoutState(row.state)

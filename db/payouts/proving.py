"""What another system called FAILED, before it may be sent again: its provider is asked by the old reference.

Elsewhere a lost reply was written down as a failure. Only what the provider says, or two people, frees such a
payout for a second payment.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import clock, effects, findings, transitions
from db.payouts import verdicts
from db.payouts.apply import Verdict, apply
from db.payouts.details import Details, read
from db.payouts.known import known
from db.tx import Tx
from db.work import Next
from domain.answers import ProviderPayout, ProviderStatus
from domain.findings import Finding, FindingKind
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


def were_not_paid(tx: Tx, said: Sequence[tuple[Unproven, ProviderPayout | None]]) -> None:
    """Keep of each that the provider has no such payment, or that it was not paid or came back: a retry may follow.

    Raises `AssertionError` for one that is neither.
    """
    effects.keep_evidence(tx, [(one.key, *_in_words(one, paid)) for one, paid in said], run=None)


def _in_words(one: Unproven, paid: ProviderPayout | None) -> tuple[str, str]:
    if paid is None:
        return "absent", f"no payment under {one.reference}"
    if paid.status not in UNPAID:
        raise AssertionError(f"{paid.provider_id} is {paid.raw_status}")
    return "unpaid", f"{paid.provider_id} is {paid.raw_status}"


class Adopted(NamedTuple):
    """What became of payouts that their provider has after all."""

    states: Mapping[UUID, PayoutState]
    """Where each is now."""
    refused: Mapping[UUID, str]
    """Why each other one is not: a worker holds it, or the provider's payment contradicts ours."""


def _paid_beside(payment: ProviderPayout, row: Details, verdict: Verdict) -> Finding:
    told = f"{payment.provider_id} is {payment.raw_status} under {payment.reference}"
    here = (
        f"here it is {row.state} in generation {row.generation}, and parked: {verdict.next.parked}"
    )
    return Finding(
        kind=FindingKind.PAYOUT_PAID_AFTER_FAILED,
        subject=f"payout {verdict.subject}",
        detail=f"{told}; {here}",
    )


def adopt(tx: Tx, paid: Mapping[UUID, ProviderPayout], *, actor: str) -> Adopted:
    """Settle payouts as their provider has them, by the one completion rule.

    One that waits to be sent again although it was paid, or whose payment contradicts it, is parked, and a finding says so.
    """
    ids = sorted(paid)
    seized = transitions.seize(tx, ids, run=None, actor=actor, leased_too=False)
    resting = [id_ for id_ in ids if id_ not in seized.held]
    leased = transitions.recall(seized, PAYOUTS, FOLLOW, resting)
    rows = {row.id: row for row in read(tx, leased.held)}
    now = clock.now(tx)
    judged = [
        verdicts.of_report(known(leased.held[id_], row), paid[id_], now)[0]
        for id_, row in sorted(rows.items())
    ]
    good = [verdict for verdict in judged if verdict.outcome is not None]
    bad = [verdict for verdict in judged if verdict.outcome is None]
    apply(leased, good)
    # What waited for nothing does so again.
    leased.settle(
        [v.next if v.subject in seized.held else Next(subject=v.subject, job=None) for v in bad]
    )
    findings.report(
        tx,
        [
            _paid_beside(paid[v.subject], rows[v.subject], v)
            for v in bad
            if v.subject in seized.held
        ],
    )
    busy = dict.fromkeys((id_ for id_ in ids if id_ not in rows), "a worker holds it: try again")
    return Adopted(
        states={
            v.subject: v.path[-1] if v.path else PayoutState(rows[v.subject].state) for v in good
        },
        refused={**busy, **{v.subject: f"not adopted: {v.next.parked}" for v in bad}},
    )

"""Settle a payout in doubt by hand: on the provider's own word, or on that of two people.

Either way the one completion function writes it, under a seized work row; a row that a worker holds
is never taken from it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import clock, effects
from db.effects import Outcome
from db.payouts import verdicts
from db.payouts.apply import Verdict, apply
from db.payouts.details import Details, one
from db.payouts.known import known
from db.transitions import LeasedTx, seize
from db.tx import Tx
from db.work import Next
from domain.answers import ProviderPayout
from domain.effects import EffectState
from domain.errors import BusyError, NotFoundError, RefusedError
from domain.payouts import FOLLOW, PayoutState

DOUBTFUL: Final = frozenset({EffectState.INTENDED, EffectState.UNKNOWN, EffectState.ACCEPTED})
"""What is known of the effect of a payout that may be resolved; ACCEPTED is one that was parked."""

_DAY: Final = timedelta(days=1)

_IS_PARKED: Final = sa.text(
    "SELECT EXISTS (SELECT FROM work WHERE subject = :payout AND parked_reason IS NOT NULL)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A payout in doubt, and what its provider files it under."""

    payout: UUID
    reference: str
    """Empty where another system sent it, and nobody knows under what."""
    effect_state: EffectState
    provider_id: str | None


def doubt(tx: Tx, payout: UUID) -> Doubt:
    """Return what is to be asked about. Raises `NotFoundError`, or `RefusedError` where nothing is in doubt."""
    row = one(tx, payout)
    if row is None:
        raise NotFoundError(f"there is no payout {payout}")
    if row.state != PayoutState.PROCESSING or row.effect_state not in DOUBTFUL:
        state = f"{row.state}, its effect {row.effect_state or 'not begun'}"
        raise RefusedError(f"payout {payout} is {state}: only what is PROCESSING can be resolved")
    return Doubt(
        payout=payout,
        reference=row.filed_under,
        effect_state=EffectState(row.effect_state),
        provider_id=row.provider_id,
    )


def adopt(tx: Tx, payout: UUID, paid: ProviderPayout, *, actor: str) -> PayoutState:
    """Settle `payout` by what its provider says of it; returns the state it is in then.

    Raises `RefusedError` where the provider's payout contradicts ours, `BusyError` under a live lease.
    """
    leased, row = _seize(tx, payout, actor)
    verdict, _ = verdicts.of_report(known(leased.held[payout], row), paid, clock.now(tx))
    if verdict.outcome is None:
        raise RefusedError(f"not adopted: {verdict.next.parked}")
    return _write(leased, verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What two people say of a payout: who, why, and since when they know it."""

    by: str
    why: str
    known_at: datetime


def declare(tx: Tx, payout: UUID, word: Word, *, provider_id: str | None) -> PayoutState:
    """Settle `payout` on the word of two people: paid under `provider_id`, or (None) never paid.

    Raises `BusyError` under a live lease, `RefusedError` where nothing is in doubt: also where the
    provider has accepted it since (unless it was parked for contradicting us), and where a send
    may have begun since the two knew that it was never paid.
    """
    leased, row = _seize(tx, payout, word.by)
    _still_so(tx, row, word, is_paid=provider_id is not None)
    is_paid = provider_id is not None
    target = PayoutState.COMPLETED if is_paid else PayoutState.FAILED
    outcome = Outcome(
        key=row.effect_key,
        answer="declared paid" if is_paid else "declared unpaid",
        state=EffectState.ACCEPTED if is_paid else EffectState.REJECTED,
        detail=f"{word.by}: {word.why}",
        provider_id=None if provider_id == row.provider_id else provider_id,
        status="declared" if is_paid else None,
        accepted_at=clock.now(tx) if is_paid else None,
    )
    verdict = Verdict(
        subject=payout,
        outcome=outcome,
        path=(PayoutState.PROCESSING, target),
        reason=word.why,
        next=Next(subject=payout, job=FOLLOW if is_paid else None, delay=_DAY),
    )
    return _write(leased, verdict)


def _still_so(tx: Tx, row: Details, word: Word, *, is_paid: bool) -> None:
    """Raise `RefusedError` where something was learned or sent after the two knew what they say."""
    if row.effect_state == EffectState.ACCEPTED and not tx.scalar(_IS_PARKED, payout=row.id):
        raise RefusedError(
            f"payout {row.id} was accepted by its provider as {row.provider_id}: it is followed to its end"
        )
    effect = effects.get(tx, row.effect_key)
    if not is_paid and effect is not None and effect.updated_at > word.known_at:
        raise RefusedError(
            f"payout {row.id} may have been sent again at {effect.updated_at:%Y-%m-%dT%H:%M:%SZ}, after that was "
            "known: hold job:payouts.recover, ask the provider anew, and propose anew"
        )


def _seize(tx: Tx, payout: UUID, actor: str) -> tuple[LeasedTx, Details]:
    leased = seize(tx, [payout], run=None, actor=actor, leased_too=False)
    doubt(tx, payout)
    if payout not in leased.held:
        raise BusyError(
            f"a worker holds payout {payout}: try again, or see `bursar why payout {payout}`"
        )
    row = one(tx, payout)
    if row is None:
        raise AssertionError("a payout in doubt is there")
    return leased, row


def _write(leased: LeasedTx, verdict: Verdict) -> PayoutState:
    if verdict.subject in apply(leased, [verdict]):
        raise AssertionError("a seized payout that was PROCESSING is PROCESSING")
    return verdict.path[-1] if verdict.path else PayoutState.PROCESSING

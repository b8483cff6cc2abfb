"""Claim payouts whose provider is to be asked: `payouts.follow` (accepted) and `payouts.recover` (unknown)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

import sqlalchemy as sa

from db.batch import Batch
from db.payouts.claim import Provider, Sending, intend_sends, missing
from db.payouts.details import Details, read
from db.payouts.known import Known, known
from db.transitions import LeasedTx, claim
from db.tx import Tx
from db.work import CLAIMS_MAX, ClaimOrder, Held, Next
from domain.payout_ids import reference
from domain.payouts import FOLLOW, PAYOUTS, RECOVER, PayoutState
from domain.ports import Sought

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """A payout its provider has accepted, and what to ask about it."""

    known: Known
    sought: Sought

    @property
    def held(self) -> Held:
        """The lease it is under."""
        return self.known.held


def start_following(tx: Tx, claim_order: ClaimOrder) -> Batch[Following]:
    """Claim accepted payouts whose state at the provider is to be asked for."""
    leased = claim(tx, FOLLOW, claim_order)
    rows = _sift(leased, FOLLOW, 0)
    items = [
        Following(
            known=known(leased.held[row.id], row),
            sought=Sought(
                # Only a name for the answer: what is asked for is the provider's id.
                reference=row.filed_under or reference(row.id, row.generation),
                provider_id=_had(row, row.provider_id),
                created_at=_had(row, row.accepted_at),
            ),
        )
        for row in rows
    ]
    return Batch(items=items, taken=len(leased.held))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovering:
    """A payout nobody knows about. `sending` is committed to only inside the key's window."""

    known: Known
    sending: Sending | None
    foreign_since: datetime | None = None
    """When another system sent it, which alone knows its body: it is asked about, and never sent again."""
    is_held: bool = False
    """It could be sent again, and nothing may be sent now."""

    @property
    def held(self) -> Held:
        """The lease it is under."""
        return self.known.held


_TAKE_OVER: Final = sa.text("""
    WITH lapsed AS MATERIALIZED (
      SELECT w.job, w.subject FROM work w JOIN payouts p ON p.id = w.subject
      WHERE w.job = ANY(CAST(:senders AS text[])) AND coalesce(w.leased_until, w.due_at) <= (SELECT clock_timestamp()) AND w.leased_until IS NOT NULL
        AND p.state = 'PROCESSING'
      ORDER BY w.subject, w.job LIMIT :limit FOR UPDATE OF w SKIP LOCKED)
    UPDATE work w SET job = :recover, token = NULL, leased_until = NULL, holder = NULL, due_at = clock_timestamp()
    FROM lapsed l WHERE w.subject = l.subject AND w.job = l.job""")


def take_over_lapsed(tx: Tx, senders: Sequence[str], limit: int) -> int:
    """While a hold lets these jobs claim nothing: what was being sent as its worker died is asked about."""
    return tx.run(_TAKE_OVER, senders=list(senders), recover=RECOVER, limit=limit)


def start_recovering(
    tx: Tx, provider: Provider, claim_order: ClaimOrder, *, may_send: bool = True
) -> Batch[Recovering]:
    """Claim payouts in doubt; those inside the key's window may be sent again, byte for byte."""
    leased = claim(tx, RECOVER, claim_order)
    rows = _sift(leased, RECOVER, provider.key_seconds)
    again = [
        row
        for row in rows
        if not (row.is_past_key or row.is_foreign or leased.held[row.id].is_worn)
    ]
    held_back = set() if may_send else {row.id for row in again}
    sendings = {
        s.subject: s for s in intend_sends(leased, provider, again if may_send else []) if s
    }
    items = [
        Recovering(
            known=known(leased.held[row.id], row),
            sending=sendings.get(row.id),
            is_held=row.id in held_back,
            foreign_since=row.first_sent_at if row.is_foreign else None,
        )
        for row in rows
    ]
    return Batch(items=items, taken=len(leased.held))


def _sift(leased: LeasedTx, job: str, key_seconds: float) -> list[Details]:
    """Hand on what does not wait for `job`; return the rows of what does."""
    if not leased.held:
        return []
    rows = read(leased, leased.held, key_seconds=key_seconds)
    verdicts = [(row, _verdict(leased.held[row.id], job, row)) for row in rows]
    leased.settle(
        [Next(subject=gone, job=None) for gone in missing(leased, rows)]
        + [verdict for _, verdict in verdicts if verdict is not None]
    )
    return [row for row, verdict in verdicts if verdict is None]


def _verdict(held: Held, job: str, row: Details) -> Next | None:
    subject = held.subject
    # A recover that is worn only looks up, which moves no money; if that too kills its worker, it ends here.
    if held.claims > (2 * CLAIMS_MAX if job == RECOVER else CLAIMS_MAX):
        reason = f"claimed {held.claims - 1} times without a settle"
        return Next(subject=subject, job=job, parked=reason, error=reason)
    if job == RECOVER and row.state == PayoutState.PROCESSING and row.effect_state == "intended":
        return None  # handed over by process: its key may be too old for a send, so it is looked up
    call = PAYOUTS.call_for(row.state, row.effect_state, row.payee_kind)
    if call is None:
        reason = f"its state {row.state} and its effect {row.effect_state} do not fit"
        return Next(subject=subject, job=job, parked=reason, error=reason)
    return None if call.job == job else Next(subject=subject, job=call.job)


def _had(row: Details, value: T | None) -> T:
    """What an accepted effect always has: its constraint says so."""
    if value is None:
        raise AssertionError(f"payout {row.id}: its effect is accepted without a name or a time")
    return value

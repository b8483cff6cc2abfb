"""Stalled obligations divided again: real failures are counted with their errors; the fourth sets the money apart.

Whatever there is of a dispersal is looked at anew under the lease: one that was divided meanwhile is
DISPERSED, and never escalated. What the books refuse of one obligation alone is its own failure; a set of
several is given up for it, and whoever runs this tries its halves.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from db import ledger
from db.advance import Step, advance
from db.dispersals.create import Plan, divide, plan
from db.dispersals.failing import count, set_apart, to_set_apart, told, told_apart
from db.dispersals.settled import cease, report
from db.obligations import cash
from db.obligations.facts import Obligation, read
from db.rejections import attempt
from db.transitions import LeasedTx, take
from db.tx import Tx
from db.work import ClaimOrder, Next
from domain.backoff import delay
from domain.errors import RefusedError
from domain.obligations import HEAL, OBLIGATIONS, TRIES_MAX, ObligationState


@dataclass(frozen=True, slots=True, kw_only=True)
class Healed:
    """How many obligations were taken, divided, could not be and are tried again, and were escalated."""

    taken: int = 0
    divided: int = 0
    failed: int = 0
    escalated: int = 0


def heal(tx: Tx, order: ClaimOrder, ladder: Sequence[float]) -> Healed:
    """Divide due obligations that are STALLED; one whose fourth try fails is ESCALATED, once.

    `ladder` is how long each waits before its next try, by how many failed, in seconds.
    """
    leased = take(tx, HEAL, order)
    if not leased.held:
        return Healed()
    found = read(leased, list(leased.held))
    stalled = [one for one in found if one.state == ObligationState.STALLED]
    others = leased.held.keys() - {one.id for one in stalled}
    leased.settle([Next(subject=id_, job=None) for id_ in others])
    planned = plan(leased, stalled)
    if len(stalled) == 1:
        done = _alone(leased, stalled[0], planned, ladder)
    else:
        done = _conclude(leased, stalled, planned, ladder)
    return replace(done, taken=len(leased.held))


def give_up(tx: LeasedTx, id_: UUID, reason: str, ladder: Sequence[float]) -> bool:
    """Count as one failure that an obligation broke each time it was tried; whether it was there, and STALLED.

    It is tried again, or its money set apart, as after any other failure.
    """
    found = [one for one in read(tx, [id_]) if one.state == ObligationState.STALLED]
    for one in found:
        _alone(tx, one, Plan(failed={one.id: RefusedError(reason)}), ladder)
    return bool(found)


def _alone(tx: LeasedTx, one: Obligation, planned: Plan, ladder: Sequence[float]) -> Healed:
    """Conclude one: what the books refuse of it is why it was not divided, or not even set apart."""
    done = attempt(tx, lambda: _conclude(tx, [one], planned, ladder))
    if isinstance(done, Healed):
        return done
    if not planned.failed:
        return _alone(tx, one, Plan(failed={one.id: done}), ladder)
    refused = RefusedError(f"{planned.failed[one.id]}; nor can it be set apart: {done}")
    return _conclude(tx, [one], Plan(failed={one.id: refused}), ladder, sets_apart=False)


def _conclude(
    tx: LeasedTx,
    stalled: Sequence[Obligation],
    planned: Plan,
    ladder: Sequence[float],
    *,
    sets_apart: bool = True,
) -> Healed:
    """Divide what was planned; what failed is tried again later, or set apart. Locks accounts, at its end."""
    failures = count(tx, stalled, planned.failed)
    apart = to_set_apart(tx, failures) if sets_apart else []
    again = [one for one in failures if one not in apart]
    advance(tx, OBLIGATIONS, [one.obligation.id for one in apart], _ESCALATE)
    tx.settle(
        [
            Next(
                subject=one.obligation.id,
                job=HEAL,
                delay=delay(ladder, one.number),
                tries=one.number,
                error=str(one.error),
            )
            for one in again
        ]
    )
    telling = {one.obligation.id: told(one) for one in again}
    report(tx, telling | {one.obligation.id: told_apart(one) for one in apart})
    cease(tx, [*planned.made, *planned.existing])
    leaving = defaultdict[cash.Cash, int](int)
    for failed in apart:
        leaving[failed.obligation.mortgage, failed.obligation.currency] += (
            failed.obligation.received
        )
    cash.leave(tx, leaving)
    day = ledger.today(tx)
    entries = [set_apart(one.obligation, day) for one in apart]
    divided = divide(tx, planned, ObligationState.STALLED, entries)
    return Healed(divided=len(divided), failed=len(again), escalated=len(apart))


_ESCALATE: Final = Step(
    source=ObligationState.STALLED,
    target=ObligationState.ESCALATED,
    reason=f"healing failed {TRIES_MAX + 1} times",
)

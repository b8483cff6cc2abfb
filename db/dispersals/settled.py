"""Settled obligations that are due: each is divided, or STALLED with what stood in the way, for healing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from db import findings, transitions
from db.dispersals.create import divide, plan
from db.obligations.facts import read
from db.transitions import LeasedTx, take
from db.tx import Tx
from db.work import ClaimOrder, Next
from domain.dispersals import NoCashError, NoDateError
from domain.errors import ExpectedError, RefusedError
from domain.findings import Finding, FindingKind, key_of
from domain.obligations import CREATE, HEAL, OBLIGATIONS, ObligationState

STALLS: Final = (
    FindingKind.SETTLED_WITHOUT_CASH,
    FindingKind.SETTLED_WITHOUT_DATE,
    FindingKind.DISPERSAL_STALLED,
    FindingKind.DISPERSAL_ESCALATED,
    FindingKind.ESCALATION_REFUSED,
)
"""What is reported of an obligation that could not be divided; of each one at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispersed:
    """How many obligations were taken, divided, and could not be."""

    taken: int
    divided: int
    stalled: int


def disperse(tx: Tx, order: ClaimOrder, heal_after: timedelta) -> Dispersed:
    """Divide due obligations that are SETTLED; one that cannot be does not stop its siblings.

    It is STALLED, and tried again by healing after that time.
    """
    leased = take(tx, CREATE, order)
    if not leased.held:
        return Dispersed(taken=0, divided=0, stalled=0)
    found = read(leased, list(leased.held))
    settled = [one for one in found if one.state == ObligationState.SETTLED]
    others = leased.held.keys() - {one.id for one in settled}
    leased.settle([Next(subject=id_, job=None) for id_ in others])
    planned = plan(leased, settled)
    stall(leased, {one.id: one.external_id for one in settled}, planned.failed, heal_after)
    divided = divide(leased, planned, ObligationState.SETTLED)
    return Dispersed(taken=len(leased.held), divided=len(divided), stalled=len(planned.failed))


def stall(
    tx: LeasedTx,
    names: Mapping[UUID, str],
    failed: Mapping[UUID, ExpectedError],
    heal_after: timedelta,
) -> None:
    """Leave obligations that could not be divided to healing, with why; and tell a person, as a finding.

    `names` are what other systems call them.
    """
    if not failed:
        return
    transitions.move(
        tx,
        OBLIGATIONS,
        list(failed),
        source=ObligationState.SETTLED,
        target=ObligationState.STALLED,
        reason="it could not be divided",
    )
    tx.settle(
        [
            Next(subject=id_, job=HEAL, delay=heal_after, error=str(error))
            for id_, error in failed.items()
        ]
    )
    report(tx, {id_: (kind_of(error), f"{names[id_]}: {error}") for id_, error in failed.items()})


def give_up(tx: LeasedTx, id_: UUID, reason: str, heal_after: timedelta) -> bool:
    """Leave an obligation to healing that broke a rule each time it was to be divided; whether it was there, and SETTLED."""
    found = [one for one in read(tx, [id_]) if one.state == ObligationState.SETTLED]
    names = {one.id: one.external_id for one in found}
    stall(tx, names, {one.id: RefusedError(reason) for one in found}, heal_after)
    return bool(found)


def kind_of(error: ExpectedError) -> FindingKind:
    """What is reported where an obligation could not be divided because of `error`."""
    if isinstance(error, NoCashError):
        return FindingKind.SETTLED_WITHOUT_CASH
    if isinstance(error, NoDateError):
        return FindingKind.SETTLED_WITHOUT_DATE
    return FindingKind.DISPERSAL_STALLED


def report(tx: Tx, told: Mapping[UUID, tuple[FindingKind, str]]) -> None:
    """Report of each obligation the one thing that is true of it now; what was reported of it otherwise is resolved."""
    seen = [
        Finding(kind=kind, subject=f"obligation {id_}", detail=f"obligation {detail}")
        for id_, (kind, detail) in told.items()
    ]
    cease(tx, list(told), but={one.key for one in seen})
    findings.report(tx, seen)


def cease(tx: Tx, ids: Sequence[UUID], but: Collection[str] = ()) -> None:
    """Resolve what was reported of obligations that were STALLED or ESCALATED, `but` for findings of these keys."""
    keys = [key_of(kind, f"obligation {id_}") for kind in STALLS for id_ in ids]
    findings.cease(tx, [key for key in keys if key not in but])

"""Settled obligations that are due: each is divided, or STALLED with what stood in the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db import findings, transitions
from db.dispersals.create import divide, plan
from db.obligations.facts import Obligation, read
from db.transitions import LeasedTx, take
from db.tx import Tx
from db.work import ClaimOrder, Next
from domain.dispersals import NoCashError, NoDateError
from domain.errors import ExpectedError
from domain.findings import Finding, FindingKind, key_of
from domain.obligations import CREATE, OBLIGATIONS, ObligationState

STALLS: Final = (
    FindingKind.SETTLED_WITHOUT_CASH,
    FindingKind.SETTLED_WITHOUT_DATE,
    FindingKind.DISPERSAL_STALLED,
)
"""What is reported of an obligation that could not be divided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispersed:
    """How many obligations were taken, divided, and could not be."""

    taken: int
    divided: int
    stalled: int


def disperse(tx: Tx, order: ClaimOrder) -> Dispersed:
    """Divide due obligations that are SETTLED; one that cannot be does not stop its siblings."""
    leased = take(tx, CREATE, order)
    if not leased.held:
        return Dispersed(taken=0, divided=0, stalled=0)
    found = read(leased, list(leased.held))
    settled = [one for one in found if one.state == ObligationState.SETTLED]
    others = leased.held.keys() - {one.id for one in settled}
    leased.settle([Next(subject=id_, job=None) for id_ in others])
    planned = plan(leased, settled)
    _stall(leased, settled, planned.failed)
    divided = divide(leased, planned, ObligationState.SETTLED)
    return Dispersed(taken=len(leased.held), divided=len(divided), stalled=len(planned.failed))


def _stall(
    tx: LeasedTx, obligations: Sequence[Obligation], failed: Mapping[UUID, ExpectedError]
) -> None:
    """Leave obligations that could not be divided to healing, with why; and to a person, as a finding."""
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
    call = OBLIGATIONS.call_for(ObligationState.STALLED, None)
    job = None if call is None else call.job
    tx.settle([Next(subject=id_, job=job, error=str(error)) for id_, error in failed.items()])
    names = {one.id: one.external_id for one in obligations}
    findings.report(tx, [_finding(id_, names[id_], error) for id_, error in failed.items()])


def _finding(id_: UUID, name: str, error: ExpectedError) -> Finding:
    kind = FindingKind.DISPERSAL_STALLED
    if isinstance(error, NoCashError):
        kind = FindingKind.SETTLED_WITHOUT_CASH
    elif isinstance(error, NoDateError):
        kind = FindingKind.SETTLED_WITHOUT_DATE
    return Finding(kind=kind, subject=f"obligation {id_}", detail=f"obligation {name}: {error}")


def cease(tx: Tx, ids: Sequence[UUID]) -> None:
    """Resolve what was reported of obligations that were STALLED: they are no longer."""
    keys = [key_of(kind, f"obligation {id_}") for kind in STALLS for id_ in ids]
    findings.cease(tx, keys)

"""How what an obligation received is divided: its servicing fee first, then the lenders; and the life of a share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from domain.allocation import Reroute, allocate, rerouted
from domain.errors import RefusedError
from domain.machines import Call, Guard, Machine, Move
from domain.money import MINOR_MAX
from domain.obligations import ObligationKind
from domain.servicing import eligible_on, fee_due

DISBURSE: Final = "dispersals.disburse"
SENDINGS_MAX: Final = 3
"""Each but the first follows a payout that failed; one more than these needs two people."""


class DispersalState(StrEnum):
    """Where a lender's share is."""

    PENDING = "PENDING"
    """Owed to the lender, and held until its day."""
    SENDING = "SENDING"
    """A payout of it is under way."""
    DISBURSED = "DISBURSED"
    """Its payout is confirmed."""
    FAILED = "FAILED"
    """Its payout failed: a person may have it sent again."""
    CANCELLED = "CANCELLED"
    """What it was a share of was reversed before it was sent."""


_S = DispersalState
_LEASED, _OPERATION = Guard.LEASED, Guard.OPERATION
_AFTER_ALL = "a payout that had failed was paid after all"

DISPERSALS: Final = Machine(
    kind="dispersal",
    table="dispersals",
    initial=frozenset({_S.PENDING}),
    moves=(
        Move(source=_S.PENDING, target=_S.CANCELLED, guard=_OPERATION, when="its receipt was reversed"),
        Move(source=_S.PENDING, target=_S.SENDING, guard=_LEASED, when="a payout of it is made"),
        Move(source=_S.SENDING, target=_S.DISBURSED, guard=_OPERATION, when="its payout is confirmed"),
        Move(source=_S.SENDING, target=_S.FAILED, guard=_OPERATION, when="its payout failed, or was withdrawn"),
        Move(source=_S.DISBURSED, target=_S.FAILED, guard=_OPERATION, when="its payout was given back"),
        Move(source=_S.FAILED, target=_S.PENDING, guard=_OPERATION, when="a person resets it"),
        Move(source=_S.FAILED, target=_S.DISBURSED, guard=_OPERATION, when=_AFTER_ALL),
        Move(source=_S.PENDING, target=_S.DISBURSED, guard=_OPERATION, when=_AFTER_ALL),
    ),
    calls=(
        Call(state=_S.PENDING, outcome=None, job=DISBURSE, due="its `eligible_on`; unpaid hourly, too small: a person"),
        Call(state=_S.SENDING, outcome=None, job=None, due="its payout, which moves it"),
        Call(state=_S.DISBURSED, outcome=None, job=None, due="ended, unless its payout is given back"),
        Call(state=_S.FAILED, outcome=None, job=None, due="a person may reset it"),
        Call(state=_S.CANCELLED, outcome=None, job=None, due="ended"),
    ),
)  # fmt: skip
"""The frozen table of a dispersal's life."""


class NoCashError(RefusedError):
    """A settled obligation for which the journal says that nothing was received."""


class NoDateError(RefusedError):
    """A settled obligation that does not say when it was settled."""


class InconsistentReplayError(RefusedError):
    """A dispersal was begun and is not whole: never topped up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a dispersal is calculated from, all of it; amounts in minor units of one currency."""

    received: int
    """What the journal says was received for the obligation, net of reversals."""
    settled_on: date | None
    kind: str
    method: str | None
    """How it was collected."""
    principal: int
    fee_rate_ppm: int
    """A year, in parts per million."""
    frequency: str
    positions: Mapping[UUID, int]
    """Units by lender."""
    reroutes: Sequence[Reroute] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculation:
    """How an amount is divided: `received` is `fee_applied` and all `shares`."""

    received: int
    fee_due: int
    fee_applied: int
    shares: Mapping[UUID, int]
    """By lender, in the order of their ids; none of zero."""
    settled_on: date
    eligible_on: date

    @property
    def fee_receivable(self) -> int:
        """What the fee lacks."""
        return self.fee_due - self.fee_applied

    @property
    def distributable(self) -> int:
        """What is left for the lenders."""
        return self.received - self.fee_applied


def calculate(inputs: Inputs) -> Calculation:
    """Divide what was received. Adds up exactly, whatever the size and the order of the input.

    Raises `NoCashError`, `NoDateError`, `RefusedError` where nobody has a position or a reroute takes more
    than there is, `BadInputError` for a frequency nobody knows or a day too late.
    """
    if inputs.received <= 0:
        raise NoCashError("the journal says that nothing was received for it")
    if inputs.settled_on is None:
        raise NoDateError("it is settled, and nobody says since when")
    regular = inputs.kind == ObligationKind.REGULAR_INTEREST
    due = fee_due(inputs.principal, inputs.fee_rate_ppm, inputs.frequency) if regular else 0
    units = rerouted(inputs.positions, inputs.reroutes, inputs.settled_on)
    if not units:
        raise RefusedError("nobody has a position in its mortgage")
    applied = min(inputs.received, due)
    shares = allocate(inputs.received - applied, units)
    made = Calculation(
        received=inputs.received,
        fee_due=due,
        fee_applied=applied,
        shares={lender: shares[lender] for lender in sorted(shares) if shares[lender]},
        settled_on=inputs.settled_on,
        eligible_on=eligible_on(inputs.settled_on, inputs.method),
    )
    if sum(made.shares.values()) + made.fee_applied != inputs.received:
        raise AssertionError("shares and fee are what was received")
    return made


def check_storable(made: Calculation) -> None:
    """Raise `RefusedError`, naming it, for an amount that 64 bits cannot hold."""
    amounts = {"received": made.received, "fee due": made.fee_due}
    for name, amount in amounts.items():
        if amount > MINOR_MAX:
            raise RefusedError(f"{name} {amount} is larger than can be stored (64 bits)")


def payout_name(dispersal: UUID, number: int) -> str:
    """Return the external id, hence the identity, of the payout that is the `number`-th to pay a dispersal."""
    return f"dispersal:{dispersal}" + (f":{number}" if number > 1 else "")


def disbursement_key(payout_external_id: str) -> str:
    """Return the key of the entry that a dispersal was paid by the payout of this name."""
    return "disbursement:" + payout_external_id.removeprefix("dispersal:")


def dispersal_id(obligation: UUID, generation: int, lender: UUID) -> UUID:
    """Return the share of a lender in a generation of an obligation: the same after a restore."""
    return uuid5(obligation, f"dispersal:{generation}:{lender}")

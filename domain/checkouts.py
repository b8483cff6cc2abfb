"""What a customer asks for when a checkout is begun, and what they are told of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Final
from uuid import UUID

from domain.errors import BadInputError
from domain.owners import CustomerOwner, OrganisationOwner, owned_by

KEY_LENGTH_MAX: Final = 255
PLACES_MAX: Final = 100
TIMES_MAX: Final = 100
"""That one checkout of a private plan takes, as its table has it."""
SCOPE: Final = "checkout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Under which key, by whom, something is asked for: the same three are the same payment."""

    scope: str
    actor: str
    key: str

    def __post_init__(self) -> None:
        for name, value in (("scope", self.scope), ("actor", self.actor), ("key", self.key)):
            if not 0 < len(value) <= KEY_LENGTH_MAX or not value.isprintable():
                rule = f"must be 1 to {KEY_LENGTH_MAX} printable characters"
                raise BadInputError(name, value, rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One checkout: an appointment of a shared plan, or times (aware) of a private one.

    What wallet and credit pay is in minor units; the gateway is asked for the rest. `booking` is a
    wish of the same customer that this pays for; without it one is made. `organisation` is whose
    wallet pays, where it is not the customer's own.
    """

    customer: CustomerOwner
    plan: UUID
    appointment: UUID | None = None
    starts: tuple[datetime, ...] = ()
    places: int = 1
    wallet_minor: int = 0
    credit_minor: int = 0
    booking: UUID | None = None
    organisation: OrganisationOwner | None = None

    def __post_init__(self) -> None:
        owned_by(self.customer)
        if (self.appointment is None) == (not self.starts):
            raise BadInputError("checkout", self.plan, "needs an appointment, or times, not both")
        if not 1 <= self.places <= PLACES_MAX:
            raise BadInputError("places", self.places, f"must be 1 to {PLACES_MAX}")
        if min(self.wallet_minor, self.credit_minor) < 0:
            raise BadInputError("legs", self.wallet_minor, "must not be below zero")
        if self.organisation is not None and not self.wallet_minor:
            whose = self.organisation.id
            raise BadInputError("organisation", whose, "needs an amount that its wallet pays")
        if any(at.tzinfo is None for at in self.starts):
            raise BadInputError("starts", str(self.starts[0]), "must have its zone")

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what is asked for: the same key with another one is an error."""
        said = (
            str(self.customer.id),
            str(self.plan),
            str(self.appointment),
            [at.astimezone(UTC).isoformat() for at in self.starts],
            self.places,
            self.wallet_minor,
            self.credit_minor,
            str(self.booking),
            str(self.organisation.id if self.organisation else None),
        )
        return sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a checkout: the gateway is to be paid `gateway_minor` under `gateway_order` until `expires_at`."""

    payment: UUID
    booking: UUID
    state: str
    amount_minor: int
    gateway_minor: int
    currency: str
    order: UUID | None
    gateway: str | None
    gateway_order: str | None
    """What the gateway calls the order; None until it has made it."""
    expires_at: datetime
    replayed: bool


def spans(
    starts: Sequence[datetime], *, minutes: int, times: int, now: datetime
) -> list[tuple[datetime, datetime]]:
    """The times of a private plan that begin at `starts`, in order. Raises `BadInputError`."""
    if len(starts) != times:
        raise BadInputError("starts", len(starts), f"this plan takes {times} at once")
    each = timedelta(minutes=minutes)
    found = [(at, at + each) for at in sorted(starts)]
    if found[0][0] <= now:
        raise BadInputError("starts", found[0][0].isoformat(), "must lie in the future")
    if any(end > begins for (_, end), (begins, _) in pairwise(found)):
        raise BadInputError("starts", found[0][0].isoformat(), "must not overlap")
    return found

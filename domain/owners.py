"""Whose something must be: a query by owner takes one of these, and none never means everyone."""

from dataclasses import dataclass
from uuid import UUID

from domain.errors import BrokenError


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerOwner:
    """What belongs to one customer."""

    id: UUID

    def __post_init__(self) -> None:
        _present(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultantOwner:
    """What belongs to one consultant, by the id of their payee."""

    id: UUID

    def __post_init__(self) -> None:
        _present(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationOwner:
    """What belongs to one organisation, by the id of their payee."""

    id: UUID

    def __post_init__(self) -> None:
        _present(self.id)


Owner = CustomerOwner | ConsultantOwner | OrganisationOwner


def owned_by(owner: Owner) -> UUID:
    """The id to filter by. Raises `BrokenError` where a caller lost its owner on the way."""
    _present(owner)
    return owner.id


def _present(value: object) -> None:
    if value is None:
        raise BrokenError("a filter by owner without an owner: that never means everyone")

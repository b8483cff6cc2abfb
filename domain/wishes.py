"""What a customer asks a consultant for before anything is paid, and what is said of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from domain.owners import CustomerOwner, owned_by

SCOPE: Final = "wish"
DECIDED_MAX: Final = 100
"""Wishes that are decided on at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A plan that a customer would book, once its consultant agrees."""

    customer: CustomerOwner
    plan: UUID

    def __post_init__(self) -> None:
        owned_by(self.customer)

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what is asked for: the same key with another one is an error."""
        return sha256(json.dumps([str(self.customer.id), str(self.plan)]).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """Where a wish is, and when it ends there by itself; `until` None: nothing ends it as a wish any more."""

    booking: UUID
    state: str
    until: datetime | None
    replayed: bool

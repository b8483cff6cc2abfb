"""What one claim took: the items to act on, and how many it handed on instead."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from db.work import Held


class Item(Protocol):
    """Something claimed: it knows the lease it is under."""

    @property
    def held(self) -> Held:
        """The work row as its holder knows it."""


ItemT = TypeVar("ItemT", bound=Item)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Generic[ItemT]):
    """One claim. `taken` counts work rows leased, 0 meaning that nothing was ready."""

    items: list[ItemT]
    taken: int

    @property
    def skipped(self) -> int:
        """Rows handed on by their state, or parked."""
        return self.taken - len(self.items)

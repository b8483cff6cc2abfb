"""What a family of jobs keeps in the database, as the audit and the listings need to know it."""

from dataclasses import dataclass

from db.invariant import Invariant
from domain.machines import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """An aggregate, what it promises, and how people read it."""

    machine: Machine
    promises: tuple[Invariant, ...]
    columns: tuple[str, ...] = ("id", "state", "created_at", "updated_at")
    """What a listing shows, of its table, in this order."""
    details: tuple[str, ...] = ()
    """What `show` tells beside them."""
    named_by: str = "id"
    """The column that other systems know it by; unique."""

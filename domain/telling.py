"""What an event tells us once it is read: where a payout is, nothing for us, or nothing that can be read."""

from dataclasses import dataclass

from domain.answers import ProviderPayout


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingToDo:
    """An event of a type, or of a provider, from which nothing follows here."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An event that ought to tell something and cannot be understood."""

    why: str


Telling = ProviderPayout | NothingToDo | Unreadable
"""A closed union."""


def inside(document: object, *names: str) -> object:
    """Return what stands at the end of `names` in decoded JSON, or None where the way breaks off."""
    found = document
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found

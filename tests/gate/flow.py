"""One flow of the release gate: what keeps its promise, and what proves that."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One line of the release gate.

    `worlds` are crash worlds by the name before their variant, `races` the beginnings of names.
    """

    name: str
    constraints: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ()
    races: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    """Of the constraints of a job's shape, those that it does without."""
    transaction: str = ""
    lease: str = ""


BOOKS: Final = ("entries_key_key", "never_below_zero", "two_accounts")
"""What keeps the books of whoever posts to them."""

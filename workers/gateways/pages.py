"""Pages of a provider's payouts: what a reader of lists needs of any provider."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from domain.answers import LookUpFailed, ProviderPayout

PAGE_MAX: Final = 100
"""The most payouts that a provider puts on one page; both ours do."""


class ReadFailedError(Exception):
    """A read did not work: it says nothing about any payment."""

    def __init__(self, failed: LookUpFailed) -> None:
        self.failed = failed
        super().__init__(failed.reason)


class Under(NamedTuple):
    """The list of one reference."""

    reference: str


class Within(NamedTuple):
    """The list of what was created from one unix second to another, both included."""

    first: int
    last: int


Listed = Under | Within


class Page(NamedTuple):
    """A piece of a list, newest first."""

    payouts: list[ProviderPayout]
    is_last: bool


class Pages(Protocol):
    """The provider's read calls for one account. Each raises `ReadFailedError`."""

    def page(self, listed: Listed, before: Sequence[ProviderPayout], until: float) -> Page:
        """Return what follows `before`, the list's earlier pages one after the other.

        A page with an entry that cannot be read fails as a whole: nothing is ever left out.
        """

    def one(self, provider_id: str, until: float) -> ProviderPayout | None:
        """Return the payout of that id, None where there is none."""

    def balance(self, until: float) -> dict[str, int]:
        """Return what the account can pay out, in minor units by currency."""

    def check(self, until: float) -> None:
        """Read the balance, and keep nothing of it."""

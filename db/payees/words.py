"""What is said of an account of a payee: as an operator says it, as it is kept, as a proposal keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from domain.errors import BadInputError
from domain.payees import AccountKind

_SPELLED: Final = {True: "yes", False: "no"}
_SAID: Final[Mapping[tuple[str, object], bool]] = {
    ("default", "yes"): True,
    **{(word, text): yes for word in ("active", "verified") for yes, text in _SPELLED.items()},
}

CLOSED_AT_ONCE: Final = "closes it (inactive, unverified), which one person says at once: `payees set`, apart from what two people let in"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWords:
    """What is said of one account; None: nothing."""

    fund_account_id: str
    is_default: bool = False
    """Whether it is to be the default, in place of whichever is."""
    is_active: bool | None = None
    is_verified: bool | None = None
    kind: AccountKind | None = None

    @property
    def lets_more_in(self) -> bool:
        """Whether money may go where it might not before: under `policy:maker-checker` two people say so."""
        return self.is_default or self.is_active is True or self.is_verified is True

    @property
    def closes(self) -> bool:
        """Whether money may go no more where it might before: one person says so, at once."""
        return self.is_active is False or self.is_verified is False

    @property
    def details(self) -> dict[str, str]:
        """As a proposal keeps them."""
        said = {
            "default": self.is_default or None,
            "active": self.is_active,
            "verified": self.is_verified,
        }
        words = {word: _SPELLED[yes] for word, yes in said.items() if yes is not None}
        return words if self.kind is None else {**words, "kind": self.kind}

    @classmethod
    def of_details(cls, fund_account_id: str, details: Mapping[str, object]) -> Self:
        """Read `details` back. Raises `BadInputError` for what is none, or says nothing."""
        words = {word: _SAID[word, text] for word, text in details.items() if (word, text) in _SAID}
        kind = next((kind for kind in AccountKind if details.get("kind") == kind), None)
        if not details or len(words) + (kind is not None) < len(details):
            rule = "must be default=yes, active=yes|no, verified=yes|no, kind=bank|vpa, one of them at least"
            raise BadInputError("payee.account", dict(details), rule)
        made = cls(
            fund_account_id=fund_account_id,
            is_default=words.get("default", False),
            is_active=words.get("active"),
            is_verified=words.get("verified"),
            kind=kind,
        )
        if made.closes:
            raise BadInputError("payee.account", dict(details), CLOSED_AT_ONCE)
        return made

    @property
    def words(self) -> list[str]:
        """As they are said, and kept."""
        said = [
            (self.is_default, "default"),
            (self.is_active is True, "active"),
            (self.is_active is False, "inactive"),
            (self.is_verified is True, "verified"),
            (self.is_verified is False, "unverified"),
        ]
        words = [word for is_said, word in said if is_said]
        return words if self.kind is None else [*words, self.kind.value]

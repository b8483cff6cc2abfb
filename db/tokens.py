"""Names that prove themselves by a token: what a name may be, and the hash that is kept of the token."""

import hashlib
from typing import Final

from domain.errors import BadInputError

NAME_MAX: Final = 64
TOKEN_MIN: Final = 32
"""Characters a token must have: it is random, so that its bare hash tells nothing."""


def hash_of(token: str) -> str:
    """Return what is stored of a token: its SHA-256, 64 hex digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def check(kind: str, name: str, token: str) -> None:
    """Raise `BadInputError` for a name (of a `kind`) that history could not tell apart, or a token that is none."""
    if (
        not name.isprintable()
        or not 0 < len(name) <= NAME_MAX
        or name != name.strip()
        or ":" in name
    ):
        rule = f"must be 1 to {NAME_MAX} printable characters without a colon or outer space"
        raise BadInputError(kind, name, rule)
    if len(token) < TOKEN_MIN:
        raise BadInputError("token", "…", f"must have at least {TOKEN_MIN} characters")

"""What a payee is: it says which jobs pay them."""

from enum import StrEnum


class PayeeKind(StrEnum):
    """Whom a payout is for."""

    PERSON = "person"
    """Also whoever nobody has told anything of."""
    ORGANISATION = "organisation"

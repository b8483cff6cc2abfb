"""Identifiers made from what is imported, never from when: a repeated import makes the same.

A database restored to an hour ago and imported into again so makes the same payouts, hence the
same effect keys, and the provider recognises each payment it has already made.
"""

from uuid import UUID, uuid5


def payout_id(installation: UUID, external_id: str) -> UUID:
    """Return the payout that `external_id` names in this installation (UUID version 5)."""
    return uuid5(installation, f"payout:{external_id}")


def payee_id(installation: UUID, payee: str) -> UUID:
    """Return the payee of that name in this installation (UUID version 5)."""
    return uuid5(installation, f"payee:{payee}")


def payout_account_id(installation: UUID, payee: str, fund_account_id: str) -> UUID:
    """Return the payee's account with that provider token (UUID version 5).

    The token comes first: it holds no colon, so no two pairs share a name.
    """
    return uuid5(installation, f"payout_account:{fund_account_id}:{payee}")

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


def reference(payout: UUID, generation: int) -> str:
    """What the provider files a generation of a payout under; at most 40 characters.

    The bare id for the first generation. A later one carries its number, so that a look-up never
    finds the refused generation beside the live one.
    """
    return str(payout) if generation == 1 else f"{payout}-{generation}"


def of_reference(text: str | None) -> tuple[UUID, int] | None:
    """Return the payout and generation that `reference` made `text` of, or None: it made no such text."""
    id_, number = (text or "")[:36], (text or "")[37:]
    try:
        payout, generation = UUID(id_), int(number or 1)
    except ValueError:
        return None
    return (payout, generation) if reference(payout, generation) == text else None

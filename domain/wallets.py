"""Wallets: how one is named, and what is left of it for its owner."""

from uuid import UUID, uuid5


def wallet_id(payee: UUID, currency: str) -> UUID:
    """Return the wallet of a payee in a currency (UUID version 5): the same after a restore."""
    return uuid5(payee, f"wallet:{currency}")


def credit_key(reference: str) -> str:
    """Return the key of the entry that credits a wallet, once for each reference."""
    return f"wallet:credited:{reference}"

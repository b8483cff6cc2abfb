"""Whose wallet pays a checkout: the customer's own, or that of the organisation they belong to. Never another's."""

from typing import Final

import sqlalchemy as sa

from db.tx import Row, Tx
from db.wallets.rows import lock_wallets
from domain.booking_errors import TooLittleError, UnknownError
from domain.checkouts import Wanted
from domain.owners import CustomerOwner, OrganisationOwner, owned_by

_OWN: Final = sa.text("""
    SELECT w.id, w.account FROM wallets w JOIN customers c ON c.payee = w.payee
    WHERE c.id = :customer AND w.currency = :currency""")
_MEMBER: Final = sa.text("""
    SELECT true FROM customers c JOIN payees y ON y.id = c.organisation
    WHERE c.id = :customer AND c.organisation = :organisation AND y.kind = 'organisation'""")
_THEIRS: Final = sa.text("""
    SELECT w.id, w.account FROM wallets w WHERE w.payee = :organisation AND w.currency = :currency""")
_LEFT: Final = sa.text("SELECT wallet_left(CAST(:wallet AS uuid), :account)")


def check_membership(tx: Tx, owner: OrganisationOwner, customer: CustomerOwner) -> None:
    """See that an organisation pays for this customer. Raises `UnknownError`, which does not say whether there is one."""
    organisation = owned_by(owner)
    if not tx.scalar(_MEMBER, customer=owned_by(customer), organisation=organisation):
        raise UnknownError(f"there is no organisation {organisation} that pays for this customer")


def wallet_that_pays(tx: Tx, wanted: Wanted, currency: str, minor: int) -> int:
    """The account that `minor` units are taken from; its wallet is held to the end of this transaction.

    Raises `TooLittleError` where there is no such wallet, or less is left of it than that.
    """
    wallet = _wallet(tx, wanted, currency)
    if wallet is not None:
        lock_wallets(tx, [wallet.id])
    if wallet is None or tx.scalar(_LEFT, wallet=wallet.id, account=wallet.account) < minor:
        raise TooLittleError("the wallet holds less than was to be taken from it")
    account: int = wallet.account
    return account


def _wallet(tx: Tx, wanted: Wanted, currency: str) -> Row | None:
    if wanted.organisation is None:
        return tx.row(_OWN, customer=owned_by(wanted.customer), currency=currency)
    return tx.row(_THEIRS, organisation=owned_by(wanted.organisation), currency=currency)

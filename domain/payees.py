"""What a payee is: it says which jobs pay them."""

from enum import StrEnum
from typing import Final


class PayeeKind(StrEnum):
    """Whom a payout is for."""

    PERSON = "person"
    """Also whoever nobody has told anything of."""
    ORGANISATION = "organisation"


class AccountKind(StrEnum):
    """What a payee's account at the provider is: it says which ways lead there."""

    BANK = "bank"
    VPA = "vpa"
    """An address of UPI."""


NOT_ACTIVE: Final = "not active"
NOT_VERIFIED: Final = "not verified"


def account_fault(*, is_active: bool, is_verified: bool) -> str | None:
    """Why nothing may be sent to an account; None where it may."""
    if not is_active:
        return NOT_ACTIVE
    return None if is_verified else NOT_VERIFIED


def cure(payee: str, account: str, fault: str) -> str:
    """The command that lets a payee be paid again whose default account has a fault."""
    if fault == NOT_VERIFIED:
        return f'bursar payees set "{payee}" --account {account} --verified --why "…"'
    return f'bursar payees set "{payee}" --account ANOTHER --default --why "…"'

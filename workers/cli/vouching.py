"""What lets an account of a payee be paid: under `policy:maker-checker` one person says it, and another agrees."""

from typing import TYPE_CHECKING, Final
from uuid import UUID

from db import proposals, switches
from db.payees import accounts, listing
from db.payees.words import CLOSED_AT_ONCE, AccountWords
from domain.errors import BadInputError
from domain.switches import MAKER_CHECKER

if TYPE_CHECKING:
    from db.tx import Tx
    from workers.cli.actions import Agreed, Details
    from workers.cli.context import Context

ACTION: Final = "payee.account"
_OF: Final = " of "
"""Between an account, which has no spaces in it, and its payee."""


def account_there(
    tx: "Tx", subject: str, details: "Details"
) -> tuple[tuple[UUID, str], AccountWords]:
    """The payee that `subject` (ACCOUNT of PAYEE) is about, and what `details` say of the account."""
    account, _, name = subject.partition(_OF)
    payee = listing.find(tx, name)
    if subject != f"{account}{_OF}{payee[1]}":
        rule = f"must be an account and its payee's name: {account or 'ACCOUNT'} of {payee[1]}"
        raise BadInputError(ACTION, subject, rule)
    accounts.check(tx, payee, account)
    return payee, AccountWords.of_details(account, details)


def say(tx: "Tx", agreed: "Agreed") -> str:
    """Say of an account what two people agreed on."""
    payee, said = account_there(tx, agreed.subject, agreed.details)
    accounts.set_account(tx, payee, said, actor=agreed.both, why=agreed.why)
    return f"account {agreed.subject} is {', '.join(said.words)}"


def proposed_first(
    tx: "Tx", here: "Context", payee: tuple[UUID, str], said: AccountWords, *, why: str
) -> int | None:
    """Where two people are needed, write down what `said` would let in, for another; the proposal's number.

    Raises `BadInputError` where it closes the account as well: that waits for nobody.
    """
    if not said.lets_more_in or not switches.is_on(tx, MAKER_CHECKER):
        return None
    if said.closes:
        raise BadInputError("--account", said.fund_account_id, CLOSED_AT_ONCE)
    accounts.check(tx, payee, said.fund_account_id)
    subject = f"{said.fund_account_id}{_OF}{payee[1]}"
    return proposals.propose(tx, ACTION, subject, said.details, by=here.operator, why=why)

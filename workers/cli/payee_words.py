"""`payees set`: what operators say of a payee: where it is paid, whether it may be, where it is told."""

from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import BadInputError
from workers.cli.asking import Why, reason
from workers.cli.context import context
from workers.cli.payee_options import (
    Account,
    AccountSaid,
    Active,
    Class,
    Default,
    Email,
    Kind,
    NoEmail,
    Pan,
    Resident,
    Verified,
)

if TYPE_CHECKING:
    from uuid import UUID

    from db.payees.setting import TaxWords
    from db.payees.words import AccountWords
    from db.tx import Tx
    from workers.cli.context import Context


def set_(
    ctx: typer.Context,
    payee: Annotated[str, typer.Argument(help="Name or id.")],
    why: Why,
    account: Account = None,
    default: Default = False,
    active: Active = None,
    verified: Verified = None,
    account_kind: Kind = None,
    tax_class: Class = None,
    pan: Pan = None,
    resident: Resident = None,
    email: Email = None,
    no_email: NoEmail = False,
) -> None:
    """Say where a payee is paid and told of payouts, from the next one on.

    A payout that is made already keeps the account it was made for; what is withheld is looked at when it
    is sent. While policy:maker-checker is on,
    what lets an account be paid (--default, --active, --verified) is only proposed, and another operator
    approves it.
    """
    from db.payees import listing as rows, setting

    here, because = context(ctx), reason(why)
    said = _account(account, AccountSaid(default, active, verified, account_kind))
    tax = setting.TaxWords(tax_class=tax_class, has_pan=pan)
    is_said = said is not None or resident is not None or bool(tax.words)
    _check(payee, email, no_email=no_email, is_said=is_said)
    with here.database().begin() as tx:
        id_, name = rows.find(tx, payee)
        told = list[str]()
        if said is not None:
            told.append(_say(tx, here, (id_, name), said, why=because))
        if tax.words:
            setting.set_tax(tx, id_, tax, actor=here.actor, why=because)
            told.append(f"{name} is taxed as {_taxed(tax)}")
        if resident is not None:
            setting.set_residence(tx, id_, resident=resident, actor=here.actor, why=because)
            told.append(f"{name} is {setting.RESIDENCE[resident]}")
        if email is not None or no_email:
            told.append(_address(tx, id_, name, email, who=here.actor, why=because))
    typer.echo("\n".join(told))


def _say(
    tx: "Tx", here: "Context", payee: "tuple[UUID, str]", said: "AccountWords", *, why: str
) -> str:
    """Say it of an account, or propose it where two people are needed; what was done."""
    from db.payees.accounts import set_account
    from workers.cli.vouching import proposed_first

    of, words = f"account {said.fund_account_id} of {payee[1]}", ", ".join(said.words)
    made = proposed_first(tx, here, payee, said, why=why)
    if made is not None:
        return f"{of} is as it was: that it is {words} is proposal {made}, another operator: bursar approve {made}"
    set_account(tx, payee, said, actor=here.actor, why=why)
    return f"{of} is {words}"


def _taxed(said: "TaxWords") -> str:
    words = [] if said.tax_class is None else [said.tax_class.value]
    if said.has_pan is not None:
        words.append("with a PAN" if said.has_pan else "without a PAN")
    return ", ".join(words)


def _account(account: str | None, said: AccountSaid) -> "AccountWords | None":
    """What is said of an account; raises `BadInputError` where that is half said, or against itself."""
    from db.payees.words import AccountWords

    is_said = said != AccountSaid(default=False, active=None, verified=None, kind=None)
    if account is None and not is_said:
        return None
    if account is None or not is_said:
        rule = (
            "--default, --active, --inactive, --verified, --unverified and --account-kind go with an --account, "
            "and it with them"
        )
        raise BadInputError("--account", account or "", rule)
    words = AccountWords(
        fund_account_id=account,
        is_default=said.default,
        is_active=said.active,
        is_verified=said.verified,
        kind=said.kind,
    )
    if words.is_default and words.closes:
        rule = "a default account is active and verified, or nobody is paid"
        raise BadInputError("--default", account, rule)
    return words


def _check(payee: str, email: str | None, *, no_email: bool, is_said: bool) -> None:
    from domain.mails import is_address
    from domain.payee_lines import ADDRESS_RULE

    if email is not None and no_email:
        raise BadInputError("payees set", payee, "say either --email or --no-email")
    if email is None and not no_email and not is_said:
        rule = (
            "say what is so: of an --account, --tax-class, --pan, --resident, --email or --no-email"
        )
        raise BadInputError("payees set", payee, rule)
    if email is not None and not is_address(email):
        raise BadInputError("--email", email, ADDRESS_RULE)


def _address(tx: "Tx", payee: "UUID", name: str, email: str | None, *, who: str, why: str) -> str:
    from db.payees.setting import set_address

    set_address(tx, payee, email, actor=who, why=why)
    return f"{name} is told of payouts at {email}" if email else f"{name} is told by no mail"

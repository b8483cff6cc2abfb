"""The options of `payees set`, and what they say of an account together."""

from typing import Annotated, NamedTuple

import typer

from domain.payees import AccountKind
from domain.tax import TaxClass

Account = Annotated[
    str | None, typer.Option("--account", help="Which account, as its provider knows it.")
]
Default = Annotated[bool, typer.Option("--default", help="Batches pay to it from now on.")]
Active = Annotated[
    bool | None, typer.Option("--active/--inactive", help="Whether anything may be sent there.")
]
Verified = Annotated[
    bool | None, typer.Option("--verified/--unverified", help="Whether it is proven theirs.")
]
Kind = Annotated[AccountKind | None, typer.Option("--account-kind", help="Which ways lead there.")]
Class = Annotated[TaxClass | None, typer.Option("--tax-class", help="Whose income theirs is.")]
Pan = Annotated[
    bool | None, typer.Option("--pan/--no-pan", help="Whether they gave a PAN or Aadhaar.")
]
Resident = Annotated[
    bool | None,
    typer.Option("--resident/--non-resident", help="Of India: who is not is paid by hand."),
]
Email = Annotated[str | None, typer.Option("--email", help="Where they are told of payouts.")]
NoEmail = Annotated[bool, typer.Option("--no-email", help="They are told nowhere.")]


class AccountSaid(NamedTuple):
    """What the options say of an account; False and None: nothing."""

    default: bool
    active: bool | None
    verified: bool | None
    kind: AccountKind | None

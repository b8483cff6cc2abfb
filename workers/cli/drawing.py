"""Pictures as commands make them; the money flow of an obligation: accounts side by side, the legs between them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from domain.errors import BadInputError
from domain.ledger import AccountKind, Side
from domain.money import format_major
from workers.cli.asking import say

if TYPE_CHECKING:
    from db.obligations.flow import Account, Leg
    from workers.charts.flow import Arrow, Box

_K: Final = AccountKind
ORDER: Final = (
    _K.CASH_CLEARING, _K.CONTROL_WAIVER, _K.WRITE_OFF, _K.CONTROL_ACCRUAL, _K.BORROWER_RECEIVABLE, _K.UNAPPLIED_CASH,
    _K.TRUST_CASH, _K.SUSPENSE, _K.CONTROL_SETTLEMENT, _K.CONTROL_ALLOCATION, _K.SERVICING_REVENUE, _K.LENDER_PAYABLE,
)  # fmt: skip
"""Kinds of accounts from the borrower's side to the lenders'; others stand behind them."""


def picture(title: str, legs: "Sequence[Leg]") -> str:
    """Draw legs as SVG."""
    from workers.charts.flow import flow

    accounts = {account.id: account for leg in legs for account in (leg.debit, leg.credit)}
    placed = sorted(accounts.values(), key=_place)
    places = {account.id: place for place, account in enumerate(placed)}
    arrows = [_arrow(leg, places) for leg in legs]
    return flow(title, [_box(account, legs) for account in placed], arrows)


def _place(account: "Account") -> tuple[int, str, int]:
    kind = AccountKind(account.kind)
    return ORDER.index(kind) if kind in ORDER else len(ORDER), account.owner, account.id


def _box(account: "Account", legs: "Sequence[Leg]") -> "Box":
    from workers.charts.flow import Box

    debits = sum(leg.amount for leg in legs if leg.debit == account)
    credits_ = sum(leg.amount for leg in legs if leg.credit == account)
    held = debits - credits_ if account.normal == Side.DEBIT else credits_ - debits
    return Box(name=account.kind, owner=account.owner, held=_said(held, legs[0].currency))


def _arrow(leg: "Leg", places: Mapping[int, int]) -> "Arrow":
    from workers.charts.flow import Arrow

    amount = _said(leg.amount, leg.currency)
    return Arrow(
        source=places[leg.credit.id],
        target=places[leg.debit.id],
        amount=amount,
        entry=f"{leg.effective_on} {leg.type}",
        part_of=leg.key,
        detail=f"{leg.key}: {amount} from {leg.credit.kind} to {leg.debit.kind}",
    )


def _said(minor: int, currency: str) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{format_major(abs(minor), currency)} {currency}"


def save(path: Path, svg: str, option: str) -> None:
    """Write a picture into the file that an option names. Raises `BadInputError` where that cannot be."""
    try:
        path.write_text(svg, encoding="utf-8")
    except OSError as error:
        raise BadInputError(option, str(path), f"cannot be written: {error.strerror}") from error
    say(f"drawn into {path}")

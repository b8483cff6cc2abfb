"""A payee's statement as a paper: for each currency the balances, what moved them, what was paid."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from domain import payee_statements
from domain.payee_statements import CurrencyStatement, PayeeStatement
from workers.papers.paper import Paper, Table

SUMMARY: Final = ("line", "count", "amount_minor")
MOVEMENTS: Final = ("at", "event", "document", "account", "change_minor", "balance_minor")
PAYMENTS: Final = (
    *("payout", "paid_at", "state", "utr"),
    *("gross_minor", "tax_minor", "recovered_minor", "net_minor"),
)
OWED: Final = "owed to the payee"
OWING: Final = "owed by the payee"
ACCOUNTS: Final = {
    **dict.fromkeys(payee_statements.OWED, OWED),
    **dict.fromkeys(payee_statements.OWING, OWING),
}


def paper(statement: PayeeStatement) -> Paper:
    """Return the paper. Raises `BrokenError` where what moved does not lead to the balances of the books."""
    for one in statement.currencies:
        one.check()
    return Paper(
        title=f"Statement of {statement.payee}",
        facts={
            "payee": statement.payee,
            "from": statement.start,
            "to": statement.end,
        },
        tables=[table for one in statement.currencies for table in _tables(one)],
        notes=[
            "Times are UTC; the last is not included. What is above zero is owed to the payee, below zero by them.",
            "What is paid out leaves the balance when it is sent; net is what arrived, without tax and recovered.",
        ],
    )


def _tables(one: CurrencyStatement) -> Iterator[Table]:
    currency = one.currency
    yield Table(
        section="balances",
        title=f"{currency}: balances",
        columns=SUMMARY,
        rows=list(_summary(one)),
        currency=currency,
    )
    movements: list[dict[str, object]] = [
        {
            "at": m.at,
            "event": m.event,
            "type": m.type,
            "document": m.document,
            "account": ACCOUNTS[m.account],
            "currency": currency,
            "change_minor": m.change_minor,
            "balance_minor": m.balance_minor,
        }
        for m in one.movements
    ]
    yield Table(
        section="movements",
        title=f"{currency}: movements",
        columns=MOVEMENTS,
        rows=movements,
        currency=currency,
        totals=["change_minor"],
        empty="nothing moved",
    )
    payments: list[dict[str, object]] = [
        {
            "payout": p.payout,
            "paid_at": p.paid_at,
            "state": p.state,
            "utr": p.utr,
            "currency": currency,
            "gross_minor": p.gross_minor,
            "tax_minor": p.tax_minor,
            "recovered_minor": p.recovered_minor,
            "net_minor": p.net_minor,
        }
        for p in one.payments
    ]
    yield Table(
        section="payments",
        title=f"{currency}: payouts that were paid",
        columns=PAYMENTS,
        rows=payments,
        currency=currency,
        totals=["gross_minor", "tax_minor", "recovered_minor", "net_minor"],
        empty="no payout was paid",
    )


def _summary(one: CurrencyStatement) -> Iterator[dict[str, object]]:
    """Opening and closing balance, and between them each kind of movement with its sum."""
    yield _line(one, "opening balance", None, one.opening.net_minor)
    sums: defaultdict[str, list[int]] = defaultdict(list)
    for movement in one.movements:
        sums[movement.event].append(movement.change_minor)
    for event, changes in sorted(sums.items()):
        yield _line(one, event, len(changes), sum(changes))
    yield _line(one, "closing balance", None, one.closing.net_minor)
    yield _line(one, f"of it {OWED}", None, one.closing.owed_minor)
    yield _line(one, f"of it {OWING}", None, -one.closing.owing_minor)
    yield _line(one, "clawed back meanwhile", None, one.clawed_back_minor())
    yield _line(one, "recovered meanwhile", None, one.recovered_minor())


def _line(
    one: CurrencyStatement, line: str, count: int | None, amount_minor: int
) -> dict[str, object]:
    return {"line": line, "count": count, "currency": one.currency, "amount_minor": amount_minor}

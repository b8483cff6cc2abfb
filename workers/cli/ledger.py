"""`ledger …`: the books, read."""

from typing import Annotated

import typer

from domain.errors import NotFoundError
from domain.ledger import AccountKind, EntryType
from workers.cli.asking import After, At, dicts, moment, number
from workers.cli.context import context
from workers.cli.output import Csv, Json, Limit, money_totals, show, show_one

app = typer.Typer(name="ledger", help="The books, read.", no_args_is_help=True)

SECONDS_MAX = 120.0
"""How long a balance of another day may take: it reads every posting of the account."""


@app.command("trial-balance")
def trial_balance(ctx: typer.Context, json: Json = False, csv: Csv = False) -> None:
    """Debits, credits and balance by kind of account; exit 1 where they are unequal."""
    from db import books

    with context(ctx).database().begin() as tx:
        found = dicts(books.trial_balance(tx))
    columns = ("kind", "currency", "accounts", "debits_minor", "credits_minor", "balance_minor")
    show(found, columns, json=json, csv=csv, empty="the books are empty")
    debits, credits_ = money_totals(found, "debits_minor"), money_totals(found, "credits_minor")
    for currency in sorted(debits):
        off = debits[currency] - credits_[currency]
        verdict = "equal" if off == 0 else f"UNEQUAL by {off} minor units"
        typer.echo(f"{currency}: debits and credits are {verdict}", err=json or csv)
    if debits != credits_:
        raise typer.Exit(1)


@app.command()
def accounts(
    ctx: typer.Context,
    kind: Annotated[AccountKind | None, typer.Option("--kind", case_sensitive=False)] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="A payee's id.")] = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """List accounts with their balances, each on its normal side."""
    from db import books
    from db.books import AccountPage

    page = AccountPage(kind=kind, owner=owner, after=number(after, "--after"), limit=limit)
    with context(ctx).database().begin() as tx:
        found = dicts(books.accounts(tx, page))
    columns = ("id", "kind", "payee", "normal", "debits_minor", "credits_minor", "balance_minor")
    totals = money_totals(found, "balance_minor") if kind else None
    show(found, columns, json=json, csv=csv, totals=totals, empty="no such account")


@app.command()
def entries(
    ctx: typer.Context,
    account: Annotated[
        int | None, typer.Option("--account", min=1, help="An account's id.")
    ] = None,
    kind: Annotated[EntryType | None, typer.Option("--type", case_sensitive=False)] = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """List entries, newest first, one line for each of their postings."""
    from db import books
    from db.books import EntryPage

    page = EntryPage(account=account, type=kind, after=number(after, "--after"), limit=limit)
    with context(ctx).database().begin() as tx:
        found = dicts(books.entries(tx, page))
    columns = ("id", "type", "amount_minor", "debit_kind", "credit_kind", "effective_on", "key")
    show(found, columns, json=json, csv=csv, totals=money_totals(found), empty="no such entry")


@app.command()
def balance(
    ctx: typer.Context,
    account: Annotated[int, typer.Argument(help="An account's id.", min=1)],
    at: At = None,
    json: Json = False,
) -> None:
    """Show one account's balance, now or before a time."""
    from db import books

    when = moment(at)
    with context(ctx).database().begin(SECONDS_MAX) as tx:
        row = books.balance(tx, account, when)
    if row is None:
        raise NotFoundError(f"there is no account {account}")
    show_one({**dicts([row])[0], "at": when}, json=json)

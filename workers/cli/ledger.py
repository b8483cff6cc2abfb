"""`ledger …`: the books, read."""

from typing import Annotated

import typer

from domain.errors import BadInputError, NotFoundError
from domain.ledger import AccountKind, EntryType
from workers.cli.asking import dicts, moment, number
from workers.cli.context import context
from workers.cli.listing import Asked, Csv, Found, found, listing
from workers.cli.output import Json, JsonOne, money_totals, show, show_one

app = typer.Typer(name="ledger", help="The books, read.", no_args_is_help=True)

SECONDS_MAX = 120.0
"""How long a balance of another day may take: it reads every posting there is."""

Before = Annotated[
    str | None,
    typer.Option(
        "--at", help="As it was before this time, ISO 8601 with its zone: 2026-04-01T00:00+05:30."
    ),
]


@app.command("trial-balance")
def trial_balance(
    ctx: typer.Context, at: Before = None, json: Json = False, csv: Csv = False
) -> None:
    """Debits, credits and balance by kind of account, now or before a time; exit 1 where they are unequal."""
    from db import books

    when = moment(at)
    with context(ctx).database().begin(SECONDS_MAX) as tx:
        page = found(books.trial_balance(tx, when))
    columns = ("kind", "currency", "accounts", "debits_minor", "credits_minor", "balance_minor")
    empty = "the books are empty"
    show(page.rows, columns, fields=page.fields, json=json, csv=csv, empty=empty)
    debits = money_totals(page.rows, "debits_minor")
    credits_ = money_totals(page.rows, "credits_minor")
    for currency in sorted(debits):
        off = debits[currency] - credits_[currency]
        verdict = "equal" if off == 0 else f"UNEQUAL by {off} minor units"
        typer.echo(f"{currency}: debits and credits are {verdict}", err=json or csv)
    if debits != credits_:
        raise typer.Exit(1)


ACCOUNTS = ("id", "kind", "payee", "normal", "debits_minor", "credits_minor", "balance_minor")
REJECTIONS = ("id", "at", "type", "key", "reason", "run")
ENTRIES = ("id", "type", "amount_minor", "debit_kind", "credit_kind", "effective_on", "key")


@app.command()
@listing(columns=ACCOUNTS, key="id", read=number, empty="no such account")
def accounts(
    ctx: typer.Context,
    asked: Asked[int],
    kind: Annotated[
        AccountKind | None, typer.Option("--kind", case_sensitive=False, help="Only of this kind.")
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="A payee's id.")] = None,
) -> Found:
    """List accounts with their balances, each on its normal side."""
    from db import books
    from db.books import AccountPage

    page = AccountPage(kind=kind, owner=owner, after=asked.after, limit=asked.limit)
    with context(ctx).database().begin() as tx:
        if owner is not None and not books.is_owner(tx, owner):
            rule = "must be the id of a payee, or of whatever else has an account"
            raise BadInputError("--owner", owner, rule)
        return found(books.accounts(tx, page), total="balance_minor" if kind else None)


@app.command()
@listing(columns=ENTRIES, key="id", read=number, empty="no such entry")
def entries(
    ctx: typer.Context,
    asked: Asked[int],
    account: Annotated[
        int | None, typer.Option("--account", min=1, help="An account's id.")
    ] = None,
    kind: Annotated[
        EntryType | None, typer.Option("--type", case_sensitive=False, help="Only of this type.")
    ] = None,
) -> Found:
    """List entries, newest first, one line for each of their postings."""
    from db import books
    from db.books import EntryPage

    page = EntryPage(account=account, type=kind, after=asked.after, limit=asked.limit)
    with context(ctx).database().begin() as tx:
        return found(books.entries(tx, page), total="amount_minor")


@app.command()
@listing(columns=REJECTIONS, key="id", read=number, empty="no posting was refused")
def rejections(
    ctx: typer.Context,
    asked: Asked[int],
    kind: Annotated[
        EntryType | None, typer.Option("--type", case_sensitive=False, help="Only of this type.")
    ] = None,
) -> Found:
    """List postings that a rule of the books refused, newest first."""
    from db import rejections as rows

    with context(ctx).database().begin() as tx:
        return found(rows.listing(tx, type_=kind, after=asked.after, limit=asked.limit))


@app.command()
def balance(
    ctx: typer.Context,
    account: Annotated[int, typer.Argument(help="An account's id.", min=1)],
    at: Before = None,
    json: JsonOne = False,
) -> None:
    """Show one account's balance, now or before a time."""
    from db import books

    when = moment(at)
    with context(ctx).database().begin(SECONDS_MAX) as tx:
        row = books.balance(tx, account, when)
    if row is None:
        raise NotFoundError(f"there is no account {account}")
    show_one({**dicts([row])[0], "at": when}, json=json)

"""`payees …`: who is paid, what is owed to them, and the statement they get of it."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from domain.errors import BadInputError, NotFoundError
from workers.cli.asking import dicts
from workers.cli.context import context
from workers.cli.listing import Asked, Found, found, listing, word
from workers.cli.output import Json, JsonOne, plain, show, show_one
from workers.cli.papers import Format, Out, form_of, write
from workers.cli.payee_words import set_

app = typer.Typer(
    name="payees", help="Who is paid, and what is owed to them.", no_args_is_help=True
)

COLUMNS = ("name", "kind", "tax_class", "has_pan", "owed_minor", "owing_minor", "id")
DESTINATIONS = ("fund_account_id", "kind", "active", "verified", "is_default", "id")
BALANCES = ("currency", "owed_minor", "owing_minor")
HISTORY = ("at", "what", "fund_account_id", "who", "why")

Payee = Annotated[str, typer.Argument(help="Name or id.")]


@app.command("list")
@listing(columns=COLUMNS, key="name", read=word, empty="no payee")
def list_(ctx: typer.Context, asked: Asked[str]) -> Found:
    """List payees by name: what is owed to each, and what by them, a row for each currency."""
    from db.payees import listing as rows

    with context(ctx).database().begin() as tx:
        page = rows.Page(after=asked.after, limit=asked.limit)
        return found(rows.listing(tx, page), total="owed_minor")


@app.command("show")
def show_(ctx: typer.Context, payee: Payee, json: JsonOne = False) -> None:
    """Show everything about one payee: where it is paid, what is owed."""
    from db.payees import listing as rows

    with context(ctx).database().begin() as tx:
        id_, name = rows.find(tx, payee)
        row = rows.show(tx, id_)
        accounts, balances = dicts(rows.destinations(tx, id_)), dicts(rows.balances(tx, id_))
        history = dicts(rows.history(tx, id_))
    if row is None:
        raise NotFoundError(f"there is no payee {name}")
    facts = dicts([row])[0]
    lists = {"accounts": accounts, "balances": balances, "history": history}
    told = {name: [plain(one) for one in given] for name, given in lists.items()}
    show_one({**facts, **told} if json else facts, json=json)
    if not json:
        typer.echo()
        show(accounts, DESTINATIONS, empty="no account to be paid to")
        typer.echo()
        show(balances, BALANCES, empty="nothing was ever owed")
        typer.echo()
        show(history, HISTORY, empty="no operator said anything of it")


@app.command()
def statement(
    ctx: typer.Context,
    payee: Payee,
    since: Annotated[datetime, typer.Option("--from", help="UTC.")],
    until: Annotated[datetime, typer.Option("--to", help="UTC, not included.")],
    form: Format = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """A payee's account over a time, from the books: opening balance, what moved it, closing balance."""
    from db.payees import listing as rows, statement as books
    from workers.papers.statement import paper

    wanted = form_of(form, json=json)
    start, end = since.replace(tzinfo=UTC), until.replace(tzinfo=UTC)
    if start >= end:
        raise BadInputError("--from", f"{start:%Y-%m-%d %H:%M}", "must be before --to")
    with context(ctx).database().begin(books.SECONDS) as tx:
        id_, name = rows.find(tx, payee)
        told = books.statement(tx, id_, name, start=start, end=end)
    write(paper(told), wanted, out)


app.command("set")(set_)

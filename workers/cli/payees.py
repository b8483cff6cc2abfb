"""`payees …`: who is paid, what is owed to them, and the statement they get of it."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from domain.errors import BadInputError, NotFoundError
from workers.cli.asking import Why, dicts, reason
from workers.cli.context import context
from workers.cli.listing import Asked, Found, found, listing, word
from workers.cli.output import Json, JsonOne, plain, show, show_one
from workers.cli.papers import Format, Out, form_of, write

app = typer.Typer(
    name="payees", help="Who is paid, and what is owed to them.", no_args_is_help=True
)

COLUMNS = ("name", "kind", "tax_class", "has_pan", "owed_minor", "owing_minor", "id")
DESTINATIONS = ("fund_account_id", "active", "verified", "is_default", "id")
BALANCES = ("currency", "owed_minor", "owing_minor")

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
    if row is None:
        raise NotFoundError(f"there is no payee {name}")
    facts = dicts([row])[0]
    lists = {"accounts": accounts, "balances": balances}
    told = {name: [plain(one) for one in given] for name, given in lists.items()}
    show_one({**facts, **told} if json else facts, json=json)
    if not json:
        typer.echo()
        show(accounts, DESTINATIONS, empty="no account to be paid to")
        typer.echo()
        show(balances, BALANCES, empty="nothing was ever owed")


@app.command("set")
def set_(
    ctx: typer.Context,
    payee: Payee,
    why: Why,
    email: Annotated[
        str | None, typer.Option("--email", help="Where they are told of payouts.")
    ] = None,
    no_email: Annotated[bool, typer.Option("--no-email", help="They are told nowhere.")] = False,
) -> None:
    """Say where a payee is told of payouts by mail, from the next one on."""
    from db.payees import listing as rows
    from domain.mails import is_address
    from domain.payee_lines import ADDRESS_RULE

    here, because = context(ctx), reason(why)
    if (email is None) != no_email:
        raise BadInputError("payees set", payee, "say either --email or --no-email")
    if email is not None and not is_address(email):
        raise BadInputError("--email", email, ADDRESS_RULE)
    with here.database().begin() as tx:
        id_, name = rows.find(tx, payee)
        rows.set_address(tx, id_, email, actor=here.actor, why=because)
    typer.echo(f"{name} is told of payouts at {email}" if email else f"{name} is told by no mail")


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

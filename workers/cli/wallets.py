"""`wallets …`: read what people and organisations keep with us; say how it is paid out."""

from typing import Annotated
from uuid import UUID

import typer

from domain.batching import Period
from domain.errors import BadInputError, NotFoundError
from workers.cli.asking import Why, dicts, reason, subject
from workers.cli.context import context
from workers.cli.listing import Asked, Found, found, listing
from workers.cli.output import JsonOne, plain, show, show_one

app = typer.Typer(
    name="wallets", help="Read wallets, and say how they are paid out.", no_args_is_help=True
)

COLUMNS = (
    "payee",
    "kind",
    "currency",
    "balance_minor",
    "left_minor",
    "frequency",
    "minimum_minor",
    "opted_out",
    "id",
)
Name = Annotated[str, typer.Argument(help="Id, or the owner's name.", metavar="WALLET")]


@app.command("list")
@listing(columns=COLUMNS, key="id", read=subject, empty="no such wallet")
def list_(ctx: typer.Context, asked: Asked[UUID]) -> Found:
    """List wallets, newest first: what each holds, and what of it nothing has been made of."""
    from db.wallets import listing as rows

    with context(ctx).database().begin() as tx:
        return found(rows.listing(tx, after=asked.after, limit=asked.limit), total="balance_minor")


@app.command("show")
def show_(ctx: typer.Context, wallet: Name, json: JsonOne = False) -> None:
    """Show everything about one wallet, with its history."""
    from db.wallets import listing as rows

    with context(ctx).database().begin() as tx:
        id_ = rows.find(tx, wallet)
        row = rows.show(tx, id_)
        history = dicts(rows.history(tx, id_))
    if row is None:
        raise NotFoundError(f"there is no wallet {wallet}")
    facts = dicts([row])[0]
    told = {**facts, "history": [plain(line) for line in history]} if json else facts
    show_one(told, json=json)
    if not json:
        typer.echo()
        show(history, ("at", "fact", "minor", "detail", "actor"))


@app.command("set")
def set_(
    ctx: typer.Context,
    wallet: Name,
    why: Why,
    frequency: Annotated[
        Period | None, typer.Option("--frequency", help="It is paid at most once in one.")
    ] = None,
    minimum: Annotated[
        str | None,
        typer.Option("--minimum", help="Its owner's own least, such as 500.00; 0 for none."),
    ] = None,
    opted_out: Annotated[
        bool | None, typer.Option("--opt-out/--opt-in", help="Whether batches leave it alone.")
    ] = None,
    json: JsonOne = False,
) -> None:
    """Say how a wallet is paid out, from the next batch on."""
    from db.wallets import listing as rows
    from domain.money import parse_major

    here, because = context(ctx), reason(why)
    if frequency is None and minimum is None and opted_out is None:
        rule = "say at least one of --frequency, --minimum, --opt-out and --opt-in"
        raise BadInputError("wallets set", wallet, rule)
    with here.database().begin() as tx:
        id_ = rows.find(tx, wallet)
        row = rows.show(tx, id_)
        if row is None:
            raise NotFoundError(f"there is no wallet {wallet}")
        least = None if minimum is None else parse_major(minimum, row.currency, "--minimum")
        said = rows.Wish(frequency=frequency, minimum_minor=least, opted_out=opted_out)
        rows.wish(tx, id_, said, actor=here.actor, why=because)
        row = rows.show(tx, id_)
    show_one(dicts([row])[0] if row is not None else {}, json=json)

"""`payouts …`: read payouts, and decide about those that no worker holds."""

from typing import Annotated
from uuid import UUID

import typer

from domain.errors import NotFoundError
from domain.payouts import SENDERS, PayoutState
from domain.switches import HOLD_PAYOUTS
from workers.cli.asking import Why, dicts, reason, subject, wake
from workers.cli.context import context
from workers.cli.deciding import approve, cancel, reject, retry
from workers.cli.listing import STATE, Asked, Found, found, listing
from workers.cli.maintenance import Until, turn
from workers.cli.output import JsonOne, plain, show, show_one
from workers.cli.papers import Format, Out, form_of, write
from workers.cli.sending import batch, send

app = typer.Typer(name="payouts", help="Read payouts, and decide about them.", no_args_is_help=True)

COLUMNS = ("external_id", "payee", "state", "amount_minor", "mode", "effect_state", "error", "id")


@app.command("list")
@listing(columns=COLUMNS, key="id", read=subject, empty="no such payout")
def list_(
    ctx: typer.Context,
    asked: Asked[UUID],
    state: Annotated[PayoutState | None, STATE] = None,
) -> Found:
    """List payouts, newest first."""
    from db.payouts import listing as rows
    from db.payouts.listing import Page

    with context(ctx).database().begin() as tx:
        page = Page(state=state, after=asked.after, limit=asked.limit)
        return found(rows.listing(tx, page), total="amount_minor")


@app.command("show")
def show_(
    ctx: typer.Context,
    payout: Annotated[str, typer.Argument(help="Id or external id.")],
    json: JsonOne = False,
) -> None:
    """Show everything about one payout, with its history."""
    from db.payouts import listing as rows

    with context(ctx).database().begin() as tx:
        id_ = rows.find(tx, [payout])[payout]
        row = rows.show(tx, id_)
        history = dicts(rows.history(tx, id_))
    if row is None:
        raise NotFoundError(f"there is no payout {payout}")
    facts = dict(dicts([row])[0])
    told = {**facts, "history": [plain(line) for line in history]} if json else facts
    show_one(told, json=json)
    if not json:
        typer.echo()
        show(history, ("at", "what", "fact", "detail", "actor", "run"))


@app.command()
def advice(
    ctx: typer.Context,
    payout: Annotated[str, typer.Argument(help="Id or external id.")],
    form: Format = None,
    out: Out = None,
    json: JsonOne = False,
) -> None:
    """The remittance advice of one payout: gross, tax, net, and the earnings it pays."""
    from db.payouts import advice as books, listing as rows
    from workers.papers.advice import paper

    wanted = form_of(form, json=json)
    with context(ctx).database().begin() as tx:
        told = books.advice(tx, rows.find(tx, [payout])[payout])
    write(paper(told), wanted, out)


@app.command()
def resolve(
    ctx: typer.Context,
    why: Why,
    payout: Annotated[str, typer.Argument(help="Id or external id.")],
    json: JsonOne = False,
) -> None:
    """Ask the provider about one payout in doubt, and settle it on its word.

    What the provider does not know is left as it is: two operators may then
    `bursar propose payout.resolve`.
    """
    from workers.cli.resolving import by_provider

    here = context(ctx)
    show_one(by_provider(here, payout, f"{here.actor}: {reason(why)}"), json=json)


@app.command()
def hold(ctx: typer.Context, why: Why, until: Until = None) -> None:
    """Let nothing be sent: approved payouts wait, and what is in doubt is only looked up."""
    turn(context(ctx), HOLD_PAYOUTS, on=True, why=why, until=until)


@app.command()
def resume(ctx: typer.Context, why: Why) -> None:
    """Let payouts be sent again."""
    here = context(ctx)
    turn(here, HOLD_PAYOUTS, on=False, why=why)
    wake(here, *SENDERS.values())


for decision in (batch, approve, reject, cancel, retry, send):
    app.command()(decision)

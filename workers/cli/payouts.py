"""`payouts …`: read payouts, and decide about those that no worker holds."""

from typing import Annotated

import typer

from domain.errors import NotFoundError
from domain.payouts import PayoutState
from workers.cli.asking import After, Why, dicts, reason, subject
from workers.cli.context import context
from workers.cli.deciding import approve, cancel, reject, retry
from workers.cli.output import Csv, Json, Limit, money_totals, plain, show, show_one

app = typer.Typer(name="payouts", help="Read payouts, and decide about them.", no_args_is_help=True)

COLUMNS = ("external_id", "payee", "state", "amount_minor", "mode", "effect_state", "error", "id")


@app.command("list")
def list_(
    ctx: typer.Context,
    state: Annotated[PayoutState | None, typer.Option("--state", case_sensitive=False)] = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """List payouts, newest first."""
    from db.payouts import listing
    from db.payouts.listing import Page

    start = None if after is None else subject(after, "--after")
    with context(ctx).database().begin() as tx:
        found = dicts(listing.listing(tx, Page(state=state, after=start, limit=limit)))
    show(found, COLUMNS, json=json, csv=csv, totals=money_totals(found), empty="no such payout")


@app.command("show")
def show_(
    ctx: typer.Context,
    payout: Annotated[str, typer.Argument(help="Id or external id.")],
    json: Json = False,
) -> None:
    """Show everything about one payout, with its history."""
    from db.payouts import listing

    with context(ctx).database().begin() as tx:
        id_ = listing.find(tx, [payout])[payout]
        row = listing.show(tx, id_)
        history = dicts(listing.history(tx, id_))
    if row is None:
        raise NotFoundError(f"there is no payout {payout}")
    facts = dict(dicts([row])[0])
    told = {**facts, "history": [plain(line) for line in history]} if json else facts
    show_one(told, json=json)
    if not json:
        typer.echo()
        show(history, ("at", "what", "fact", "detail", "actor", "run"))


@app.command()
def resolve(
    ctx: typer.Context,
    why: Why,
    payout: Annotated[str, typer.Argument(help="Id or external id.")],
    json: Json = False,
) -> None:
    """Ask the provider about one payout in doubt, and settle it on its word.

    What the provider does not know is left as it is: two operators may then
    `bursar propose payout.resolve`.
    """
    from workers.cli.resolving import by_provider

    here = context(ctx)
    show_one(by_provider(here, payout, f"{here.actor}: {reason(why)}"), json=json)


for decision in (approve, reject, cancel, retry):
    app.command()(decision)

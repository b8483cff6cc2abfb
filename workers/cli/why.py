"""`why KIND ID`: one dominant reason, the evidence, the next safe command."""

from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.context import context
from workers.cli.output import JsonOne, show_one

if TYPE_CHECKING:
    from domain.why import Why

app = typer.Typer(name="why", help="Why something is where it is.", no_args_is_help=True)


@app.command("payout")
def payout(
    ctx: typer.Context,
    payout: Annotated[str, typer.Argument(help="Id or external id.")],
    json: JsonOne = False,
) -> None:
    """Why a payout is where it is."""
    from db import why
    from db.payouts import listing
    from domain.why_payouts import of_payout

    with context(ctx).database().begin() as tx:
        facts = why.payout(tx, listing.find(tx, [payout])[payout])
    tell({"payout": facts.id, "state": facts.state.value}, of_payout(facts), json=json)


@app.command("earning")
def earning(
    ctx: typer.Context,
    earning: Annotated[str, typer.Argument(help="Id or external id.")],
    json: JsonOne = False,
) -> None:
    """Why an earning is where it is."""
    from db.earnings import listing, why
    from domain.why_earnings import of_earning

    here = context(ctx)
    with here.database().begin() as tx:
        facts = why.earning(tx, listing.find(tx, [earning])[earning])
    told = of_earning(facts, here.settings.payout_minimum_minor)
    tell({"earning": facts.id, "state": facts.state.value}, told, json=json)


@app.command("wallet")
def wallet(
    ctx: typer.Context,
    wallet: Annotated[str, typer.Argument(help="Id, or the owner's name.")],
    json: JsonOne = False,
) -> None:
    """Why what is left of a wallet is where it is."""
    from db.wallets import listing, why
    from domain.why_wallets import of_wallet

    here = context(ctx)
    with here.database().begin() as tx:
        facts = why.wallet(tx, listing.find(tx, wallet))
    told = of_wallet(facts, here.settings.payout_minimum_minor)
    tell({"wallet": facts.id, "payee": facts.payee}, told, json=json)


@app.command("booking")
def booking(
    ctx: typer.Context,
    booking: Annotated[str, typer.Argument(help="Id or external id.")],
    json: JsonOne = False,
) -> None:
    """Why a booking is where it is."""
    from db import subjects
    from db.bookings import why
    from db.bookings.families import BOOKINGS
    from domain.why_bookings import of_booking

    with context(ctx).database().begin() as tx:
        facts = why.booking(tx, subjects.find(tx, [booking], [BOOKINGS])[booking])
    told: dict[str, object] = {"booking": facts.subject.id, "state": facts.subject.state}
    tell(told, of_booking(facts), json=json)


@app.command("waitlist")
def waitlist(
    ctx: typer.Context,
    entry: Annotated[str, typer.Argument(help="Id or external id.")],
    json: JsonOne = False,
) -> None:
    """Why an entry of the waitlist is where it is."""
    from db import subjects
    from db.waitlist import why
    from db.waitlist.family import WAITLIST
    from domain.why_waitlist import of_entry

    with context(ctx).database().begin() as tx:
        facts = why.entry(tx, subjects.find(tx, [entry], [WAITLIST])[entry])
    told: dict[str, object] = {"waitlist": facts.subject.id, "state": facts.subject.state}
    tell(told, of_entry(facts), json=json)


@app.command("obligation")
def obligation(
    ctx: typer.Context,
    obligation: Annotated[str, typer.Argument(help="Id or external id.")],
    json: JsonOne = False,
) -> None:
    """Why an obligation is where it is."""
    from db import subjects
    from db.obligations import why
    from db.obligations.family import OBLIGATIONS
    from domain.why_obligations import of_obligation

    with context(ctx).database().begin() as tx:
        facts = why.obligation(tx, subjects.find(tx, [obligation], [OBLIGATIONS])[obligation])
    told: dict[str, object] = {"obligation": facts.subject.id, "state": facts.subject.state}
    tell(told, of_obligation(facts), json=json)


@app.command("refund")
def refund(
    ctx: typer.Context,
    refund: Annotated[str, typer.Argument(help="Id.")],
    json: JsonOne = False,
) -> None:
    """Why a refund is where it is."""
    from db import subjects
    from db.refunds import why
    from db.refunds.family import REFUNDS
    from domain.why_refunds import of_refund

    with context(ctx).database().begin() as tx:
        facts = why.refund(tx, subjects.find(tx, [refund], [REFUNDS])[refund])
    told: dict[str, object] = {"refund": facts.subject.id, "state": facts.subject.state}
    tell(told, of_refund(facts), json=json)


@app.command("run")
def run(
    ctx: typer.Context,
    run: Annotated[int, typer.Argument(help="The run's number.", min=1)],
    json: JsonOne = False,
) -> None:
    """Why a run is where it is."""
    from db import why
    from domain.why_runs import of_run

    with context(ctx).database().begin() as tx:
        facts = why.run(tx, run)
    tell({"run": facts.id, "state": facts.state.value}, of_run(facts), json=json)


def tell(subject: dict[str, object], why: "Why", *, json: bool) -> None:
    """Show a reason, its evidence and what to do."""
    if json:
        told = {"reason": why.reason, "evidence": list(why.evidence), "command": why.command}
        show_one({**subject, **told}, json=True)
        return
    named = " ".join(f"{name} {value}" for name, value in list(subject.items())[:1])
    typer.echo(f"{named}: {why.reason}")
    for line in why.evidence:
        typer.echo(f"  {line}")
    typer.echo(f"next: {why.command or 'nothing to do'}")

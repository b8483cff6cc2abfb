"""`practise …`: what others do at the sandbox, for people who try things out."""

from pathlib import Path
from typing import Annotated

import typer

from domain.errors import BusyError, RefusedError
from workers.cli.context import context
from workers.cli.output import JsonOne, show_one

app = typer.Typer(
    name="practise", help="Act at the sandbox, as others would.", no_args_is_help=True
)


@app.command()
def pay(
    ctx: typer.Context,
    payment: Annotated[str, typer.Argument(help="Id of a payment.", metavar="PAYMENT")],
    json: JsonOne = False,
) -> None:
    """Pay a checkout at the till of the home's sandbox, as its customer does at the gateway's page.

    What comes of it the sandbox tells by webhook, as a gateway does.
    """
    from db import subjects
    from db.bookings.families import PAYMENTS
    from db.bookings.start import receipt
    from workers.practice import pay as pay_there
    from workers.servers import SandboxPlan

    here = context(ctx)
    plan = SandboxPlan.read(Path(here.settings.home))
    if plan is None:
        raise RefusedError(f"there is no sandbox in {here.settings.home}: `bursar up` makes one")
    with here.database().begin() as tx:
        due = receipt(tx, subjects.find(tx, [payment], [PAYMENTS])[payment], replayed=True)
    if due.order is None:
        raise RefusedError(f"nothing of payment {payment} is paid at the gateway")
    if due.gateway_order is None:
        raise BusyError("the gateway has not made its order yet: try again in a second")
    captured_as = pay_there(plan, due.gateway_order)
    show_one(
        {
            "payment": due.payment,
            "captured_as": captured_as,
            "amount_minor": due.gateway_minor,
            "currency": due.currency,
        },
        json=json,
    )

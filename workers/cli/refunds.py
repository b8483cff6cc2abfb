"""`refunds …`: give money back, decide about what was proposed, have the gateway asked again."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from domain.refunds import CASCADE, REFUNDS, SUBMIT
from workers.cli.asking import Why, reason, subject, wake
from workers.cli.context import Context, context
from workers.cli.families import reading
from workers.cli.output import Json, JsonOne, show, show_one

if TYPE_CHECKING:
    from uuid import UUID

    from db.refunds.decide import Decision
    from db.refunds.reserve import Receipt
    from db.tx import Tx

app = reading(REFUNDS, "Give money back, and decide about what was proposed.")

SCOPE: Final = "shell"
Names = Annotated[list[str], typer.Argument(help="Ids.", metavar="REFUND…")]
MEANINGS: Final = {
    "moved": "done",
    "busy": "a worker holds it: try again",
    "missing": "no such refund",
    "own": "you asked for it: somebody else must approve it",
    "short": "less of its payment is left by now: ask for another refund",
    "exhausted": "refused three times: ask for another refund",
    "disputed": "a dispute about its payment is open: its bank decides",
}


@app.command()
def create(
    ctx: typer.Context,
    payment: Annotated[str, typer.Argument(help="Id of the payment.")],
    why: Why,
    key: Annotated[
        str, typer.Option("--key", help="The same key again is answered with the same refund.")
    ],
    amount: Annotated[
        str | None, typer.Option("--amount", help="Such as 12.50. Default: all that is left.")
    ] = None,
    json: JsonOne = False,
) -> None:
    """Give a payment back, or a part of it, the way it was paid.

    While `policy:maker-checker` is on, somebody else must approve it.
    """
    from dataclasses import asdict

    from db.refunds.reserve import Asking, reserve
    from domain.checkouts import Request

    here, because, id_ = context(ctx), reason(why), subject(payment, "payment")

    def work(tx: "Tx") -> "Receipt":
        asking = Asking(
            request=Request(scope=SCOPE, actor=str(id_), key=key),
            payment=id_,
            amount_minor=None if amount is None else _minor(tx, id_, amount),
            why=because,
            by=here.actor,
        )
        return reserve(tx, asking)

    receipt = here.database().transact(work)
    wake(here, SUBMIT, CASCADE)
    show_one(asdict(receipt), json=json)


def _minor(tx: "Tx", payment: "UUID", amount: str) -> int:
    """What is asked for, in the currency of its payment."""
    from db.refunds.facts import refundable
    from domain.money import parse_major
    from domain.refund_errors import PaymentNotFoundError

    found = refundable(tx, [payment])
    if not found:
        raise PaymentNotFoundError(f"there is no payment {payment}")
    return parse_major(amount, found[0].currency, "--amount")


@app.command()
def again(
    ctx: typer.Context,
    refund: Annotated[str, typer.Argument(help="Id of the refund.")],
    why: Why,
    json: JsonOne = False,
) -> None:
    """Give again what the gateway took back after it was in the books: somebody else must approve it."""
    from dataclasses import asdict

    from db.refunds.again import propose

    here, because, id_ = context(ctx), reason(why), subject(refund, "refund")
    receipt = here.database().transact(lambda tx: propose(tx, id_, by=here.actor, why=because))
    show_one(asdict(receipt), json=json)


@app.command()
def approve(ctx: typer.Context, why: Why, refunds: Names, json: Json = False) -> None:
    """Give what was proposed."""
    from db.refunds.decide import Decision

    _decide(context(ctx), Decision.APPROVE, refunds, why=why, json=json)


@app.command()
def reject(ctx: typer.Context, why: Why, refunds: Names, json: Json = False) -> None:
    """Let what was proposed never be given."""
    from db.refunds.decide import Decision

    _decide(context(ctx), Decision.REJECT, refunds, why=why, json=json)


@app.command()
def retry(ctx: typer.Context, why: Why, refunds: Names, json: Json = False) -> None:
    """Ask the gateway again for what FAILED, each under a new key."""
    from db.refunds.decide import Decision

    _decide(context(ctx), Decision.RETRY, refunds, why=why, json=json)


def _decide(here: Context, decision: "Decision", names: list[str], *, why: str, json: bool) -> None:
    from db import subjects
    from db.refunds.decide import SOURCES, decide
    from db.refunds.family import REFUNDS as FAMILY

    because = reason(why)
    with here.database().begin() as tx:
        ids = list(subjects.find(tx, names, [FAMILY]).values())
        moved = decide(tx, decision, ids, actor=here.actor, why=because)
    if any(one.outcome == "moved" for one in moved):
        wake(here, SUBMIT, CASCADE)
    elsewhere = f"{decision} is for {SOURCES[decision]} refunds"
    told = [
        {
            "id": one.subject,
            "outcome": one.outcome,
            "from_state": one.source,
            "meaning": MEANINGS.get(one.outcome, elsewhere),
        }
        for one in moved
    ]
    show(told, ("id", "outcome", "from_state", "meaning"), json=json)
    if any(one.outcome != "moved" for one in moved):
        raise typer.Exit(1)

"""`earnings …`: read what payees earned; say what is held and what was given back."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from domain.earnings import EarningState
from domain.errors import BadInputError, NotFoundError
from workers.cli.asking import Why, dicts, reason, subject
from workers.cli.context import Context, context
from workers.cli.listing import STATE, Asked, Found, found, listing
from workers.cli.output import Json, JsonOne, plain, show, show_one

if TYPE_CHECKING:
    from db.earnings.deciding import Decided
    from db.tx import Tx

app = typer.Typer(
    name="earnings", help="Read earnings, and say what became of them.", no_args_is_help=True
)

COLUMNS = (
    "external_id",
    "payee",
    "state",
    "amount_minor",
    "refunded_minor",
    "ready_at",
    "payout",
    "id",
)
Names = Annotated[list[str], typer.Argument(help="Ids or external ids.", metavar="EARNING…")]
MEANINGS = {
    "moved": "done",
    "same": "it stood so already",
    "disputed": "a dispute about its payment is open: its gateway tells how that ends",
    "sending": "its payout is being sent: say it again when that has ended",
    "beyond": "the total must not be less than was given back already, nor more than the share",
}


@app.command("list")
@listing(columns=COLUMNS, key="id", read=subject, empty="no such earning")
def list_(
    ctx: typer.Context,
    asked: Asked[UUID],
    state: Annotated[EarningState | None, STATE] = None,
) -> Found:
    """List earnings, newest first."""
    from db.earnings import listing as rows

    with context(ctx).database().begin() as tx:
        page = rows.Page(state=state, after=asked.after, limit=asked.limit)
        return found(rows.listing(tx, page), total="amount_minor")


@app.command("show")
def show_(
    ctx: typer.Context,
    earning: Annotated[str, typer.Argument(help="Id or external id.")],
    json: JsonOne = False,
) -> None:
    """Show everything about one earning, with its history."""
    from db.earnings import listing as rows

    with context(ctx).database().begin() as tx:
        id_ = rows.find(tx, [earning])[earning]
        row = rows.show(tx, id_)
        history = dicts(rows.history(tx, id_))
    if row is None:
        raise NotFoundError(f"there is no earning {earning}")
    facts = dicts([row])[0]
    told = {**facts, "history": [plain(line) for line in history]} if json else facts
    show_one(told, json=json)
    if not json:
        typer.echo()
        show(history, ("at", "fact", "detail", "actor"))


@app.command()
def hold(ctx: typer.Context, why: Why, earnings: Names, json: Json = False) -> None:
    """Hold earnings: none of them is paid before it is released."""
    from db.earnings.deciding import hold as holding

    _say(context(ctx), "hold", earnings, holding, why=why, json=json)


@app.command()
def release(ctx: typer.Context, why: Why, earnings: Names, json: Json = False) -> None:
    """Release earnings that are held: by people, or by a dispute that has ended."""
    from db.earnings.deciding import release as releasing

    _say(context(ctx), "release", earnings, releasing, why=why, json=json)


@app.command()
def reduce(
    ctx: typer.Context,
    why: Why,
    earnings: Names,
    refunded: Annotated[
        str | None,
        typer.Option("--refunded", help="What was given back of each share so far, such as 12.50."),
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="All of each share.")] = False,
    json: Json = False,
) -> None:
    """Say what was given back to the customer, as the total so far: said again, it changes nothing.

    What is not paid yet is owed no more; what was paid is owed back by its payee.
    """
    from db.earnings import deciding
    from db.earnings.listing import currencies

    if (refunded is None) != whole:
        rule = "give the total, or --whole; one of the two"
        raise BadInputError("--refunded", refunded, rule)
    here, because = context(ctx), reason(why)

    def work(tx: "Tx", ids: list[UUID]) -> "list[Decided]":
        totals = dict.fromkeys(ids) if refunded is None else _totals(refunded, currencies(tx, ids))
        return deciding.reduce(tx, totals, actor=here.actor, why=because)

    _decide(here, "reduce", earnings, work, json=json)


def _totals(text: str, currencies: dict[UUID, str]) -> dict[UUID, int | None]:
    from domain.money import parse_major

    return {id_: parse_major(text, currency, "--refunded") for id_, currency in currencies.items()}


def _say(
    here: Context,
    what: str,
    names: list[str],
    decide: "Callable[..., list[Decided]]",
    *,
    why: str,
    json: bool,
) -> None:
    because = reason(why)

    def work(tx: "Tx", ids: list[UUID]) -> "list[Decided]":
        return decide(tx, ids, actor=here.actor, why=because)

    _decide(here, what, names, work, json=json)


def _decide(
    here: Context,
    what: str,
    names: list[str],
    work: "Callable[[Tx, list[UUID]], list[Decided]]",
    *,
    json: bool,
) -> None:
    from db.earnings import listing as rows

    with here.database().begin() as tx:
        done = work(tx, list(rows.find(tx, names).values()))
    told = [
        {
            "id": one.subject,
            "outcome": one.outcome,
            "from_state": one.source,
            "meaning": MEANINGS.get(one.outcome, f"{what} cannot be said of it"),
        }
        for one in done
    ]
    show(told, ("id", "outcome", "from_state", "meaning"), json=json)
    if any(one.outcome in {"illegal", "disputed", "beyond", "sending"} for one in done):
        raise typer.Exit(1)

"""`payouts batch` and `payouts send`: payouts are made now, and go now, whatever time they were to wait for."""

from typing import TYPE_CHECKING, Annotated

import typer

from domain.batching import BATCH, ORG_BATCH, Period
from domain.errors import BadInputError
from domain.payouts import SENDERS, PayoutState
from workers.cli.asking import Why, reason, wake
from workers.cli.context import Context, context
from workers.cli.deciding import SET_MAX, Names
from workers.cli.enqueue import Because, DryRun, Inline, Wait, enqueue
from workers.cli.output import JsonOne

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from db.tx import Tx


def batch(
    ctx: typer.Context,
    organisations: Annotated[
        bool, typer.Option("--organisations", help="What is owed to organisations, not to people.")
    ] = False,
    period: Annotated[
        Period | None,
        typer.Option("--period", help="Nobody is paid twice in one; a week unless told."),
    ] = None,
    why: Because = None,
    wait: Wait = False,
    dry_run: DryRun = False,
    inline: Inline = False,
    json: JsonOne = False,
) -> None:
    """Make payouts of what is owed now, and approve those below the limit: a run of payouts.batch."""
    enqueue(
        ctx,
        ORG_BATCH if organisations else BATCH,
        scope=None if period is None else [f"period={period}"],
        why=why,
        wait=wait,
        dry_run=dry_run,
        inline=inline,
        json=json,
    )


def send(
    ctx: typer.Context,
    why: Why,
    payouts: Names = None,
    all_approved: Annotated[
        bool, typer.Option("--all-approved", help="Every APPROVED payout that waits for its time.")
    ] = False,
) -> None:
    """Send APPROVED payouts now rather than at the time they wait for.

    What is due already, is parked, or is being sent is left as it is.
    """
    here, because = context(ctx), reason(why)
    if bool(payouts) == all_approved:
        rule = "name payouts, or give --all-approved; one of the two"
        raise BadInputError("payouts send", " ".join(payouts or ()), rule)
    asked = pulled = 0
    for tx, page in _named(here, payouts) if payouts else _approved(here):
        asked, pulled = asked + len(page), pulled + _pull(tx, page, here.actor, because)
    wake(here, *SENDERS.values())
    typer.echo(f"send: {pulled} of {asked} payouts go now")
    if payouts and pulled < asked:
        typer.echo("why the others do not: bursar why payout ID", err=True)
        raise typer.Exit(1)


def _pull(tx: "Tx", page: "Sequence[UUID]", who: str, why: str) -> int:
    from db import changes
    from db.payouts.overdue import pull_forward

    pulled = pull_forward(tx, page, list(SENDERS.values()))
    changes.note(tx, "payout.send", [str(id_) for id_ in pulled], who=who, why=why)
    return len(pulled)


def _named(here: Context, names: list[str]) -> "Iterator[tuple[Tx, Sequence[UUID]]]":
    from db.payouts import listing

    with here.database().begin() as tx:
        yield tx, list(listing.find(tx, names).values())


def _approved(here: Context) -> "Iterator[tuple[Tx, Sequence[UUID]]]":
    """All that are APPROVED, a page in a transaction of its own."""
    from db.payouts import listing

    after: UUID | None = None
    while True:
        with here.database().begin() as tx:
            page = listing.in_state(tx, PayoutState.APPROVED, after=after, limit=SET_MAX)
            yield tx, page
        if len(page) < SET_MAX:
            return
        after = page[-1]

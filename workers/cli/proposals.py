"""`propose`, `approve`, `proposals`: two people for what moves or frees money."""

from collections.abc import Sequence
from typing import Annotated

import typer

from domain.errors import BadInputError, NotFoundError, RefusedError
from domain.listings import ProposalState
from workers.cli.asking import Why, WhyToo, number, reason
from workers.cli.context import context
from workers.cli.listing import STATE, Asked, Found, found, listing
from workers.cli.output import JsonOne, show_one

app = typer.Typer(rich_markup_mode=None)


@app.command()
def propose(
    ctx: typer.Context,
    action: Annotated[str, typer.Argument(help="What is to be done, such as payout.resolve.")],
    subject: Annotated[str, typer.Argument(help="What it is to be done to.")],
    why: Why,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A detail of it.")
    ] = None,
    json: JsonOne = False,
) -> None:
    """Propose an action that needs a second person."""
    from db import proposals
    from workers.cli.actions import action_named

    here, because, details = context(ctx), reason(why), pairs(settings or (), "--set")
    wanted, who = action_named(action), here.operator
    with here.database().begin() as tx:
        wanted.check(tx, subject, details)
        made = proposals.propose(tx, action, subject, details, by=who, why=because)
    show_one({"proposal": made, "action": action, "subject": subject, "by": who}, json=json)
    typer.echo(f"another operator: bursar approve {made}", err=True)


@app.command()
def approve(
    ctx: typer.Context,
    proposal: Annotated[int, typer.Argument(min=1, help="Its number.")],
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Approve another operator's proposal, and carry it out."""
    from db import changes, proposals
    from workers.cli.actions import Agreed, action_named

    here, because = context(ctx), None if why is None else reason(why)
    who = here.operator
    with here.database().begin() as tx:
        row = proposals.approve(tx, proposal, by=who)
        agreed = Agreed(
            subject=row.subject,
            details=row.arguments,
            both=f"{row.proposed_by}, {who}",
            why=row.why,
            proposed_at=row.proposed_at,
        )
        outcome = action_named(row.action).run(tx, agreed)
        proposals.finish(tx, proposal, outcome)
        subject = f"{row.action} {row.subject}"
        changes.note(tx, "proposal.approve", [subject], who=who, why=because or row.why)
    show_one({"proposal": proposal, "action": row.action, "outcome": outcome}, json=json)


COLUMNS = ("id", "action", "subject", "state", "proposed_by", "why", "approved_by", "outcome")


@app.command("proposals")
@listing(columns=COLUMNS, key="id", read=number, empty="no such proposal")
def proposals_(
    ctx: typer.Context,
    asked: Asked[int],
    state: Annotated[ProposalState | None, STATE] = None,
) -> Found:
    """List proposals, newest first."""
    from db import proposals

    with context(ctx).database().begin() as tx:
        return found(proposals.listing(tx, state=state, after=asked.after, limit=asked.limit))


@app.command()
def withdraw(
    ctx: typer.Context,
    proposal: Annotated[int, typer.Argument(min=1, help="Its number.")],
    why: Why,
) -> None:
    """Take a waiting proposal back."""
    from db import proposals

    here, because = context(ctx), reason(why)
    with here.database().begin() as tx:
        if not proposals.withdraw(tx, proposal, by=here.actor, why=because):
            if proposals.get(tx, proposal) is None:
                raise NotFoundError(f"there is no proposal {proposal}")
            raise RefusedError(f"proposal {proposal} waits no more: see `bursar proposals`")
    typer.echo(f"proposal {proposal} is withdrawn")


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Return NAME=VALUE options by name. Raises `BadInputError`."""
    found: dict[str, str] = {}
    for text in texts:
        name, is_pair, value = text.partition("=")
        if not (is_pair and name and value) or name in found:
            raise BadInputError(option, text, "must be NAME=VALUE, each name once")
        found[name] = value
    return found

"""`obligations …`: read what borrowers owe, and say of one what another system left out."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from domain.obligations import CREATE, OBLIGATIONS
from workers.cli.asking import Why, reason, say, wake
from workers.cli.context import context
from workers.cli.families import listed
from workers.cli.output import JsonOne, show_one
from workers.cli.showing import display, look

if TYPE_CHECKING:
    from db.tx import Tx

app = listed(OBLIGATIONS, "Read obligations, and say what another system left out of one.")

Obligation = Annotated[str, typer.Argument(help="Id or external id of an obligation.")]


@app.command()
def show(
    ctx: typer.Context,
    obligation: Obligation,
    graph: Annotated[
        Path | None, typer.Option("--graph", help="Draw its money flow into this file, as SVG.")
    ] = None,
    json: JsonOne = False,
) -> None:
    """Show one obligation, with its history; or draw what its entries moved, from account to account."""
    from db.obligations.flow import legs

    with context(ctx).database().begin() as tx:
        seen = look(tx, OBLIGATIONS, obligation)
        entries = legs(tx, seen.id) if graph is not None else ()
    if graph is not None:
        from workers.cli.drawing import picture, save

        save(graph, picture(f"Obligation {seen.facts['external_id']}", entries), "--graph")
    display(seen, json=json)


@app.command()
def apply(
    ctx: typer.Context,
    obligation: Obligation,
    amount: Annotated[str, typer.Option("--amount", help="In major units, such as 1250.50.")],
    reference: Annotated[
        str, typer.Option("--reference", help="What it is done under, once: a letter, a ticket.")
    ],
    why: Why,
) -> None:
    """Give unapplied cash of its mortgage to an obligation, once under one reference."""
    from db import changes, ledger, subjects
    from db.obligations import receive
    from db.obligations.facts import read
    from db.obligations.family import OBLIGATIONS as FAMILY
    from domain.errors import BadInputError
    from domain.line_rules import money_rule
    from domain.money import parse_major
    from domain.records import LABEL_RULE, fits_label

    here, because = context(ctx), reason(why)
    if not fits_label(reference):
        raise BadInputError("--reference", reference, LABEL_RULE)

    def work(tx: "Tx") -> None:
        id_ = subjects.find(tx, [obligation], [FAMILY])[obligation]
        [one] = read(tx, [id_])
        if (rule := money_rule("amount", amount, one.currency)) is not None:
            raise BadInputError("--amount", amount, rule)
        minor = parse_major(amount, one.currency, "--amount")
        cash = receive.Unapplied(
            obligation=id_, amount=minor, on=ledger.today(tx), reference=reference
        )
        receive.apply(tx, [cash], run=None, actor=here.actor)
        changes.note(tx, "obligation.apply", [obligation], who=here.actor, why=because)

    here.database().transact(work)
    wake(here, CREATE)
    typer.echo(f"{amount} of its mortgage's cash went to obligation {obligation}")


@app.command()
def date(
    ctx: typer.Context,
    obligation: Obligation,
    on: Annotated[str, typer.Option("--on", help="The day, such as 2026-03-20.")],
    why: Why,
) -> None:
    """Say when an obligation was settled of which nobody did; it is divided then."""
    from db import changes, subjects
    from db.obligations.dating import date as dated
    from db.obligations.family import OBLIGATIONS as FAMILY
    from domain.errors import BadInputError
    from domain.line_rules import day_rule

    here, because = context(ctx), reason(why)
    if (rule := day_rule(on)) is not None:
        raise BadInputError("--on", on, rule)
    day = dt.date.fromisoformat(on)

    def work(tx: "Tx") -> None:
        id_ = subjects.find(tx, [obligation], [FAMILY])[obligation]
        dated(tx, id_, day, actor=here.actor, why=because)
        changes.note(tx, "obligation.date", [obligation], who=here.actor, why=f"{on}: {because}")

    here.database().transact(work)
    wake(here, CREATE)
    typer.echo(f"obligation {obligation} was settled on {on}")


@app.command()
def retry(ctx: typer.Context, obligation: Obligation, why: Why) -> None:
    """Try again to divide a STALLED obligation, once what stood in its way is put right."""
    from db import changes, subjects
    from db.obligations.family import OBLIGATIONS as FAMILY
    from db.obligations.retrying import retry as retried

    here, because = context(ctx), reason(why)

    def work(tx: "Tx") -> None:
        id_ = subjects.find(tx, [obligation], [FAMILY])[obligation]
        retried(tx, id_, actor=here.actor, why=because)
        changes.note(tx, "obligation.retry", [obligation], who=here.actor, why=because)

    here.database().transact(work)
    wake(here, CREATE)
    typer.echo(f"obligation {obligation} is divided again")


@app.command()
def resolve(ctx: typer.Context, obligation: Obligation, why: Why, json: JsonOne = False) -> None:
    """Have an obligation divided after all, once what stood in its way is put right.

    A STALLED one is divided at once. The money of an ESCALATED one is in suspense: that all of it leaves for its
    lenders is proposed, and another operator approves. Refused where it cannot be divided yet.
    """
    from db import changes, proposals, subjects
    from db.obligations.family import OBLIGATIONS as FAMILY
    from db.obligations.resolving import check_mended
    from db.obligations.retrying import retry as retried
    from domain.obligations import ObligationState
    from domain.suspense import Way
    from workers.cli.actions import action_named

    here, because = context(ctx), reason(why)

    def work(tx: "Tx") -> int | None:
        one = check_mended(tx, subjects.find(tx, [obligation], [FAMILY])[obligation])
        changes.note(tx, "obligation.resolve", [obligation], who=here.actor, why=because)
        if one.state == ObligationState.STALLED:
            retried(tx, one.id, actor=here.actor, why=because)
            return None
        item, details = str(one.id), {"way": Way.MATCH.value}
        action_named(LEAVES).check(tx, item, details)
        return proposals.propose(tx, LEAVES, item, details, by=here.operator, why=because)

    made = here.database().transact(work)
    show_one({"obligation": obligation, "proposal": made}, json=json)
    if made is None:
        wake(here, CREATE)
        say(f"obligation {obligation} is divided again")
    else:
        say(f"another operator: bursar approve {made}")


LEAVES: Final = "suspense.resolve"
"""The action of two people by which money leaves suspense."""

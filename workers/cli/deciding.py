"""`payouts approve|reject|cancel|retry`: decide about sets of payouts that no worker holds."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import BadInputError
from domain.payouts import SENDERS, PayoutState
from workers.cli.asking import At, Why, moment, reason, wake
from workers.cli.context import Context, context
from workers.cli.output import Json, show, show_one

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from db.transitions import Moved
    from domain.decisions import Decision

Names = Annotated[list[str] | None, typer.Argument(help="Ids or external ids.", metavar="PAYOUT…")]
AllPending = Annotated[bool, typer.Option("--all-pending", help="Every PENDING payout.")]
SET_MAX = 5_000


def approve(
    ctx: typer.Context,
    why: Why,
    payouts: Names = None,
    all_pending: AllPending = False,
    at: At = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be approved; write nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Let PENDING payouts be sent, at once or at a time."""
    from domain.decisions import Decision

    every = PayoutState.PENDING if all_pending else None
    if dry_run:
        reason(why)
        moment(at)
        _foresee(context(ctx), payouts, every, json=json)
        return
    _decide(context(ctx), Decision.APPROVE, payouts, every, why=why, at=at, json=json)


def reject(
    ctx: typer.Context,
    why: Why,
    payouts: Names = None,
    all_pending: AllPending = False,
    json: Json = False,
) -> None:
    """Let PENDING payouts never be sent."""
    from domain.decisions import Decision

    every = PayoutState.PENDING if all_pending else None
    _decide(context(ctx), Decision.REJECT, payouts, every, why=why, json=json)


def cancel(
    ctx: typer.Context,
    why: Why,
    payouts: Names = None,
    all_approved: Annotated[
        bool, typer.Option("--all-approved", help="Every APPROVED payout not yet begun.")
    ] = False,
    json: Json = False,
) -> None:
    """Take back payouts of which no send can have begun."""
    from domain.decisions import Decision

    every = PayoutState.APPROVED if all_approved else None
    _decide(context(ctx), Decision.CANCEL, payouts, every, why=why, json=json)


def retry(
    ctx: typer.Context,
    why: Why,
    payouts: Names = None,
    all_failed: Annotated[
        bool, typer.Option("--all-failed", help="Every FAILED payout, ever.")
    ] = False,
    at: At = None,
    json: Json = False,
) -> None:
    """Send FAILED payouts again, each under a new key."""
    from domain.decisions import Decision

    every = PayoutState.FAILED if all_failed else None
    _decide(context(ctx), Decision.RETRY, payouts, every, why=why, at=at, json=json)


def _decide(
    here: Context,
    decision: "Decision",
    names: list[str] | None,
    every: PayoutState | None,
    *,
    why: str,
    at: str | None = None,
    json: bool = False,
) -> None:
    from domain.decisions import TARGETS

    because, due = reason(why), moment(at)
    _check(decision, names, every)
    moved = _moved(here, decision, names or [], every, why=because, due=due)
    if (
        TARGETS[decision] is PayoutState.APPROVED
        and due is None
        and any(m.outcome == "moved" for m in moved)
    ):
        wake(here, *SENDERS.values())
    rows = [
        {
            "id": m.subject,
            "outcome": m.outcome,
            "from_state": m.source,
            "meaning": _meaning(decision, m.outcome),
        }
        for m in moved
    ]
    shown = rows if json or len(rows) <= SHOWN_MAX else [r for r in rows if r["outcome"] != "moved"]
    if shown or json:
        show(shown, ("id", "outcome", "from_state", "meaning"), json=json)
    done = sum(m.outcome == "moved" for m in moved)
    typer.echo(f"{decision}: {done} of {len(rows)} payouts", err=json)
    if done < len(rows):
        raise typer.Exit(1)


def _check(decision: "Decision", names: list[str] | None, every: PayoutState | None) -> None:
    if bool(names) == (every is not None):
        rule = f"name payouts, or give {ALL[decision]}; one of the two"
        raise BadInputError(f"payouts {decision}", " ".join(names or ()), rule)


def _foresee(
    here: Context, names: list[str] | None, every: PayoutState | None, *, json: bool
) -> None:
    """Say how many would be approved, their sum, the largest and its payee; and how many would not, and why."""
    from db.payouts import listing
    from db.payouts.decide import would_approve
    from domain.decisions import Decision

    _check(Decision.APPROVE, names, every)
    with here.database().begin() as tx:
        ids = list(listing.find(tx, names).values()) if names else None
        rows = would_approve(tx, ids, actor=here.actor)
    good = [row for row in rows if row.outcome == "moved"]
    facts: dict[str, object] = {"would_approve": sum(row.items for row in good)}
    for row in good:
        facts[f"amount_minor_{row.currency}"] = row.amount_minor
        facts[f"largest_minor_{row.currency}"] = row.largest_minor
        facts[f"largest_payee_{row.currency}"] = row.largest_payee
    left_out = Counter[str]()
    for row in rows:
        if row.outcome != "moved":
            left_out[row.outcome] += row.items
    facts |= {f"left_out_{outcome}": count for outcome, count in sorted(left_out.items())}
    show_one({**facts, "dry_run": True}, json=json)
    if left_out:
        raise typer.Exit(1)


SHOWN_MAX = 50
MEANINGS = {
    "moved": "done",
    "busy": "a worker holds it: try again",
    "sent": "a send may have begun: only its provider's answer moves it",
    "missing": "no such payout",
    "unlinked": "what it paid is paid by another payout",
    "dispersal": "it pays a dispersal, which is paid by another: bursar dispersals retry ID",
    "short": "part of what it paid is owed no more: the next batch pays the rest",
    "own": "you made it: somebody else must approve it (policy:maker-checker is on)",
    "exhausted": "refused three times: two people may allow one more, bursar propose payout.retry ID",
    "unproven": "another system calls it failed and its provider was not asked, or has it: name it, or two people, "
    "bursar propose payout.retry ID",
}


ALL = {
    "approve": "--all-pending",
    "reject": "--all-pending",
    "cancel": "--all-approved",
    "retry": "--all-failed",
}


def _meaning(decision: "Decision", outcome: str) -> str:
    from domain.decisions import SOURCES

    if outcome == "illegal":
        return f"{decision} is for {' and '.join(SOURCES[decision])} payouts"
    return MEANINGS[outcome]


def _moved(
    here: Context,
    decision: "Decision",
    names: list[str],
    every: PayoutState | None,
    *,
    why: str,
    due: "datetime | None",
) -> "list[Moved]":
    from db.payouts import listing
    from db.payouts.decide import decide
    from domain.decisions import Decision
    from workers.cli.proving import prove

    database, actor = here.database(), here.actor
    if every is None:
        with database.begin() as tx:
            ids = list(listing.find(tx, names).values())
        if decision is Decision.RETRY:
            prove(here, ids)
        with database.begin() as tx:
            return decide(tx, decision, ids, actor=actor, why=why, due=due)
    moved: list[Moved] = []
    after: UUID | None = None
    while True:
        with database.begin() as tx:
            page = listing.in_state(tx, every, after=after, limit=SET_MAX)
            moved += decide(tx, decision, page, actor=actor, why=why, due=due)
        if len(page) < SET_MAX:
            return moved
        after = page[-1]

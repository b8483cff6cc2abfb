"""`import KIND FILE`: bring what others wrote down into the database, all of it or nothing."""

from typing import TYPE_CHECKING, Annotated

import typer

from domain.payouts import SENDERS
from workers.cli import granting, import_obligations, import_payees, receiving, records
from workers.cli.asking import At, WhyToo, moment, reason, wake
from workers.cli.context import context
from workers.cli.importing import (
    DryRun,
    File,
    Partial,
    Proposal,
    read_lines,
    run_import,
    tell_imported,
)
from workers.cli.output import JsonOne
from workers.cli.taking_over import (
    WHOLE,
    AsOf,
    take_over_earnings,
    take_over_payouts,
    told_until,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.importing.order import Imported, Told
    from db.tx import Tx

app = typer.Typer(name="import", help="Bring files into the database.", no_args_is_help=True)
_COMMANDS: "tuple[Callable[..., None], ...]" = (
    *records.COMMANDS,
    granting.credits,
    *import_obligations.COMMANDS,
    import_payees.payees,
)
for command in _COMMANDS:
    app.command()(command)
app.command()(receiving.receipts)


@app.command()
def payouts(
    ctx: typer.Context,
    file: File,
    approve: Annotated[
        bool, typer.Option("--approve", help="Approve what the file names and is PENDING.")
    ] = False,
    at: At = None,
    as_of: AsOf = None,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import payouts: each external id once.

    The same file twice creates nothing new; the same id with other content is an error. Any error
    leaves nothing written, unless --partial. With --as-of the file is of another system, and says in
    which state each was then.
    """
    from db.payouts.imports import Lines, look, take_over
    from domain.payout_lines import payout_records
    from domain.payout_rules import rules_of

    here = context(ctx)
    due, because = moment(at), None if why is None else reason(why)
    if as_of is not None:
        if approve or at is not None or partial:
            raise typer.BadParameter(WHOLE)
        take_over_payouts(here, file, told_until(here, as_of), because, dry_run=dry_run, json=json)
        return
    if due is not None and not approve:
        raise typer.BadParameter("--at says when approved payouts are sent: give --approve too")
    read = read_lines(file, payout_records(lambda: rules_of(here.bound.provider)), partial=partial)
    order = Lines(
        lines=read.lines,
        file=read.file,
        rows=read.rows,
        approve=approve,
        due_at=due,
        partial=partial,
    )

    def work(tx: "Tx", told: "Told") -> "Imported":
        if dry_run:
            return look(tx, here.installation, order, told=told)
        return take_over(tx, here.installation, order, actor=here.actor, told=told)

    done = run_import(here, read, work, why=because, what=None if dry_run else "payouts.import")
    if done.approved and due is None and not dry_run:
        wake(here, *SENDERS.values())
    tell_imported(read, done, {"approved": done.approved}, dry_run=dry_run, json=json)


@app.command()
def earnings(
    ctx: typer.Context,
    file: File,
    as_of: AsOf = None,
    proposal: Proposal = None,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import what payees earned: each external id once.

    Each may be paid when its hold is over, by the next batch. The same file twice creates nothing
    new; the same id with other content is an error. With --as-of the file is of another system, whose
    payouts were taken over before, and says in which state each was then. While policy:maker-checker
    is on, the file is only proposed, and another operator brings it with --proposal.
    """
    from db.earnings.imports import look, take_over
    from db.importing.order import Lines
    from domain.earning_lines import EARNING_RECORDS
    from workers.cli.crediting import Giving, by_two

    here, because = context(ctx), None if why is None else reason(why)
    if as_of is not None:
        if partial:
            raise typer.BadParameter(WHOLE)
        until = told_until(here, as_of)
        take_over_earnings(
            here, file, until, because, proposal=proposal, dry_run=dry_run, json=json
        )
        return
    read = read_lines(file, EARNING_RECORDS, partial=partial)
    order = Lines(lines=read.lines, file=read.file, rows=read.rows, partial=partial)

    def bring(tx: "Tx", who: str, told: "Told") -> "Imported":
        return take_over(tx, here.installation, order, actor=who, told=told)

    done = by_two(
        here,
        Giving.EARNINGS,
        read,
        lambda tx, told: look(tx, here.installation, order, told=told),
        bring,
        proposal=proposal,
        dry_run=dry_run,
        why=because,
        noted="earnings.import",
    )
    tell_imported(read, done, {}, dry_run=dry_run, json=json)


@app.command()
def wallets(
    ctx: typer.Context,
    file: File,
    proposal: Proposal = None,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Put money into wallets: each external id once.

    What is left of a wallet is paid out by batches, as its owner wants it. The same file twice
    credits nothing more; the same id with other content is an error. While policy:maker-checker is on,
    the file is only proposed, and another operator brings it with --proposal.
    """
    from db.importing.order import Lines
    from db.wallets.imports import look, take_over
    from domain.wallet_lines import WALLET_RECORDS
    from workers.cli.crediting import Giving, by_two

    here, because = context(ctx), None if why is None else reason(why)
    read = read_lines(file, WALLET_RECORDS, partial=partial)
    order = Lines(lines=read.lines, file=read.file, rows=read.rows, partial=partial)

    def bring(tx: "Tx", who: str, told: "Told") -> "Imported":
        return take_over(tx, here.installation, order, actor=who, told=told)

    done = by_two(
        here,
        Giving.WALLETS,
        read,
        lambda tx, told: look(tx, order, told=told),
        bring,
        proposal=proposal,
        dry_run=dry_run,
        why=because,
        noted="wallets.import",
    )
    tell_imported(read, done, {}, dry_run=dry_run, json=json)

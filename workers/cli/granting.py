"""`import credits`: referral credit that customers are given to spend here."""

from typing import TYPE_CHECKING

import typer

from workers.cli.asking import WhyToo, reason
from workers.cli.context import context
from workers.cli.importing import SECONDS_MAX, DryRun, File, Proposal, read_lines, tell_done
from workers.cli.output import JsonOne

if TYPE_CHECKING:
    from db.importing.records import Kept
    from db.tx import Tx


def credits(  # noqa: A001  the command's name
    ctx: typer.Context,
    file: File,
    proposal: Proposal = None,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Give customers referral credit, which pays for what they book: each external id once.

    While policy:maker-checker is on, the file is only proposed, and another operator brings it with
    --proposal.
    """
    from db import changes, proposals
    from db.bookings.import_credits import Credits
    from db.importing.records import RecordLines
    from domain.credit_lines import CREDIT_RECORDS
    from workers.cli.crediting import Giving, agreed, new, proposed_first

    here, because = context(ctx), None if why is None else reason(why)
    read = read_lines(file, CREDIT_RECORDS, partial=False)
    order = RecordLines(lines=read.lines, file=read.file, rows=read.rows)

    def work(tx: "Tx", *, only_look: bool) -> "Kept":
        who = here.actor
        if proposal is not None and not only_look:
            who = agreed(tx, here, Giving.CREDITS, read.lines, proposal)
        done = Credits(tx, here.installation, order, who).run(dry_run=only_look)
        if done.created and not only_look:
            said = f"{done.created} created"
            told = f"{because}: {said}" if because else said
            changes.note(tx, "credits.import", [read.file], who=who, why=told)
        if proposal is not None and not only_look:
            proposals.finish(tx, proposal, f"{done.created} given")
        return done

    if proposal is None and not dry_run:
        with here.database().begin(SECONDS_MAX) as tx:
            found = work(tx, only_look=True)
        proposed_first(here, Giving.CREDITS, read, new(found), why=because)
    with here.database().begin(SECONDS_MAX) as tx:
        done = work(tx, only_look=dry_run)
    sums = {f"created_minor_{currency}": minor for currency, minor in done.amounts.items()}
    facts = {"created": done.created, "existing": done.existing, **sums}
    tell_done(read, facts, (), 0, dry_run=dry_run, json=json)

"""`import receipts`: money that came in, for obligations or for nobody knows what."""

from typing import TYPE_CHECKING

import typer

from workers.cli.asking import WhyToo, reason, wake
from workers.cli.context import context
from workers.cli.importing import (
    DryRun,
    File,
    Partial,
    Proposal,
    read_lines,
    tell_imported,
)
from workers.cli.output import JsonOne

if TYPE_CHECKING:
    from db.importing.order import Imported, Told
    from db.tx import Tx


def receipts(
    ctx: typer.Context,
    file: File,
    proposal: Proposal = None,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import money that came in: each external id once, received by the obligation its reference names.

    What names no obligation is set apart in suspense, an item each. The same file twice brings in
    nothing more; the same id with other content is an error. While policy:maker-checker is on, the file
    is only proposed, and another operator brings it with --proposal.
    """
    from db.importing.order import Lines
    from db.obligations.import_receipts import look, take_over
    from domain.obligations import CREATE
    from domain.receipt_lines import RECEIPT_RECORDS
    from workers.cli.crediting import Giving, by_two

    here, because = context(ctx), None if why is None else reason(why)
    read = read_lines(file, RECEIPT_RECORDS, partial=partial)
    order = Lines(lines=read.lines, file=read.file, rows=read.rows, partial=partial)

    def bring(tx: "Tx", who: str, told: "Told") -> "Imported":
        return take_over(tx, here.installation, order, actor=who, told=told)

    done = by_two(
        here,
        Giving.RECEIPTS,
        read,
        lambda tx, told: look(tx, order, told=told),
        bring,
        proposal=proposal,
        dry_run=dry_run,
        why=because,
        noted="receipts.import",
    )
    if done.created and not dry_run:
        wake(here, CREATE)
    tell_imported(read, done, _set_apart(done), dry_run=dry_run, json=json)


def _set_apart(done: "Imported") -> dict[str, object]:
    """How much of it names no obligation: number, and minor units by currency."""
    apart = done.labels.items()
    sums = {f"{label}_minor_{currency}": minor for (label, currency), (_, minor) in apart}
    return {"suspense": sum(number for _, (number, _) in apart), **sums}

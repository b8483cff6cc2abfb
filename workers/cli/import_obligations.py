"""`import lenders`, `import positions`, `import obligations`: who lends, how much of what, and what borrowers owe."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import typer

from workers.cli.asking import WhyToo, reason, wake
from workers.cli.context import Context, context
from workers.cli.importing import DryRun, File, Partial, read_lines, run_import, tell_imported
from workers.cli.output import JsonOne

if TYPE_CHECKING:
    from db.importing.order import Imported, Lines, Recorded, Told
    from db.tx import Tx
    from domain.records import Records

    RecordT = TypeVar("RecordT", bound=Recorded)


def lenders(
    ctx: typer.Context,
    file: File,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import lenders: payees, under the names another system has for them.

    A payee nobody has told of is made, and is not paid before its account is known.
    """
    from db.obligations.lenders import take_over
    from domain.lender_lines import LENDER_RECORDS, LenderLine

    here = context(ctx)

    def work(tx: "Tx", order: "Lines[LenderLine]", told: "Told") -> "Imported":
        return take_over(tx, here.installation, order, told=told, dry_run=dry_run)

    _import(here, file, LENDER_RECORDS, work, partial=partial, dry_run=dry_run, why=why, json=json)


def positions(
    ctx: typer.Context,
    file: File,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import who lends how much of which mortgage: positions, and reroutes from a day on.

    A row with from_lender and effective_on is a reroute. What was divided before stays as it is.
    """
    from db.obligations.positions import take_over
    from domain.position_lines import POSITION_RECORDS, PositionLine

    here = context(ctx)

    def work(tx: "Tx", order: "Lines[PositionLine]", told: "Told") -> "Imported":
        return take_over(tx, here.installation, order, told=told, dry_run=dry_run)

    _import(
        here, file, POSITION_RECORDS, work, partial=partial, dry_run=dry_run, why=why, json=json
    )


def obligations(
    ctx: typer.Context,
    file: File,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import what borrowers owe: each external id once, owed in the books at once.

    One whose state is settled is divided among its lenders, by what its receipts say came in.
    """
    from db.obligations.imports import look, take_over
    from domain.obligation_lines import OBLIGATION_RECORDS, ObligationLine
    from domain.obligations import CREATE

    here = context(ctx)

    def work(tx: "Tx", order: "Lines[ObligationLine]", told: "Told") -> "Imported":
        if dry_run:
            return look(tx, order, told=told)
        return take_over(tx, here.installation, order, actor=here.actor, told=told)

    _import(
        here,
        file,
        OBLIGATION_RECORDS,
        work,
        partial=partial,
        dry_run=dry_run,
        why=why,
        json=json,
        wakes=(CREATE,),
    )


COMMANDS: Final = (lenders, positions, obligations)


def _import(
    here: Context,
    file: str,
    kind: "Records[RecordT]",
    work: "Callable[[Tx, Lines[RecordT], Told], Imported]",
    *,
    partial: bool,
    dry_run: bool,
    why: str | None,
    json: bool,
    wakes: tuple[str, ...] = (),
) -> None:
    """Read a file, take it over, wake what waits for it, and say what was done."""
    from db.importing.order import Lines

    because = None if why is None else reason(why)
    read = read_lines(file, kind, partial=partial)
    order = Lines(lines=read.lines, file=read.file, rows=read.rows, partial=partial)
    done = run_import(
        here,
        read,
        lambda tx, told: work(tx, order, told),
        why=because,
        what=None if dry_run else f"{kind.name}.import",
    )
    if wakes and done.created and not dry_run:
        wake(here, *wakes)
    tell_imported(read, done, {}, dry_run=dry_run, json=json)

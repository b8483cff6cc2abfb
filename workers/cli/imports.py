"""`import KIND FILE`: bring what others wrote down into the database, all of it or nothing."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from domain.errors import BadInputError
from domain.payouts import SENDERS
from workers.cli.asking import At, WhyToo, moment, reason, say, wake
from workers.cli.context import Context, context
from workers.cli.output import JsonOne, progress, show_one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.importing.order import Imported, Told
    from db.tx import Tx
    from domain.records import Records
    from workers.files import RecordFile

app = typer.Typer(name="import", help="Bring files into the database.", no_args_is_help=True)

SECONDS_MAX = 900.0
"""How long one import may take."""
STDIN = "-"

File = Annotated[str, typer.Argument(help="CSV or JSON Lines; - reads standard input.")]
Partial = Annotated[
    bool, typer.Option("--partial", help="Take over the good rows; name the others, exit 1.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Write nothing.")]
LineT = TypeVar("LineT")


@app.command()
def payouts(
    ctx: typer.Context,
    file: File,
    approve: Annotated[
        bool, typer.Option("--approve", help="Approve what the file names and is PENDING.")
    ] = False,
    at: At = None,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import payouts: each external id once.

    The same file twice creates nothing new; the same id with other content is an error. Any error
    leaves nothing written, unless --partial.
    """
    from db.payouts.imports import Lines, look, take_over
    from domain.payout_lines import payout_records
    from domain.payout_rules import rules_of

    here = context(ctx)
    due, because = moment(at), None if why is None else reason(why)
    if due is not None and not approve:
        raise typer.BadParameter("--at says when approved payouts are sent: give --approve too")
    read = _read(file, payout_records(lambda: rules_of(here.bound.provider)), partial=partial)
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

    done = _import(here, read, work, why=because, what=None if dry_run else "payouts.import")
    if done.approved and due is None and not dry_run:
        wake(here, *SENDERS.values())
    _tell_imported(read, done, {"approved": done.approved}, dry_run=dry_run, json=json)


@app.command()
def earnings(
    ctx: typer.Context,
    file: File,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import what payees earned: each external id once.

    Each may be paid when its hold is over, by the next batch. The same file twice creates nothing
    new; the same id with other content is an error.
    """
    from db.earnings.imports import look, take_over
    from db.importing.order import Lines
    from domain.earning_lines import EARNING_RECORDS

    here, because = context(ctx), None if why is None else reason(why)
    read = _read(file, EARNING_RECORDS, partial=partial)
    order = Lines(lines=read.lines, file=read.file, rows=read.rows, partial=partial)

    def work(tx: "Tx", told: "Told") -> "Imported":
        if dry_run:
            return look(tx, here.installation, order, told=told)
        return take_over(tx, here.installation, order, actor=here.actor, told=told)

    done = _import(here, read, work, why=because, what=None if dry_run else "earnings.import")
    _tell_imported(read, done, {}, dry_run=dry_run, json=json)


@app.command()
def payees(
    ctx: typer.Context,
    file: File,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import payees and their accounts at the provider.

    What nobody has told yet is filled in; what was told otherwise is an error. A batch pays to the
    account that is verified and the default, and to no other.
    """
    from db import changes
    from db.payees.imports import PayeeLines, take_over
    from domain.payee_lines import PAYEE_RECORDS

    here, because = context(ctx), None if why is None else reason(why)
    read = _read(file, PAYEE_RECORDS, partial=partial)
    order = PayeeLines(lines=read.lines, file=read.file, rows=read.rows, partial=partial)
    with here.database().begin(SECONDS_MAX) as tx:
        done = take_over(tx, here.installation, order, dry_run=dry_run)
        if not dry_run and done.created + done.completed:
            said = f"{done.created} created, {done.completed} completed"
            because = f"{because}: {said}" if because else said
            changes.note(tx, "payees.import", [read.file], who=here.actor, why=because)
    facts: dict[str, object] = {
        "created": done.created,
        "completed": done.completed,
        "existing": done.existing,
    }
    _tell(read, facts, done.errors, done.more, dry_run=dry_run, json=json)


def _read(file: str, kind: "Records[LineT]", *, partial: bool) -> "RecordFile[LineT]":
    read = _found(file, kind)
    return read if partial else read.whole()


def _found(file: str, kind: "Records[LineT]") -> "RecordFile[LineT]":
    from workers.files import read_file, read_stream

    if file == STDIN:
        try:
            with open(0, "rb", closefd=False) as stream:
                return read_stream(stream, "standard input", kind)
        except OSError as error:
            rule = f"cannot be read: {error.strerror}"
            raise BadInputError("standard input", file, rule) from error
    if not file:
        raise BadInputError("FILE", file, "must name a file, or be - for standard input")
    path = Path(file)
    size = path.stat().st_size if path.is_file() else 0
    with progress(f"reading {path.name}", size) as advance:
        seen = 0

        def tell(_rows: int, position: int) -> None:
            nonlocal seen
            advance(position - seen)
            seen = position

        return read_file(path, kind, progress=tell)


def _import(
    here: Context,
    read: "RecordFile[LineT]",
    work: "Callable[[Tx, Told], Imported]",
    *,
    why: str | None,
    what: str | None,
) -> "Imported":
    """Do the work in one transaction, and note it as `what` where something is new."""
    from db import changes

    with ExitStack() as stack:
        told = stack.enter_context(progress("importing", len(read.lines)))
        tx = stack.enter_context(here.database().begin(SECONDS_MAX))
        done = work(tx, told)
        if what is not None and (done.created or done.approved):
            said = f"{done.created} created, {done.approved} approved"
            because = f"{why}: {said}" if why else said
            changes.note(tx, what, [read.file], who=here.actor, why=because)
        return done


def _tell_imported(
    read: "RecordFile[LineT]",
    done: "Imported",
    more: dict[str, object],
    *,
    dry_run: bool,
    json: bool,
) -> None:
    amounts = {f"created_minor_{currency}": minor for currency, minor in done.amounts.items()}
    facts = {"created": done.created, "existing": done.existing, **more, **amounts}
    _tell(read, facts, done.errors, done.more, dry_run=dry_run, json=json)


def _tell(
    read: "RecordFile[LineT]",
    facts: Mapping[str, object],
    errors: "Sequence[BadInputError]",
    more: int,
    *,
    dry_run: bool,
    json: bool,
) -> None:
    wrong = [*read.errors, *errors]
    left_out = len(wrong) + read.more + more
    told = {"file": read.file, "rows": len(read.lines), **facts}
    show_one({**told, "errors": left_out, "dry_run": dry_run}, json=json)
    if dry_run:
        say("nothing was written")
    for error in wrong:
        say(str(error))
    if left_out > len(wrong):
        say(f"and {left_out - len(wrong)} more errors")
    if left_out:
        raise typer.Exit(1)

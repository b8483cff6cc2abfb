"""`import KIND FILE`: bring what others wrote down into the database, all of it or nothing."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import BadInputError
from domain.payouts import PROCESS
from workers.cli.asking import At, WhyToo, moment, reason, say, wake
from workers.cli.context import Context, context
from workers.cli.output import JsonOne, progress, show_one

if TYPE_CHECKING:
    from db.payouts.imports import Imported, Lines
    from domain.payout_lines import PayoutLine
    from domain.records import Records
    from workers.files import RecordFile

app = typer.Typer(name="import", help="Bring files into the database.", no_args_is_help=True)

SECONDS_MAX = 900.0
"""How long one import may take."""
STDIN = "-"


@app.callback()
def group() -> None:
    """Keep `payouts` a command of its own: other kinds follow."""


@app.command()
def payouts(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="CSV or JSON Lines; - reads standard input.")],
    approve: Annotated[
        bool, typer.Option("--approve", help="Approve what the file names and is PENDING.")
    ] = False,
    at: At = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Take over the good rows; name the others, exit 1.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import payouts: each external id once.

    The same file twice creates nothing new; the same id with other content is an error. Any error
    leaves nothing written, unless --partial.
    """
    from db.payouts.imports import Lines
    from domain.payout_lines import payout_records
    from domain.payout_rules import rules_of

    here = context(ctx)
    due, because = moment(at), None if why is None else reason(why)
    if due is not None and not approve:
        raise typer.BadParameter("--at says when approved payouts are sent: give --approve too")
    read = _read(file, payout_records(lambda: rules_of(here.bound.provider)))
    if not partial:
        read.whole()
    order = Lines(
        lines=read.lines,
        file=read.file,
        rows=read.rows,
        approve=approve,
        due_at=due,
        partial=partial,
    )
    done = _import(here, order, dry_run=dry_run, why=because)
    if done.approved and due is None and not dry_run:
        wake(here, PROCESS)
    _tell(read, order, done, dry_run=dry_run, json=json)


def _read(file: str, kind: "Records[PayoutLine]") -> "RecordFile[PayoutLine]":
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


def _import(here: Context, order: "Lines", *, dry_run: bool, why: str | None) -> "Imported":
    from db import changes
    from db.payouts.imports import look, take_over

    database, installation = here.database(), here.installation
    with ExitStack() as stack:
        told = stack.enter_context(progress("importing", len(order.lines)))
        tx = stack.enter_context(database.begin(SECONDS_MAX))
        if dry_run:
            return look(tx, installation, order, told=told)
        done = take_over(tx, installation, order, actor=here.actor, told=told)
        if done.created or done.approved:
            said = f"{done.created} created, {done.approved} approved"
            because = f"{why}: {said}" if why else said
            changes.note(tx, "payouts.import", [order.file], who=here.actor, why=because)
        return done


def _tell(
    read: "RecordFile[PayoutLine]", order: "Lines", done: "Imported", *, dry_run: bool, json: bool
) -> None:
    wrong = [*read.errors, *done.errors]
    left_out = len(wrong) + read.more + done.more
    facts: dict[str, object] = {
        "file": order.file,
        "rows": len(order.lines),
        "created": done.created,
        "existing": done.existing,
        "approved": done.approved,
        "errors": left_out,
        "dry_run": dry_run,
        **{f"created_minor_{currency}": minor for currency, minor in done.amounts.items()},
    }
    show_one(facts, json=json)
    if dry_run:
        say("nothing was written")
    for error in wrong:
        say(str(error))
    if left_out > len(wrong):
        say(f"and {left_out - len(wrong)} more errors")
    if left_out:
        raise typer.Exit(1)

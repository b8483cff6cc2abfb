"""What imports of every kind share at the command line: a file is read, its work is one transaction, and told."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from domain.errors import BadInputError
from workers.cli.asking import say
from workers.cli.context import Context
from workers.cli.output import progress, show_one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.importing.order import Imported, Told
    from db.tx import Tx
    from domain.records import Records
    from workers.files import RecordFile

SECONDS_MAX: Final = 900.0
"""How long one import may take."""
STDIN: Final = "-"
LineT = TypeVar("LineT")

File = Annotated[str, typer.Argument(help="CSV or JSON Lines; - reads standard input.")]
Partial = Annotated[
    bool, typer.Option("--partial", help="Take over the good rows; name the others, exit 1.")
]
Proposal = Annotated[
    int | None, typer.Option("--proposal", min=1, help="Another operator's, about this file.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Write nothing.")]


def read_lines(file: str, kind: "Records[LineT]", *, partial: bool) -> "RecordFile[LineT]":
    """Read a file, whole or (`partial`) with its errors beside what is good. Raises `BadInputsError`."""
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


def run_import(
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


def tell_imported(
    read: "RecordFile[LineT]",
    done: "Imported",
    more: dict[str, object],
    *,
    dry_run: bool,
    json: bool,
) -> None:
    """Say what an import did, `more` beside the counts and sums of every one; exit 1 where lines were left out."""
    amounts = {f"created_minor_{currency}": minor for currency, minor in done.amounts.items()}
    facts = {"created": done.created, "existing": done.existing, **more, **amounts}
    tell_done(read, facts, done.errors, done.more, dry_run=dry_run, json=json)


def tell_done(
    read: "RecordFile[LineT]",
    facts: Mapping[str, object],
    errors: "Sequence[BadInputError]",
    more: int,
    *,
    dry_run: bool,
    json: bool,
) -> None:
    """Say `facts` of a file, and what is wrong with it; exit 1 where anything is."""
    left_out = len(read.errors) + len(errors) + read.more + more
    told = {"file": read.file, "rows": len(read.lines), **facts}
    show_one({**told, "errors": left_out, "dry_run": dry_run}, json=json)
    if dry_run:
        say("nothing was written")
    tell_left_out(read, errors, more)


def tell_left_out(read: "RecordFile[LineT]", errors: "Sequence[BadInputError]", more: int) -> None:
    """Say which lines are left out, and why; exit 1 where any is."""
    wrong = [*read.errors, *errors]
    for error in wrong:
        say(str(error))
    if read.more + more:
        say(f"and {read.more + more} more errors")
    if wrong or read.more + more:
        raise typer.Exit(1)

"""`import payees`: who is paid, and where; two people, where two are needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import typer

from workers.cli.asking import WhyToo, reason
from workers.cli.context import Context, context
from workers.cli.importing import (
    SECONDS_MAX,
    DryRun,
    File,
    Partial,
    Proposal,
    read_lines,
    tell_done,
)
from workers.cli.output import JsonOne
from workers.cli.taking_over import WHOLE, AsOf, told_until

if TYPE_CHECKING:
    from db.payees.imports import PayeesImported
    from db.tx import Tx
    from workers.files import RecordFile


class _Take(Protocol):
    """What is done with a file."""

    def __call__(self, tx: "Tx", *, dry_run: bool) -> "tuple[PayeesImported, Mapping[str, int]]":
        """What of its payees is new, and how many of what else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bringing:
    """A file that was read, and what is done with it."""

    read: "RecordFile[Any]"
    take: _Take
    noted: str
    """As what it is noted among changes."""


def payees(
    ctx: typer.Context,
    file: File,
    as_of: AsOf = None,
    proposal: Proposal = None,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import payees and their accounts at the provider.

    What nobody has told yet is filled in; what was told otherwise is an error. A batch pays to the
    account that is verified and the default, and to no other. With --as-of the file also says what
    another system paid each in a financial year. While policy:maker-checker is on, the file is only
    proposed, and another operator brings it with --proposal.
    """
    here, because = context(ctx), None if why is None else reason(why)
    if as_of is not None:
        if partial:
            raise typer.BadParameter(WHOLE)
        given = _of_another_system(here, file, told_until(here, as_of))
    else:
        given = _of_ours(here, file, partial=partial)
    done, more = _by_two(here, given, proposal=proposal, dry_run=dry_run, why=because)
    facts = {**_new(done, {}), "existing": done.existing, **more}
    tell_done(given.read, facts, done.errors, done.more, dry_run=dry_run, json=json)


def _of_ours(here: Context, file: str, *, partial: bool) -> _Bringing:
    from db.payees.imports import PayeeLines, take_over
    from domain.payee_lines import PAYEE_RECORDS

    read = read_lines(file, PAYEE_RECORDS, partial=partial)
    order = PayeeLines(lines=read.lines, file=read.file, rows=read.rows, partial=partial)
    return _Bringing(
        read=read,
        take=lambda tx, *, dry_run: (take_over(tx, here.installation, order, dry_run=dry_run), {}),
        noted="payees.import",
    )


def _of_another_system(here: Context, file: str, as_of: datetime) -> _Bringing:
    """Payees, and what each was paid in a financial year; all or nothing."""
    from db.payees.imports import PayeeLines, take_over
    from db.payees.prior_years import PriorYears, take_over_years
    from domain.prior_years import opening_payee_records

    read = read_lines(file, opening_payee_records(as_of), partial=False)
    order = PayeeLines(lines=[line.payee for line in read.lines], file=read.file, rows=read.rows)
    years = PriorYears(lines=read.lines, file=read.file, rows=read.rows)

    def take(tx: "Tx", *, dry_run: bool) -> "tuple[PayeesImported, Mapping[str, int]]":
        done = take_over(tx, here.installation, order, dry_run=dry_run)
        return done, {"years": take_over_years(tx, here.installation, years, dry_run=dry_run)}

    return _Bringing(read=read, take=take, noted="payees.take_over")


def _by_two(
    here: Context, given: _Bringing, *, proposal: int | None, dry_run: bool, why: str | None
) -> "tuple[PayeesImported, Mapping[str, int]]":
    """Import it, or propose it first where two people are needed. Raises what `crediting.agreed` does."""
    from db import changes, proposals
    from workers.cli.crediting import Giving, agreed, proposed_first

    if proposal is None and not dry_run:
        with here.database().begin(SECONDS_MAX) as tx:
            done, more = given.take(tx, dry_run=True)
        proposed_first(
            here,
            Giving.PAYEES,
            given.read,
            _new(done, more),
            errors=done.errors,
            more=done.more,
            why=why,
        )
    with here.database().begin(SECONDS_MAX) as tx:
        who = here.actor
        if proposal is not None and not dry_run:
            who = agreed(tx, here, Giving.PAYEES, given.read.lines, proposal)
        done, more = given.take(tx, dry_run=dry_run)
        told = _new(done, more)
        said = ", ".join(f"{count} {what}" for what, count in told.items())
        if not dry_run and any(told.values()):
            because = f"{why}: {said}" if why else said
            changes.note(tx, given.noted, [given.read.file], who=who, why=because)
        if proposal is not None and not dry_run:
            proposals.finish(tx, proposal, said)
        return done, more


def _new(done: "PayeesImported", more: Mapping[str, int]) -> dict[str, int]:
    """How many of what an import writes, or would."""
    return {"created": done.created, "completed": done.completed, **more}

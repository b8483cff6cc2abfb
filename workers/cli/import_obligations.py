"""`import lenders`, `import positions`, `import obligations`: who lends, how much of what, and what borrowers owe."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import typer

from workers.cli.asking import WhyToo, reason, wake
from workers.cli.context import Context, context
from workers.cli.importing import DryRun, File, Partial, Proposal, read_lines, tell_imported
from workers.cli.output import JsonOne

if TYPE_CHECKING:
    from typing import Protocol

    from db.importing.order import Imported, Lines, Recorded, Told
    from db.tx import Tx
    from domain.records import Records
    from workers.cli.crediting import Given, Giving

    class _Line(Recorded, Given, Protocol):
        """A line of any of these files."""

    RecordT = TypeVar("RecordT", bound=_Line)


def lenders(
    ctx: typer.Context,
    file: File,
    proposal: Proposal = None,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import lenders: payees, under the names another system has for them.

    A payee nobody has told of is made, and is not paid before its account is known. While
    policy:maker-checker is on, the file is only proposed, and another operator brings it with --proposal.
    """
    from db.obligations.lenders import take_over
    from domain.lender_lines import LENDER_RECORDS, LenderLine
    from workers.cli.crediting import Giving

    here = context(ctx)

    def seen(tx: "Tx", order: "Lines[LenderLine]", told: "Told") -> "Imported":
        return take_over(tx, here.installation, order, told=told, dry_run=True)

    def bring(tx: "Tx", order: "Lines[LenderLine]", _who: str, told: "Told") -> "Imported":
        return take_over(tx, here.installation, order, told=told)

    asked = _Asked(proposal=proposal, partial=partial, dry_run=dry_run, why=why, json=json)
    _import(here, file, Giving.LENDERS, LENDER_RECORDS, seen, bring, asked)


def positions(
    ctx: typer.Context,
    file: File,
    proposal: Proposal = None,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import who lends how much of which mortgage: positions, and reroutes from a day on.

    A row with from_lender and effective_on is a reroute. What was divided before stays as it is. While
    policy:maker-checker is on, the file is only proposed, and another operator brings it with --proposal.
    """
    from db.obligations.positions import take_over
    from domain.position_lines import POSITION_RECORDS, PositionLine
    from workers.cli.crediting import Giving

    here = context(ctx)

    def seen(tx: "Tx", order: "Lines[PositionLine]", told: "Told") -> "Imported":
        return take_over(tx, here.installation, order, told=told, dry_run=True)

    def bring(tx: "Tx", order: "Lines[PositionLine]", _who: str, told: "Told") -> "Imported":
        return take_over(tx, here.installation, order, told=told)

    asked = _Asked(proposal=proposal, partial=partial, dry_run=dry_run, why=why, json=json)
    _import(here, file, Giving.POSITIONS, POSITION_RECORDS, seen, bring, asked)


def obligations(
    ctx: typer.Context,
    file: File,
    proposal: Proposal = None,
    partial: Partial = False,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import what borrowers owe: each external id once, owed in the books at once.

    One whose state is settled is divided among its lenders, by what its receipts say came in. While
    policy:maker-checker is on, the file is only proposed, and another operator brings it with --proposal.
    """
    from db.obligations.imports import look, take_over
    from domain.obligation_lines import OBLIGATION_RECORDS, ObligationLine
    from domain.obligations import CREATE
    from workers.cli.crediting import Giving

    here = context(ctx)

    def seen(tx: "Tx", order: "Lines[ObligationLine]", told: "Told") -> "Imported":
        return look(tx, order, told=told)

    def bring(tx: "Tx", order: "Lines[ObligationLine]", who: str, told: "Told") -> "Imported":
        return take_over(tx, here.installation, order, actor=who, told=told)

    asked = _Asked(proposal=proposal, partial=partial, dry_run=dry_run, why=why, json=json)
    done = _import(here, file, Giving.OBLIGATIONS, OBLIGATION_RECORDS, seen, bring, asked)
    if done.created and not dry_run:
        wake(here, CREATE)


COMMANDS: Final = (lenders, positions, obligations)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the options of each of these commands say."""

    proposal: int | None
    partial: bool
    dry_run: bool
    why: str | None
    json: bool


def _import(
    here: Context,
    file: str,
    what: "Giving",
    kind: "Records[RecordT]",
    look: "Callable[[Tx, Lines[RecordT], Told], Imported]",
    bring: "Callable[[Tx, Lines[RecordT], str, Told], Imported]",
    asked: _Asked,
) -> "Imported":
    """Read a file, take it over, and say what was done; or propose it first where two people are needed."""
    from db.importing.order import Lines
    from workers.cli.crediting import by_two

    because = None if asked.why is None else reason(asked.why)
    read = read_lines(file, kind, partial=asked.partial)
    order = Lines(lines=read.lines, file=read.file, rows=read.rows, partial=asked.partial)
    done = by_two(
        here,
        what,
        read,
        lambda tx, told: look(tx, order, told),
        lambda tx, who, told: bring(tx, order, who, told),
        proposal=asked.proposal,
        dry_run=asked.dry_run,
        why=because,
        noted=f"{kind.name}.import",
    )
    tell_imported(read, done, {}, dry_run=asked.dry_run, json=asked.json)
    return done

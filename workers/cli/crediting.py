"""Two people for files of who is owed or paid what, under `policy:maker-checker`: one shows it, another brings it."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import typer

from db import proposals, switches
from db.tx import Tx
from domain.errors import BadInputError, RefusedError
from domain.switches import MAKER_CHECKER
from workers.cli.asking import say
from workers.cli.context import Context
from workers.cli.importing import SECONDS_MAX, run_import, tell_left_out

if TYPE_CHECKING:
    from db.importing.order import Imported, Told
    from workers.files import RecordFile


class Giving(StrEnum):
    """What a file gives, says was received, or says of who is owed and paid, as a proposal calls it."""

    WALLETS = "wallets.credit"
    CREDITS = "credits.grant"
    RECEIPTS = "receipts.receive"
    EARNINGS = "earnings.import"
    LENDERS = "lenders.import"
    POSITIONS = "positions.import"
    OBLIGATIONS = "obligations.import"
    PAYEES = "payees.import"

    @property
    def done(self) -> str:
        """What became of each line of an agreed file."""
        return _DONE.get(self, "imported")

    @property
    def command(self) -> str:
        """The command that brings such a file."""
        return f"bursar import {self.partition('.')[0]}"


_DONE: Final = MappingProxyType(
    {
        Giving.WALLETS: "credited",
        Giving.CREDITS: "given",
        Giving.RECEIPTS: "received",
        Giving.EARNINGS: "given",
    }
)


class Given(Protocol):
    """One line of such a file."""

    @property
    def content_hash(self) -> str:
        """64 hex digits: the same for the same content, however it was spelled."""


GivenT = TypeVar("GivenT", bound=Given)


class Found(Protocol):
    """What an import of it would do."""

    @property
    def created(self) -> int:
        """How many lines are new."""

    @property
    def amounts(self) -> Mapping[str, int]:
        """What they come to, in minor units by currency."""


def new(found: Found) -> dict[str, int]:
    """How many lines are new, and what they come to."""
    sums = {f"amount_minor_{currency}": minor for currency, minor in found.amounts.items()}
    return {"created": found.created, **sums}


def digest(lines: Sequence[Given]) -> str:
    """Name what a file gives, however it is spelled: SHA-256, 64 hex digits."""
    return sha256("\n".join(sorted(line.content_hash for line in lines)).encode()).hexdigest()


def proposed_first(
    here: Context,
    what: Giving,
    read: "RecordFile[GivenT]",
    found: Mapping[str, int],
    *,
    errors: Sequence[BadInputError] = (),
    more: int = 0,
    why: str | None,
) -> None:
    """Where two people are needed, write a proposal of the file down, say so and end: nothing else is written.

    `found` is how many of what an import would write, and what they come to: nothing is proposed of nothing.
    `errors` and `more` are of lines that it would leave out beside those of `read`: they are named, and it ends with 1.
    Raises `BadInputError` where no reason is given.
    """
    with here.database().begin() as tx:
        if not switches.is_on(tx, MAKER_CHECKER) or not any(found.values()):
            return
        if why is None:
            rule = "must say why: another person reads it, and approves or does not"
            raise BadInputError("--why", "", rule)
        made = proposals.propose(tx, what, digest(read.lines), found, by=here.operator, why=why)
    say(
        f"nothing of it is written yet: {MAKER_CHECKER} is on, and this is proposal {made}; another operator brings "
        f"the same file: {what.command} FILE --proposal {made}"
    )
    tell_left_out(read, errors, more)
    raise typer.Exit(0)


def by_two(
    here: Context,
    what: Giving,
    read: "RecordFile[GivenT]",
    look: "Callable[[Tx, Told], Imported]",
    take_over: "Callable[[Tx, str, Told], Imported]",
    *,
    proposal: int | None,
    dry_run: bool,
    why: str | None,
    noted: str,
) -> "Imported":
    """Import a file, or propose it first where two people are needed; `take_over` is told who brings it.

    Noted as `noted` among changes. Raises what `proposed_first` and `agreed` do.
    """
    if proposal is None and not dry_run:
        with here.database().begin(SECONDS_MAX) as tx:
            found = look(tx, lambda _: None)
        left_out, more = found.errors, found.more
        proposed_first(here, what, read, new(found), errors=left_out, more=more, why=why)

    def work(tx: Tx, told: "Told") -> "Imported":
        if dry_run:
            return look(tx, told)
        if proposal is None:
            return take_over(tx, here.actor, told)
        done = take_over(tx, agreed(tx, here, what, read.lines, proposal), told)
        proposals.finish(tx, proposal, f"{done.created} {what.done}")
        return done

    return run_import(here, read, work, why=why, what=None if dry_run else noted)


def agreed(tx: Tx, here: Context, what: Giving, lines: Sequence[Given], number: int) -> str:
    """Approve a proposal about this very file, in the import's transaction; returns both names.

    Raises `RefusedError` where it is one's own, waits no more, or is about something else.
    """
    row = proposals.approve(tx, number, by=here.operator)
    if (row.action, row.subject) != (what, digest(lines)):
        raise RefusedError(
            f"proposal {number} is about {row.action} {row.subject}, not about this file"
        )
    return f"{row.proposed_by}, {here.operator}"


def brought_with_its_file(_tx: Tx, subject: str, _details: object) -> None:
    """Refuse to propose or approve a file without it. Raises `RefusedError`."""
    commands = " or ".join(what.command for what in Giving)
    raise RefusedError(
        f"what {subject} gives is proposed and approved with its file: {commands} FILE [--proposal N]"
    )

"""Two people for what is put into wallets, under `policy:maker-checker`: one shows the file, another brings it."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import typer

from db import proposals, switches
from db.tx import Tx
from domain.errors import BadInputError, RefusedError
from domain.switches import MAKER_CHECKER
from domain.wallet_lines import WalletLine
from workers.cli.asking import say
from workers.cli.context import Context

if TYPE_CHECKING:
    from db.importing.order import Imported

ACTION: Final = "wallets.credit"


def digest(lines: Sequence[WalletLine]) -> str:
    """Name what a file puts into wallets, however it is spelled: SHA-256, 64 hex digits."""
    return sha256("\n".join(sorted(line.content_hash for line in lines)).encode()).hexdigest()


def proposed_first(
    here: Context, lines: Sequence[WalletLine], found: "Imported", *, why: str | None
) -> None:
    """Where two people are needed, write a proposal of the file down, say so and end: nothing is credited.

    `found` is what an import would do. Raises `BadInputError` where no reason is given.
    """
    with here.database().begin() as tx:
        if not switches.is_on(tx, MAKER_CHECKER) or not found.created:
            return
        if why is None:
            rule = "must say why: another person reads it, and approves or does not"
            raise BadInputError("--why", "", rule)
        sums = {f"amount_minor_{currency}": minor for currency, minor in found.amounts.items()}
        told = {"created": found.created, **sums}
        made = proposals.propose(tx, ACTION, digest(lines), told, by=here.operator, why=why)
    say(
        f"nothing is credited yet: {MAKER_CHECKER} is on, and this is proposal {made}; another operator brings the "
        f"same file: bursar import wallets FILE --proposal {made}"
    )
    raise typer.Exit(0)


def agreed(tx: Tx, here: Context, lines: Sequence[WalletLine], number: int) -> str:
    """Approve a proposal about this very file, in the import's transaction; returns both names.

    Raises `RefusedError` where it is one's own, waits no more, or is about something else.
    """
    row = proposals.approve(tx, number, by=here.operator)
    if (row.action, row.subject) != (ACTION, digest(lines)):
        raise RefusedError(
            f"proposal {number} is about {row.action} {row.subject}, not about this file"
        )
    return f"{row.proposed_by}, {here.operator}"


def brought_with_its_file(_tx: Tx, subject: str, _details: object) -> None:
    """Refuse to propose or approve a file without it. Raises `RefusedError`."""
    raise RefusedError(
        f"{ACTION} {subject} is proposed and approved with its file: bursar import wallets FILE [--proposal N]"
    )

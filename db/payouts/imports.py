"""Take over payouts from lines: each external id once, whatever is imported again, or twice at once.

Every id is made from the installation and what the line says, so a second import of the same lines
finds its own rows, also after a restore. Imports wait for one another under one advisory lock. The
transaction is as long as the import: callers open it with `seconds` to spare.
"""

from uuid import UUID

from db import switches
from db.importing import sets
from db.importing.order import Imported, Lines, Told
from db.payouts.import_sets import PayoutImport
from db.tx import Tx
from domain.errors import RefusedError
from domain.payout_lines import PayoutLine
from domain.switches import MAKER_CHECKER

__all__ = ["Imported", "Lines", "look", "take_over"]


def take_over(
    tx: Tx,
    installation: UUID,
    order: Lines[PayoutLine],
    *,
    actor: str,
    told: Told = lambda _: None,
) -> Imported:
    """Import `order` in this transaction.

    Raises `BadInputsError` naming file, row and field of lines whose external id exists with other
    content, unless `order.partial`; nothing is to be committed then. Raises `RefusedError` where it is
    to approve while nobody may approve what they made.
    """
    if order.approve and switches.is_on(tx, MAKER_CHECKER):
        raise RefusedError(
            f"{MAKER_CHECKER} is on: who brings payouts in does not approve them. Import without --approve; "
            "another person approves"
        )
    return PayoutImport(tx, installation, order, actor).run(told)


def look(
    tx: Tx, installation: UUID, order: Lines[PayoutLine], *, told: Told = lambda _: None
) -> Imported:
    """Say what `take_over` would do, and write nothing. Raises the same errors."""
    return sets.foresee(tx, installation, PayoutImport, order, told)

"""Take over earnings from lines: each external id once, as payouts are taken over."""

from uuid import UUID

from db.earnings.import_sets import EarningImport
from db.importing import sets
from db.importing.order import Imported, Lines, Told
from db.tx import Tx
from domain.earning_lines import EarningLine


def take_over(
    tx: Tx,
    installation: UUID,
    order: Lines[EarningLine],
    *,
    actor: str,
    told: Told = lambda _: None,
) -> Imported:
    """Import `order` in this transaction; raises `BadInputsError` as an import of payouts does.

    A payee nobody has told of is made, and is not paid before its account is known.
    """
    return EarningImport(tx, installation, order, actor).run(told)


def look(
    tx: Tx, installation: UUID, order: Lines[EarningLine], *, told: Told = lambda _: None
) -> Imported:
    """Say what `take_over` would do, and write nothing. Raises the same errors."""
    return sets.foresee(tx, installation, EarningImport, order, told)

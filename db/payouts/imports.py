"""Take over payouts from lines: each external id once, whatever is imported again, or twice at once.

Every id is made from the installation and what the line says, so a second import of the same lines
finds its own rows, also after a restore. Imports wait for one another under one advisory lock. The
transaction is as long as the import: callers open it with `seconds` to spare.
"""

from uuid import UUID

from db.payouts import imported
from db.payouts.import_order import SET_MAX, Imported, Lines, Told
from db.payouts.import_sets import Import
from db.tx import Tx
from domain.payout_ids import payout_id

__all__ = ["Imported", "Lines", "look", "take_over"]


def take_over(
    tx: Tx, installation: UUID, order: Lines, *, actor: str, told: Told = lambda _: None
) -> Imported:
    """Import `order` in this transaction.

    Raises `BadInputsError` naming file, row and field of lines whose external id exists with other
    content, unless `order.partial`; nothing is to be committed then.
    """
    return Import(tx, installation, order, actor).run(told)


def look(tx: Tx, installation: UUID, order: Lines, *, told: Told = lambda _: None) -> Imported:
    """Say what `take_over` would do, and write nothing. Raises the same errors."""
    done = Imported()
    for start in range(0, len(order.lines), SET_MAX):
        part = range(start, min(start + SET_MAX, len(order.lines)))
        ids = {payout_id(installation, order.lines[at].external_id): at for at in part}
        found = imported.compare(tx, order, ids)
        done.blame(order, found.errors, found.more)
        new = [order.lines[at] for id_, at in ids.items() if id_ not in found.same | found.other]
        done.created += len(new)
        done.existing += len(found.same)
        done.approved += len(new) + len(found.pending) if order.approve else 0
        for line in new:
            done.amounts[line.currency] = done.amounts.get(line.currency, 0) + line.amount_minor
        told(len(part))
    return done

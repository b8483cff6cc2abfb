"""What stood in the way of an obligation was put right: looked at before anybody moves its money in vain."""

from uuid import UUID

from db.dispersals.create import plan
from db.obligations.facts import Obligation, read
from db.tx import Tx
from domain.errors import RefusedError
from domain.obligations import ObligationState

RESOLVABLE = frozenset({ObligationState.STALLED, ObligationState.ESCALATED})


def check_mended(tx: Tx, id_: UUID) -> Obligation:
    """Return an obligation that could not be divided and can be now; nothing is held or written.

    Raises `RefusedError` where it is neither STALLED nor ESCALATED, or what stood in its way still does.
    """
    [one] = read(tx, [id_])
    if one.state not in RESOLVABLE:
        raise RefusedError(
            f"obligation {one.external_id} is {one.state}, neither STALLED nor ESCALATED"
        )
    if (error := plan(tx, [one]).failed.get(id_)) is not None:
        raise RefusedError(
            f"obligation {one.external_id} cannot be divided yet: {error}; put that right first"
        )
    return one

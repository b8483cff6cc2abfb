"""A STALLED obligation tried again, by a person who put right what stood in its way."""

from uuid import UUID

from db.bookings.moving import shift
from db.dispersals.settled import cease
from db.obligations.facts import grip
from db.tx import Tx
from domain.errors import RefusedError
from domain.obligations import OBLIGATIONS, ObligationState


def retry(tx: Tx, id_: UUID, *, actor: str, why: str) -> None:
    """Make it SETTLED again, to be divided at once; what was reported of it is resolved, and opens anew if it fails.

    Raises `RefusedError` where it is not STALLED.
    """
    leased, [one] = grip(tx, [id_], run=None, actor=actor)
    if one.state != ObligationState.STALLED:
        raise RefusedError(f"obligation {one.external_id} is {one.state}, not STALLED")
    shift(leased, OBLIGATIONS, {id_: one.state}, ObligationState.SETTLED, reason=why)
    cease(leased, [id_])

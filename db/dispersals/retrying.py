"""A FAILED dispersal reset by a person: it waits for a payout of its own once more, a new one under a new key."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.moving import shift
from db.dispersals.paying import cease
from db.transitions import hold
from db.tx import Tx
from domain.dispersals import DISPERSALS, SENDINGS_MAX, DispersalState
from domain.errors import NotFoundError, RefusedError

_LOCK: Final = sa.text("""
    SELECT state, sendings FROM dispersals WHERE id = :id FOR UPDATE""")
_ARRIVED: Final = sa.text("""
    SELECT external_id FROM payouts WHERE dispersal = :id AND state = 'COMPLETED' ORDER BY id LIMIT 1""")


def retry(tx: Tx, id_: UUID, *, actor: str, why: str, by_two: bool = False) -> None:
    """Make it PENDING again, to be paid at once. A payout after `SENDINGS_MAX` failures needs two people (`by_two`).

    So does one after another of it has arrived: that was booked as owed by its lender, and may have been given back since.
    Raises `NotFoundError`, and `RefusedError` where it is not FAILED, or one person alone asks for such a payout.
    """
    row = tx.row(_LOCK, id=id_)
    if row is None:
        raise NotFoundError(f"there is no dispersal {id_}")
    if row.state != DispersalState.FAILED:
        raise RefusedError(f"dispersal {id_} is {row.state}, not FAILED")
    arrived = tx.row(_ARRIVED, id=id_)
    if arrived is not None and not by_two:
        raise RefusedError(
            f"dispersal {id_}: its lender has the money of payout {arrived.external_id}, and owes it. Two people may "
            f"have it paid once more, less what is owed still: bursar propose dispersal.retry {id_}"
        )
    if row.sendings >= SENDINGS_MAX and not by_two:
        raise RefusedError(
            f"dispersal {id_} failed {row.sendings} times: two people may allow one more, "
            f"bursar propose dispersal.retry {id_}"
        )
    leased = hold(tx, [], run=None, actor=actor)
    shift(leased, DISPERSALS, {id_: row.state}, DispersalState.PENDING, reason=why)
    cease(leased, [id_])

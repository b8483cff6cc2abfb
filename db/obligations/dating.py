"""The day on which an obligation was settled, said by a person where another system did not."""

import datetime as dt
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.moving import shift
from db.clock import latest_day
from db.dispersals.settled import cease
from db.importing.days import RULE
from db.obligations.facts import grip
from db.tx import Tx
from domain.errors import BadInputError, RefusedError
from domain.obligations import OBLIGATIONS, ObligationState

_SETTLED: Final = frozenset(
    {ObligationState.SETTLED, ObligationState.STALLED, ObligationState.ESCALATED}
)
_SAY: Final = sa.text("""
    UPDATE obligations SET settled_on = :day, updated_at = clock_timestamp() WHERE id = :id""")


def date(tx: Tx, id_: UUID, day: dt.date, *, actor: str, why: str) -> None:
    """Say that an obligation was settled on `day`; one that was STALLED is tried again at once.

    The money of one that is ESCALATED stays in suspense, until two people take it out. Raises `RefusedError` where it is not settled, or its day is known,
    `BadInputError` for a day that is still to come.
    """
    if day > latest_day(tx):
        raise BadInputError("on", day.isoformat(), RULE)
    leased, [one] = grip(tx, [id_], run=None, actor=actor)
    if one.state not in _SETTLED:
        raise RefusedError(f"obligation {one.external_id} is {one.state}")
    if one.settled_on is not None:
        raise RefusedError(f"obligation {one.external_id} was settled on {one.settled_on}")
    leased.run(_SAY, id=id_, day=day)
    if one.state == ObligationState.STALLED:
        shift(leased, OBLIGATIONS, {id_: one.state}, ObligationState.SETTLED, reason=why)
        cease(leased, [id_])

"""Places of appointments given back: the count that capacity is held against, and whoever waits for one.

Every way in which a place becomes free ends in `freed`: the appointment is FREED in the same transaction, so that an
offer is neither forgotten nor made twice, whatever dies afterwards.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.arrays import literal
from db.bookings.moving import shift
from db.transitions import LeasedTx, hold
from domain.appointments import APPOINTMENTS, AppointmentState

_GIVE_BACK: Final = sa.text("""
    UPDATE appointments a SET taken = a.taken - g.places, updated_at = clock_timestamp()
    FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS int[])) AS g (id, places) WHERE a.id = g.id""")


def give_back(tx: LeasedTx, places: Mapping[UUID, int]) -> None:
    """Free so many places of each appointment, which this transaction has locked."""
    if places:
        tx.run(_GIVE_BACK, ids=list(places), places=list(places.values()))
        freed(tx, list(places))


_AWAITED: Final = sa.text("""
    SELECT a.id FROM appointments a
    WHERE a.id = ANY(CAST(:ids AS uuid[])) AND a.state = 'PLANNED'
      AND EXISTS (SELECT FROM waitlist w WHERE w.appointment = a.id AND w.state = 'WAITING')
    ORDER BY a.id""")


def freed(tx: LeasedTx, appointments: Sequence[UUID]) -> None:
    """Have whoever waits for these appointments be offered what is free; this transaction has locked them.

    Nobody joins a line meanwhile: that takes the same lock. A work row that is not held yet (its line began while we
    waited for it) is locked here, after its subject: where that meets somebody the other way round, one of both begins again.
    """
    freed_of(tx, literal(list(appointments)))


def freed_of(tx: LeasedTx, appointments: str) -> None:
    """The same for a uuid[] as a literal, of which no value of Python is made."""
    awaited = [row.id for row in tx.rows(_AWAITED, ids=appointments)]
    if not awaited:
        return
    missing = [id_ for id_ in awaited if id_ not in tx.held]
    holding = hold(tx, missing, run=tx.holder, actor=tx.actor) if missing else tx
    states = dict.fromkeys(awaited, AppointmentState.PLANNED)
    shift(holding, APPOINTMENTS, states, AppointmentState.FREED, reason="a place was freed")

"""Places of appointments given back: the count that capacity is held against, and who may be offered them."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.transitions import LeasedTx

_GIVE_BACK: Final = sa.text("""
    UPDATE appointments a SET taken = a.taken - g.places, updated_at = clock_timestamp()
    FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS int[])) AS g (id, places) WHERE a.id = g.id""")


def give_back(tx: LeasedTx, places: Mapping[UUID, int]) -> None:
    """Free so many places of each appointment, which this transaction has locked."""
    if places:
        tx.run(_GIVE_BACK, ids=list(places), places=list(places.values()))

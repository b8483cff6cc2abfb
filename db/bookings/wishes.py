"""Wishes are decided on: approved or rejected by their consultant, or withdrawn by their customer.

Each takes a set, all of it or nothing. Whoever decides locks the wishes' work rows, as the job that ends
them does, and a checkout of one: of two that come at once the second sees what the first made of it.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.decisions import APPROVAL, REJECTION, WITHDRAWAL, Decision
from db.bookings.facts import lock
from db.bookings.moving import shift
from db.bookings.request import wished
from db.clock import now
from db.transitions import hold
from db.tx import Tx
from domain.booking_errors import NotOpenError, UnknownError
from domain.bookings import BOOKINGS, WISH_FOR
from domain.owners import ConsultantOwner, CustomerOwner, owned_by
from domain.wishes import Wished


def approve_bookings(tx: Tx, owner: ConsultantOwner, bookings: Collection[UUID]) -> list[Wished]:
    """Agree to wishes that are PENDING; each then waits for a checkout. In the order of their ids.

    Raises `UnknownError` for what is missing or another consultant's, and `NotOpenError` where one is
    elsewhere: then nothing changes.
    """
    whose = owned_by(owner)
    return _decide(tx, APPROVAL, whose, f"consultant:{whose}", bookings)


def reject_bookings(tx: Tx, owner: ConsultantOwner, bookings: Collection[UUID]) -> list[Wished]:
    """Decline wishes that are PENDING, or to be paid while no checkout is under way. Raises as `approve_bookings` does."""
    whose = owned_by(owner)
    return _decide(tx, REJECTION, whose, f"consultant:{whose}", bookings)


def withdraw_bookings(tx: Tx, owner: CustomerOwner, bookings: Collection[UUID]) -> list[Wished]:
    """Take back wishes of one customer, approved or not, while no checkout is under way: that is cancelled instead.

    Raises as `approve_bookings` does.
    """
    whose = owned_by(owner)
    return _decide(tx, WITHDRAWAL, whose, f"customer:{whose}", bookings)


_WHERE: Final = sa.text("""
    SELECT b.id, b.state, EXISTS (
             SELECT FROM payments p
             WHERE p.booking = b.id AND (p.state = 'PENDING' OR p.state = 'SUCCEEDED' AND NOT p.orphaned)) AS has_checkout
    FROM bookings b WHERE b.id = ANY(CAST(:ids AS uuid[])) ORDER BY b.id""")
_NOW: Final = sa.text("""
    SELECT id, state, updated_at FROM bookings WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id""")


def _decide(
    tx: Tx, decision: Decision, whose: UUID, actor: str, bookings: Collection[UUID]
) -> list[Wished]:
    ids = sorted(set(bookings))
    mine = {row.id for row in tx.rows(decision.of, ids=ids, owner=whose)}
    if lost := [id_ for id_ in ids if id_ not in mine]:
        raise UnknownError(f"there is no booking {lost[0]}")
    leased = hold(tx, ids, run=None, actor=actor)
    lock(leased, "booking", ids)
    found = leased.rows(_WHERE, ids=ids)
    for row in found:
        if row.has_checkout:
            raise NotOpenError(f"booking {row.id} is {row.state}, and has a checkout")
        if row.state not in decision.sources:
            raise NotOpenError(f"booking {row.id} is {row.state}")
    states = {row.id: row.state for row in found}
    due = dict.fromkeys(ids, now(leased) + WISH_FOR)
    shift(leased, BOOKINGS, states, decision.target, reason=decision.reason, due=due)
    return [wished(row, replayed=False) for row in leased.rows(_NOW, ids=ids)]

"""A customer asks for a booking: a wish, which its consultant approves or rejects."""

from typing import Final
from uuid import uuid4

import sqlalchemy as sa

from db.advance import begin
from db.tx import Row, Tx
from domain.booking_errors import KeyReusedError, NotOpenError, UnknownError
from domain.bookings import BOOKINGS, WISH_FOR, BookingState
from domain.checkouts import Request
from domain.wishes import Wish, Wished

_KNOWN: Final = sa.text("""
    SELECT id, state, updated_at, encode(request_hash, 'hex') AS request_hash FROM bookings
    WHERE scope = :scope AND actor = :actor AND key = :key""")
_OFFERED: Final = sa.text("""
    SELECT l.consultant = c.payee AS is_host FROM plans l, customers c
    WHERE l.id = :plan AND l.active AND c.id = :customer""")
_ASK: Final = sa.text("""
    INSERT INTO bookings (id, external_id, customer, plan, state, scope, actor, key, request_hash)
    VALUES (:id, CAST(CAST(:id AS uuid) AS text), :customer, :plan, 'PENDING', :scope, :actor, :key, decode(:hash, 'hex'))
    -- Two that come at once: the second waits for the first, and is answered as that was.
    ON CONFLICT (scope, actor, key) WHERE key IS NOT NULL DO NOTHING
    RETURNING updated_at""")


def request_booking(tx: Tx, request: Request, wish: Wish) -> Wished:
    """Keep what a customer asks for until its consultant decides, or its time is over.

    The same request again is answered with the same wish. Raises `KeyReusedError`, `UnknownError` (plan,
    customer), `NotOpenError`; then nothing is kept.
    """
    asked: dict[str, object] = {"scope": request.scope, "actor": request.actor, "key": request.key}
    if known := tx.row(_KNOWN, **asked):
        return _again(known, request, wish)
    customer = wish.customer.id
    offered = tx.row(_OFFERED, plan=wish.plan, customer=customer)
    if offered is None:
        raise UnknownError(f"there is no customer {customer}, or no plan {wish.plan} to be booked")
    if offered.is_host:
        raise NotOpenError("a consultant is no participant of their own appointments")
    made = uuid4()
    written = tx.row(
        _ASK, id=made, customer=customer, plan=wish.plan, hash=wish.content_hash, **asked
    )
    if written is None:
        known = tx.row(_KNOWN, **asked)
        assert known is not None, "it is what was in the way"
        return _again(known, request, wish)
    until = written.updated_at + WISH_FOR
    begin(tx, BOOKINGS, BookingState.PENDING, {made: until})
    return Wished(booking=made, state=BookingState.PENDING, until=until, replayed=False)


def _again(known: Row, request: Request, wish: Wish) -> Wished:
    if known.request_hash != wish.content_hash:
        raise KeyReusedError(f"key {request.key!r} came with another request before")
    return wished(known, replayed=True)


def wished(row: Row, *, replayed: bool) -> Wished:
    """What there is to say of a booking (its id, state and `updated_at`) as a wish."""
    waits = BOOKINGS.call_for(row.state, None)
    is_wish = waits is not None and waits.job is not None
    until = row.updated_at + WISH_FOR if is_wish else None
    return Wished(booking=row.id, state=row.state, until=until, replayed=replayed)

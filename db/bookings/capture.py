"""Payments that were captured: their bookings are scheduled, or where the seat is gone they are orphans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import ledger
from db.bookings import entries
from db.bookings.facts import Checkout, grip
from db.bookings.moving import shift
from db.bookings.release import ENDS_UNPAID, close_orders, free_seats, note
from db.transitions import LeasedTx
from db.tx import Tx
from domain.appointments import APPOINTMENTS, SEATS, AppointmentState, SeatState
from domain.bookings import BOOKINGS, BookingState
from domain.payments import PAYMENTS, OrderState, PaymentState

PAID: Final = "captured"
GONE: Final = "captured when its seat was gone"
TAKEN: Final = "captured when its time was taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What came of one payment: scheduled | orphaned | already (captured before)."""

    payment: UUID
    outcome: str


def capture(
    tx: LeasedTx | Tx, paid_at: Mapping[UUID, datetime], *, run: int | None, actor: str
) -> list[Captured]:
    """Take in that the gateway captured payments, each at its time; one outcome each, in the order of their ids.

    A payment that is not PENDING any more is an orphan: its seat was given away. So is one whose booking
    went on without it, or whose time another appointment took. Said again it changes nothing.
    """
    leased, checkouts = grip(tx, list(paid_at), run=run, actor=actor)
    new = [c for c in checkouts if c.state != PaymentState.SUCCEEDED]
    taken = _taken(leased, new)
    late = {c.payment for c in new if taken & {seat.appointment for seat in c.held}}
    good = [c for c in new if _may_be_kept(c) and c.payment not in late]
    kept = {c.payment for c in good}
    lost = [c for c in new if c.payment not in kept]
    _mark(leased, new, paid_at, kept)
    _schedule(leased, good)
    _orphan(leased, [c for c in lost if c.payment in late], TAKEN)
    _orphan(leased, [c for c in lost if c.payment not in late], GONE)
    # Posted at once: a second posting would lock balances behind those of the first.
    made = [*entries.paid(leased, good), *entries.orphaned(leased, lost)]
    ledger.post(leased, made, run=run, actor=actor)
    words = dict.fromkeys(kept, "scheduled") | {c.payment: "orphaned" for c in lost}
    return [Captured(payment=c.payment, outcome=words.get(c.payment, "already")) for c in checkouts]


def _may_be_kept(checkout: Checkout) -> bool:
    return (
        checkout.state == PaymentState.PENDING
        and checkout.booking_state in ENDS_UNPAID
        and not checkout.is_paid_for
        and bool(checkout.held)
        and all(
            seat.state == SeatState.TENTATIVE and seat.appointment_state not in _ENDED
            for seat in checkout.held
        )
    )


_ENDED: Final = frozenset({AppointmentState.CANCELLED, AppointmentState.OVER})


_TAKEN: Final = sa.text("""
    SELECT DISTINCT m.appointment FROM slots m
    JOIN slots o ON o.consultant = m.consultant AND o.appointment <> m.appointment
      AND o.starts_at < m.ends_at AND o.ends_at > m.starts_at
    WHERE m.appointment = ANY(CAST(:appointments AS uuid[])) AND NOT m.confirmed
      -- Of two that are captured at once, the first has the time.
      AND (o.confirmed OR o.appointment = ANY(CAST(:appointments AS uuid[])) AND o.appointment < m.appointment)""")


def _taken(tx: Tx, checkouts: Sequence[Checkout]) -> set[UUID]:
    """Private appointments whose time another one has; their consultants are locked, so it stays like this."""
    private = [
        seat.appointment
        for c in checkouts
        for seat in c.seats
        if seat.state == SeatState.TENTATIVE
        and seat.appointment_state == AppointmentState.TENTATIVE
    ]
    if not private:
        return set()
    return {row.appointment for row in tx.rows(_TAKEN, appointments=private)}


_MARK: Final = sa.text("""
    UPDATE payments p SET paid_at = m.at, orphaned = m.orphaned
    FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[]), CAST(:orphaned AS boolean[])) AS m (id, at, orphaned)
    WHERE p.id = m.id""")


def _mark(
    tx: LeasedTx, checkouts: Sequence[Checkout], paid_at: Mapping[UUID, datetime], kept: set[UUID]
) -> None:
    ids = [c.payment for c in checkouts]
    if ids:
        orphaned = [id_ not in kept for id_ in ids]
        tx.run(_MARK, ids=ids, ats=[paid_at[id_] for id_ in ids], orphaned=orphaned)
        shift(tx, PAYMENTS, {c.payment: c.state for c in checkouts}, PaymentState.SUCCEEDED)
        close_orders(tx, checkouts, OrderState.CLOSED, PAID)


_CONFIRM: Final = sa.text("""
    UPDATE slots SET confirmed = true WHERE appointment = ANY(CAST(:ids AS uuid[])) AND NOT confirmed""")


def _schedule(tx: LeasedTx, checkouts: Sequence[Checkout]) -> None:
    seats = [seat for c in checkouts for seat in c.held]
    private = [s for s in seats if s.appointment_state == AppointmentState.TENTATIVE]
    shift(tx, BOOKINGS, {c.booking: c.booking_state for c in checkouts}, BookingState.SCHEDULED)
    shift(
        tx,
        APPOINTMENTS,
        {seat.appointment: seat.appointment_state for seat in private},
        AppointmentState.PLANNED,
        due={seat.appointment: seat.ends_at for seat in private},
    )
    shift(tx, SEATS, {seat.id: seat.state for seat in seats}, SeatState.CONFIRMED)
    if private:
        tx.run(_CONFIRM, ids=[seat.appointment for seat in private])


_WAITING: Final = frozenset({PaymentState.PENDING, PaymentState.FAILED})


def _orphan(tx: LeasedTx, checkouts: Sequence[Checkout], reason: str) -> None:
    """Whatever still waits for these payments is given up: of one that was refused, its booking too."""
    open_ = [
        c for c in checkouts if c.state in _WAITING and not c.is_paid_for and not c.is_replaced
    ]
    ended = {c.booking: c.booking_state for c in open_ if c.booking_state in ENDS_UNPAID}
    shift(tx, BOOKINGS, ended, BookingState.CANCELLED, reason=reason)
    free_seats(tx, [seat for c in open_ for seat in c.seats], reason)
    note(tx, [c for c in open_ if c.booking in ended], reason)
